"""Why a model says what it says of a song, by attributes as a person knows them.

Plain values, so that whoever shows them (the app, a program's JSON, a run's report) needs nothing
fitted. They describe the model, not the world: a model that takes loud songs for popular ones is
reported to do so, and making a song louder need not make it popular. `chartbuster.learn.explain`
finds these values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chartbuster.runs import AttributeRange, Inputs
from chartbuster.songs import ATTRIBUTE, AUDIO_NAMES, KEYS, MODES, TIME_SIGNATURES

ATTRIBUTES = (
    "genre",
    *AUDIO_NAMES,
    "key",
    "mode",
    "time_signature",
    "release_year",
    "title",
    "artist",
)
"""What a prediction is explained by. `title` is what the title tells: live, remix and the like."""

Value = float | str | None

_MOST = 5
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Contribution:
    """By how many points `attribute` moves the prediction away from the typical song's.

    `value` is the song's, `typical` the typical song's: a number in the attribute's unit, or text;
    None where nothing is known. Of a title it is what `TITLE_FLAGS` found there. `assumed` says
    that nobody gave the value: it is the default of the song's genre, or the overall one.
    """

    attribute: str
    value: Value
    typical: Value
    assumed: bool
    points: float

    @property
    def words(self) -> str:
        """As people write it: `loudness −7.1 dB: +3.2`."""
        assumed = " (assumed)" if self.assumed else ""
        return f"{in_words(self.attribute, self.value)}{assumed}: {_signed(self.points)}"


@dataclass(frozen=True)
class Explanation:
    """How one song's prediction comes about; both predictions are popularities, 0 to 100.

    `base` is the prediction for the typical song, of which nothing is known. The points of the
    `contributions`, one for each of ATTRIBUTES and the largest first, add up to `prediction` less
    `base`.
    """

    base: float
    prediction: float
    contributions: tuple[Contribution, ...]

    def why(self, most: int = _MOST) -> tuple[str, ...]:
        """The `most` largest contributions in words, from the base to what all others make."""
        told = [c for c in self.contributions[:most] if _signed(c.points) != _signed(0)]
        rest = self.prediction - self.base - sum(c.points for c in told)
        others = [f"everything else: {_signed(rest)}"] if _signed(rest) != _signed(0) else []
        return (f"a typical song: {self.base:.1f}", *(c.words for c in told), *others)


@dataclass(frozen=True)
class Curve:
    """What is predicted for each of `values` of one attribute, everything else left as it is.

    Of one song (what if?), or the mean over several (how the prediction depends on it).
    """

    attribute: str
    values: tuple[float | str, ...]
    predictions: tuple[float, ...]


@dataclass(frozen=True)
class Importance:
    """By how many points the mean absolute error rises when `attribute` is shuffled among songs.

    `rise` is the mean over several shuffles and `spread` their standard deviation.
    """

    attribute: str
    rise: float
    spread: float


def in_words(attribute: str, value: Value) -> str:
    """A value with its attribute's name and unit: `duration 3:42`, `no genre`."""
    if value is None:
        return "nothing in the title" if attribute == "title" else f"no {named(attribute)}"
    if attribute == "title":
        return f"title says {value}"
    return f"{named(attribute)} {written(attribute, value)}"


def named(attribute: str) -> str:
    """An attribute's name as people write it: `duration`, `time signature`."""
    return attribute.removesuffix("_ms").replace("_", " ")


def written(attribute: str, value: float | str) -> str:
    """A value of an attribute with its unit: `3:42`, `−7.1 dB`, `C#`."""
    if isinstance(value, str):
        return value
    if attribute == "duration_ms":
        minutes, seconds = divmod(round(value / 1000), 60)
        return f"{minutes}:{seconds:02d}"
    known = ATTRIBUTE.get(attribute)
    number = f"{round(value, known.decimals if known else 0):g}".replace("-", _MINUS)
    return f"{number}{f' {known.unit}' if known and known.unit else ''}"


def grids(inputs: Inputs, *, points: int = 25) -> dict[str, tuple[float | str, ...]]:
    """Values to draw a curve over for every attribute the run's songs had.

    `points` evenly spaced ones from the lowest to the highest value of the songs, rounded as the
    attribute is; for the others, every choice.
    """
    found: dict[str, Sequence[float | str]] = {"genre": inputs.genres}
    found |= {
        name: _spaced(seen, points, ATTRIBUTE[name].decimals) for name, seen in inputs.audio.items()
    }
    if inputs.release_year is not None:
        found["release_year"] = _spaced(inputs.release_year, points, 0)
    letters: Mapping[str, tuple[str | None, Sequence[str]]] = {
        "key": (inputs.key, KEYS),
        "mode": (inputs.mode, MODES),
        "time_signature": (inputs.time_signature, TIME_SIGNATURES),
    }
    found |= {name: choices for name, (seen_at_all, choices) in letters.items() if seen_at_all}
    return {name: tuple(found[name]) for name in ATTRIBUTES if found.get(name)}


def _spaced(seen: AttributeRange, points: int, decimals: int) -> list[float]:
    step = (seen.high - seen.low) / max(points - 1, 1)
    inner = [round(seen.low + n * step, decimals) for n in range(1, points - 1)]
    # Rounding must not lead past what the songs had, so the ends are kept as they are.
    return sorted({seen.low, *(min(max(v, seen.low), seen.high) for v in inner), seen.high})


def _signed(points: float) -> str:
    text = f"{points:+.1f}".replace("-", _MINUS)
    return "±0.0" if text in (f"{_MINUS}0.0", "+0.0") else text
