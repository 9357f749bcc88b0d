"""What the page asks about a song: which controls, their ranges and what they start from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster.explanations import LONGEST_MS
from chartbuster.registry import AttributeRange, Inputs, RunManifest
from chartbuster.songs import ATTRIBUTE, GENRE_SEPARATOR, KEYS, MODES, RELEASE_YEAR, TIME_SIGNATURES
from webapp.predict.naming import label

_SLOWEST_STEP = 5_000
_PERCENT = 0.01


@dataclass(frozen=True)
class Slider:
    """One numeric attribute. `low`, `high` and every value are multiples of `step`."""

    name: str
    label: str
    meaning: str
    low: float
    high: float
    step: float
    format: str

    def fitted(self, value: float) -> float:
        """The value the slider can show that is nearest to `value`."""
        return self._rounded(min(max(value, self.low), self.high))

    def _rounded(self, value: float) -> float:
        return round(round(value / self.step) * self.step, 6)


@dataclass(frozen=True)
class Length:
    """How long the song lasts: `options` are milliseconds, shown as minutes and seconds."""

    name: str
    label: str
    meaning: str
    options: tuple[int, ...]

    def fitted(self, value: float) -> int:
        """The option nearest to `value` milliseconds."""
        return min(self.options, key=lambda option: abs(option - value))


@dataclass(frozen=True)
class Choice:
    """One attribute with a few possible values."""

    name: str
    label: str
    options: tuple[str, ...]

    def fitted(self, value: str) -> str:
        """`value` where it is an option, else the first option."""
        return value if value in self.options else self.options[0]


type Control = Slider | Length | Choice


GENRE, TEXTS = "genre", ("title", "artist")
"""The attributes that have no control here: genres by name, the first of which sets the defaults,
and what may be written about a song."""


@dataclass(frozen=True)
class Group:
    """Controls that belong together, under a heading."""

    title: str
    controls: tuple[Control, ...]


_GROUPS = (
    ("How it feels", ("danceability", "energy", "valence")),
    ("How it moves", ("tempo", "duration_ms", "loudness")),
    ("What is heard", ("acousticness", "instrumentalness", "speechiness", "liveness")),
)
_CHOICES = (("key", KEYS), ("mode", MODES), ("time_signature", TIME_SIGNATURES))


def groups(inputs: Inputs) -> tuple[Group, ...]:
    """The controls for what the run's data had, in groups; groups without any are left out."""
    sliders = [
        Group(
            title,
            tuple(_numeric(name, inputs.audio[name]) for name in names if _varies(inputs, name)),
        )
        for title, names in _GROUPS
    ]
    scale: list[Control] = [
        Choice(name, label(name), options)
        for name, options in _CHOICES
        if getattr(inputs, name) is not None
    ]
    if inputs.release_year is not None and inputs.release_year.low < inputs.release_year.high:
        year = inputs.release_year
        scale.append(
            Slider(
                RELEASE_YEAR.name,
                label(RELEASE_YEAR.name),
                RELEASE_YEAR.meaning,
                math.floor(year.low),
                math.ceil(year.high),
                1,
                "%d",
            )
        )
    found = (*sliders, Group("Key and time", tuple(scale)))
    return tuple(group for group in found if group.controls)


def asks_for_title(run: RunManifest) -> bool:
    """Whether the run's models look at what a title says (remix, live, feat. ...)."""
    return any(column.startswith("title_") for column in run.columns)


def start(inputs: Inputs, genre: str | None, control: Control) -> Any:
    """What `control` shows before anybody touched it: the genre's median, else everybody's."""
    known: Mapping[str, float | str] = inputs.genre_defaults.get(genre or "", {})
    value = known.get(control.name, _overall(inputs, control.name))
    match control:
        case Choice():
            return control.fitted(str(value))
        case Slider() | Length():
            return control.fitted(float(value))


def first_genre(inputs: Inputs) -> str | None:
    """The genre the page starts with: Pop where there is such a thing, else the first."""
    if "Pop" in inputs.genres:
        return "Pop"
    return inputs.genres[0] if inputs.genres else None


def asks_for_artist(run: RunManifest) -> bool:
    """Whether the run's songs had artists, so that it matters who sings."""
    return run.artists > 0


def genres_of(inputs: Inputs, said: Any) -> list[str]:
    """The genres of `said` (one, several, or some joined by `; `) that the run knows, in order."""
    several = said.split(GENRE_SEPARATOR.strip()) if isinstance(said, str) else said or ()
    names = (str(name).strip() for name in several)
    return list(dict.fromkeys(name for name in names if name in inputs.genres))


def differing(run: RunManifest, song: Mapping[str, Any]) -> dict[str, Any]:
    """What of `song` has to be set because it is not what is usual for its first genre.

    The genres are always in it, as a list; values that no control of the run can show, and texts
    nobody asks for, are not.
    """
    genres = genres_of(run.inputs, song.get(GENRE))
    first = genres[0] if genres else None
    found: dict[str, Any] = {GENRE: genres}
    for control in (control for group in groups(run.inputs) for control in group.controls):
        value = song.get(control.name)
        if value is not None and control.fitted(value) != start(run.inputs, first, control):
            found[control.name] = control.fitted(value)
    return found | {name: song[name] for name in TEXTS if song.get(name)}


def _varies(inputs: Inputs, name: str) -> bool:
    return name in inputs.audio and inputs.audio[name].low < inputs.audio[name].high


def _overall(inputs: Inputs, name: str) -> float | str:
    if name in inputs.audio:
        return inputs.audio[name].default
    if name == RELEASE_YEAR.name and inputs.release_year is not None:
        return inputs.release_year.default
    return str(getattr(inputs, name))


def _numeric(name: str, seen: AttributeRange) -> Slider | Length:
    attribute = ATTRIBUTE[name]
    if name == "duration_ms":
        # A file may hold a two-hour mix; a slider that long could not be set to three minutes.
        first = max(math.floor(seen.low / _SLOWEST_STEP) * _SLOWEST_STEP, 1_000)
        last = math.ceil(min(seen.high, max(LONGEST_MS, seen.low)) / _SLOWEST_STEP)
        options = tuple(range(first, last * _SLOWEST_STEP + 1, _SLOWEST_STEP))
        return Length(name, label(name), attribute.meaning, options)
    if attribute.unit == "dB":
        step, shown = 0.5, "%.1f dB"
    elif attribute.unit:
        step, shown = 1.0, "%.0f BPM"
    else:
        step, shown = _PERCENT, "percent"
    low = max(math.floor(seen.low / step) * step, attribute.low)
    high = min(math.ceil(seen.high / step) * step, attribute.high)
    return Slider(name, label(name), attribute.meaning, round(low, 6), round(high, 6), step, shown)
