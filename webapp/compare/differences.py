"""What variants differ in, what the models make of it, and how certain that is: in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chartbuster.explanations import ATTRIBUTES, Value
from chartbuster.registry import RunManifest
from chartbuster.songs import ATTRIBUTE
from chartbuster.study import Study
from webapp import words
from webapp.compare.lineup import GENRE, MODEL, Variant, variable
from webapp.predict.naming import label, shown, signed
from webapp.predict.standing import chance

_MOST_TOLD = 8
_MOST_SAID = 2
_WORTH_SAYING = 0.2
_MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Answered:
    """A variant with what its model said of it.

    `letter` is what it goes by, `song` all that the model was asked.
    """

    letter: str
    variant: Variant
    song: Mapping[str, Any]
    study: Study

    @property
    def popularity(self) -> float:
        """The prediction as it is shown, to a tenth."""
        return round(self.study.popularity, 1)


@dataclass(frozen=True)
class Cell:
    """What one variant has, and by how much that is more than the first has; empty if not."""

    value: str
    apart: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a table: what it is about, and a cell for every variant."""

    name: str
    cells: tuple[Cell, ...]


def figures(answered: Sequence[Answered]) -> tuple[Line, ...]:
    """What the models say of the variants; lines nobody has a figure for are left out."""
    lines = [Line("Popularity", _moves([one.popularity for one in answered], plain=True))]
    sure = [one.study.sureness for one in answered]
    known = [one for one in sure if one]
    if known:
        lines += [
            Line(
                f"Between, {odds(known[0].interval)}",
                tuple(Cell(f"{one.low:.0f} to {one.high:.0f}" if one else "") for one in sure),
            ),
            Line(
                f"Chance of a hit ({known[0].hit_from:.0f} or more)",
                tuple(Cell(chance(one.hit) if one else "") for one in sure),
            ),
            Line(
                "Less popular songs of its genres",
                tuple(Cell(f"{one.percentile:.0f}%" if one else "") for one in sure),
            ),
        ]
    return tuple(lines)


def settings(answered: Sequence[Answered], run: RunManifest) -> tuple[Line, ...]:
    """What the variants differ in, and only that; also what follows from another genre."""
    found = []
    for name, title in variable(run).items():
        values = [_value(one, name) for one in answered]
        if all(value == values[0] for value in values[1:]):
            continue
        cells = tuple(
            Cell(
                _shown(run, name, value),
                apart(name, values[0], value),
            )
            for value in values
        )
        found.append(Line(title, cells))
    return tuple(found)


def contributions(answered: Sequence[Answered]) -> tuple[Line, ...]:
    """What moves each prediction, in points, and by how much more than in the first.

    What makes the largest difference comes first, and where nothing differs what moves most. In
    every column the lines add up to the prediction, as shown.
    """
    found = [("A typical song", [one.study.explanation.base for one in answered])]
    by_name = [
        {told.attribute: told.points for told in one.study.explanation.contributions}
        for one in answered
    ]
    named = {name: [points.get(name, 0.0) for points in by_name] for name in ATTRIBUTES}
    moving = [name for name in named if any(round(points, 1) for points in named[name])]
    moving.sort(key=lambda name: (-_spread(named[name]), -max(map(abs, named[name]))))
    found += [(label(name), named[name]) for name in moving[:_MOST_TOLD]]
    lines = [
        Line(title, _moves(points, plain=number == 0))
        for number, (title, points) in enumerate(found)
    ]
    rest = [
        one.popularity - sum(round(points[place], 1) for _, points in found)
        for place, one in enumerate(answered)
    ]
    if any(round(points, 1) for points in rest):
        lines.append(Line("Everything else", _moves(rest)))
    lines.append(
        Line("Predicted popularity", _moves([one.popularity for one in answered], plain=True))
    )
    return tuple(lines)


def verdict(first: Answered, other: Answered, run: RunManifest) -> str:
    """How `other` compares with `first`, why, and how certain it is, as Markdown."""
    points = round(other.popularity - first.popularity, 1)
    if points == 0:
        said = f"**{other.letter}** is predicted as popular as {first.letter}"
        return f"{said}{_because(first, other)}."
    way = "above" if points > 0 else "below"
    size = f"{abs(points):.1f} point{'' if abs(points) == 1 else 's'}"
    said = f"**{other.letter}** is predicted **{size} {way}** {first.letter}"
    return f"{said}{_because(first, other)}. {_certain(first, other, run)}".rstrip()


def advice(answered: Sequence[Answered], run: RunManifest) -> str:
    """What the differences do not say; empty where all of them are large."""
    first = answered[0]
    if any(not _is_large(first, other, run) for other in answered[1:]):
        return (
            "A difference below the usual error, or between intervals that overlap, does not say "
            "which of two songs would really be the more popular."
        )
    return ""


