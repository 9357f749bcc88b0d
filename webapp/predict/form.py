"""What the page asks about a song: which controls, their ranges and what they start from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster.registry import AttributeRange, Inputs, RunManifest
from chartbuster.songs import ATTRIBUTE, KEYS, MODES, RELEASE_YEAR, TIME_SIGNATURES

_SLOWEST_STEP = 5_000
_LONGEST_SLIDER = 15 * 60 * 1_000
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


LAST = "Key and time"
"""The title of the last group, which also asks for the title where the models look at it."""


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
_LABELS = {"duration_ms": "Length"}
_CHOICES = (
    ("key", "Key", KEYS),
    ("mode", "Mode", MODES),
    ("time_signature", "Time signature", TIME_SIGNATURES),
)


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
        Choice(name, label, options)
        for name, label, options in _CHOICES
        if getattr(inputs, name) is not None
    ]
    if inputs.release_year is not None and inputs.release_year.low < inputs.release_year.high:
        year = inputs.release_year
        scale.append(
            Slider(
                RELEASE_YEAR.name,
                "Release year",
                RELEASE_YEAR.meaning,
                math.floor(year.low),
                math.ceil(year.high),
                1,
                "%d",
            )
        )
    found = (*sliders, Group(LAST, tuple(scale)))
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


def minutes(milliseconds: int) -> str:
    """A duration as people say it: `3:05`."""
    whole, seconds = divmod(round(milliseconds / 1_000), 60)
    return f"{whole}:{seconds:02d}"


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
    label = _LABELS.get(name, name.capitalize())
    if name == "duration_ms":
        # A file may hold a two-hour mix; a slider that long could not be set to three minutes.
        first = max(math.floor(seen.low / _SLOWEST_STEP) * _SLOWEST_STEP, 1_000)
        last = math.ceil(min(seen.high, max(_LONGEST_SLIDER, seen.low)) / _SLOWEST_STEP)
        options = tuple(range(first, last * _SLOWEST_STEP + 1, _SLOWEST_STEP))
        return Length(name, label, attribute.meaning, options)
    if attribute.unit == "dB":
        step, shown = 0.5, "%.1f dB"
    elif attribute.unit:
        step, shown = 1.0, "%.0f BPM"
    else:
        step, shown = _PERCENT, "percent"
    low = max(math.floor(seen.low / step) * step, attribute.low)
    high = min(math.ceil(seen.high / step) * step, attribute.high)
    return Slider(name, label, attribute.meaning, round(low, 6), round(high, 6), step, shown)