def overlap(first: Answered, other: Answered) -> bool | None:
    """Whether the intervals of the two have a popularity in common; None without intervals."""
    one, two = first.study.sureness, other.study.sureness
    return None if one is None or two is None else one.low <= two.high and two.low <= one.high


def described(first: Answered, other: Answered, run: RunManifest, *, most: int = 2) -> str:
    """What tells `other` from `first` in a few words: `Energy 90%, Tempo 128 BPM`."""
    lines = settings([first, other], run)
    if not lines:
        return f"same as {first.letter}"
    asked = [line for line in lines if _was_set(first, other, line.name, run)] or list(lines)
    told = [
        line.cells[1].value
        if line.name in ("Genre", "Model")
        else f"{line.name} {line.cells[1].value}"
        for line in asked[:most]
    ]
    return ", ".join(told) + (f" and {len(asked) - most} more" if len(asked) > most else "")


def odds(interval: float) -> str:
    """How often something holds: `9 times in 10`, `95 times in 100`."""
    tenths = interval * 10
    if abs(tenths - round(tenths)) < 1e-9:
        return f"{round(tenths)} times in 10"
    return f"{interval * 100:.0f} times in 100"


def apart(name: str, before: Value, after: Value) -> str:
    """By how much an attribute is more, with its sign: `+20`, `−0:30`, `+2.0 dB`; text: nothing."""
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return ""
    if shown(name, before) == shown(name, after):
        return ""
    size = shown(name, abs(after - before))
    known = ATTRIBUTE.get(name)
    if known is not None and not known.unit:
        # Two percentages are apart by points, not by per cent.
        size = size.removesuffix("%")
    return f"{'+' if after > before else _MINUS}{size}"


def _value(one: Answered, name: str) -> Any:
    if name == MODEL:
        return one.variant.asked.model
    value = one.song.get(name)
    return tuple(value) if name == GENRE and value else value


def _shown(run: RunManifest, name: str, value: Any) -> str:
    if name == MODEL:
        return run.model(value).title
    if name == GENRE:
        return ", ".join(value) if value else "none"
    return shown(name, value)


def _was_set(first: Answered, other: Answered, title: str, run: RunManifest) -> bool:
    """Whether somebody set it so, or it only follows from the genre."""
    name = next(name for name, told in variable(run).items() if told == title)
    return name == MODEL or name in other.variant.song or name in first.variant.song


def _spread(points: Sequence[float]) -> float:
    return max(abs(value - points[0]) for value in points)


def _moves(points: Sequence[float], *, plain: bool = False) -> tuple[Cell, ...]:
    say: Callable[[float], str] = (lambda value: f"{value:.1f}") if plain else signed
    more = [round(round(value, 1) - round(points[0], 1), 1) for value in points]
    return tuple(
        Cell(say(value), signed(apart) if apart else "")
        for value, apart in zip(points, more, strict=True)
    )


def _because(first: Answered, other: Answered) -> str:
    """The attributes that make most of the difference, in brackets their points."""
    before = {one.attribute: one.points for one in first.study.explanation.contributions}
    moved = [
        (one.attribute, one.points - before.get(one.attribute, 0.0))
        for one in other.study.explanation.contributions
    ]
    moved.sort(key=lambda move: -abs(move[1]))
    told = [
        f"{label(name).lower()} ({signed(points)})"
        for name, points in moved[:_MOST_SAID]
        if round(points, 1) and abs(points) >= _WORTH_SAYING * abs(moved[0][1])
    ]
    if other.variant.asked.model != first.variant.asked.model:
        return ", by another model" + (f": {' and '.join(told)}" if told else "")
    return f", most of all by {' and '.join(told)}" if told else ""


def _usual_error(first: Answered, other: Answered, run: RunManifest) -> float | None:
    """By how much the models asked are usually wrong, the worse of them; None if not measured."""
    asked = {one.variant.asked.model for one in (first, other)}
    scores = [words.deciding_scores(run.model(name)) for name in asked if name]
    return max((score.mae for score in scores if score), default=None)


def _is_large(first: Answered, other: Answered, run: RunManifest) -> bool:
    usual = _usual_error(first, other, run) or 0.0
    return abs(other.popularity - first.popularity) >= usual and not overlap(first, other)


def _certain(first: Answered, other: Answered, run: RunManifest) -> str:
    """How the difference compares with the usual error, and the intervals with one another."""
    points = abs(other.popularity - first.popularity)
    usual, shared = _usual_error(first, other, run), overlap(first, other)
    overlapping = {True: "their intervals overlap", False: "their intervals do not overlap"}
    said = [overlapping[shared]] if shared is not None else []
    if usual is not None:
        size = "less" if points < usual else "more"
        said.insert(0, f"that is {size} than the usual error of {usual:.1f} points")
    told = ", and ".join(said)
    return f"{told[:1].upper()}{told[1:]}." if told else ""
