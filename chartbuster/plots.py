"""Small plots as SVG for inside a page: values in, markup out, nothing fitted and nothing drawn by
a browser's script.

Every plot is 360 units wide, so that its letters can still be read on a telephone. It has a title
and a description for those who do not see it. Colours are classes (`s1`, `s2`, `axis`, ...) that
`style` fills in from the page's own, for light, dark and paper.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chartbuster.markup import Markup, element, joined

WIDTH = 360
"""How wide every plot is, in its own units."""

# As wide as letters of the widest common fonts are on average; the page has no way to measure.
_LETTER = 6.9
_TOP = 8
_KEY = 20
_AXIS = 36
_ROW = 21
_LABELS = 19 * _LETTER
# Few letters are not as wide as the average of many: C# takes more room than two of them.
_SHORT = 4 * _LETTER
_LOW = 120.0
_STEPS = (1.0, 2.0, 5.0)


@cache
def style() -> str:
    """The plots' style sheet; the page gives it --ink, --quiet, --rule, --teal and --second."""
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """At most `most` round numbers from `low` to `high`, evenly apart by 1, 2 or 5 times 10^n.

    One number where `low` and `high` are the same. Raises `ValueError` when they are not in order
    or not finite.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low <= high and most > 1):
        raise ValueError(f"ticks from {low} to {high}, {most} of them; expected finite, in order")
    if low == high:
        return (low,)
    power = math.floor(math.log10((high - low) / most)) - 1
    while True:
        for step in _STEPS:
            size = step * 10.0**power
            first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
            if last - first + 1 <= most:
                # Rounded, because 3 * 0.1 is not 0.3; and never minus zero.
                digits = max(0, -power)
                return tuple(round(n * size, digits) + 0.0 for n in range(first, last + 1))
        power += 1


def log_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """At most `most` numbers that are 1, 2 or 5 times 10^n, or the powers alone, `low` to `high`.

    Both must be above zero. Where fewer than two such numbers lie between them, they are evenly
    apart as `ticks` has them.
    """
    if not 0 < low <= high < math.inf:
        raise ValueError(f"log ticks from {low} to {high}; expected finite, above zero, in order")
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in (_STEPS, (1.0, 3.0), (1.0,)):
        found = [step * 10.0**power for power in powers for step in steps]
        inside = tuple(round(value, 12) for value in found if low * 0.999 <= value <= high * 1.001)
        if 2 <= len(inside) <= most:
            return inside
    return ticks(low, high, most) if len(inside) < 2 else inside[:: -(-len(inside) // most)]


def tick_labels(values: Sequence[float], *, grouped: bool = True) -> tuple[str, ...]:
    """The numbers as text, all with as many decimals as the finest of them needs.

    Thousands are set apart where `grouped`, which years are not.
    """
    decimals = max((_decimals(value) for value in values), default=0)
    kind = f"{',' if grouped else ''}.{decimals}f"
    return tuple(f"{value:{kind}}".replace("-", "−") for value in values)


def _decimals(value: float) -> int:
    return next((n for n in range(7) if math.isclose(value, round(value, n), abs_tol=1e-9)), 7)


@dataclass(frozen=True)
class Scale:
    """Where values lie on an axis: `low` at `start`, `high` at `end`, in the plot's units.

    `most` is how many ticks there is room for.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    most: int = 6

    def __call__(self, value: float) -> float:
        low, high, at = self.low, self.high, value
        if self.log:
            low, high, at = math.log10(low), math.log10(high), math.log10(value)
        part = 0.5 if high == low else (at - low) / (high - low)
        return self.start + min(max(part, 0.0), 1.0) * (self.end - self.start)

    @property
    def ticks(self) -> tuple[float, ...]:
        draw = log_ticks if self.log else ticks
        return draw(self.low, self.high, self.most)


@dataclass(frozen=True)
class Mark:
    """A value, and the interval around it where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Row:
    """A line of a `rows` plot: its name, and per series its mark or None."""

    label: str
    marks: tuple[Mark | None, ...]


@dataclass(frozen=True)
class Line:
    """A line of a `lines` plot: its name, and its points from left to right."""

    label: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class About:
    """What a plot is: a `name` that is its own within the page, its title, and what it shows."""

    name: str
    title: str
    says: str


def rows(
    about: About,
    lines: Sequence[Row],
    *,
    series: Sequence[str],
    axis: str,
    beside: float | None = None,
    zero: bool = False,
    tied: bool = False,
) -> Markup:
    """One row per name, with a mark per series and its interval on a shared axis.

    `beside` draws a line across all rows to compare with, `zero` makes the axis begin at zero and
    ties every mark to it, `tied` ties the marks of one row to one another.
    """
    values = [
        value
        for line in lines
        for mark in line.marks
        if mark is not None
        for value in (mark.value, mark.low, mark.high)
        if value is not None
    ]
    values += [beside] if beside is not None else []
    values += [0.0] if zero else []
    letters = max(_length(line.label) for line in lines)
    labels = min(max(letters * _LETTER, _SHORT), _LABELS)
    top = _TOP + (_KEY if len(series) > 1 else 0)
    bottom = top + _ROW * len(lines)
    across = _scale(values, start=labels + 10, end=WIDTH - 14)
    parts = [_key(series) if len(series) > 1 else Markup(), _below(across, top, bottom, axis)]
    if beside is not None:
        parts.append(_line(across(beside), top, across(beside), bottom, "beside"))
    if zero and across.low < 0:
        parts.append(_line(across(0), top, across(0), bottom, "axis"))
    for number, line in enumerate(lines):
        middle = top + _ROW * (number + 0.5)
        parts.append(_row_label(line.label, labels, middle))
        there = [(place, mark) for place, mark in enumerate(line.marks) if mark is not None]
        if tied and len(there) > 1:
            ends = sorted(across(mark.value) for _, mark in there)
            parts.append(_line(ends[0], middle, ends[-1], middle, "tie"))
        for place, mark in there:
            # Marks with intervals are set apart, or one would hide the other.
            spread = 0.0 if tied or len(series) == 1 else (place - (len(series) - 1) / 2) * 8
            y, colour = middle + spread, f"s{place + 1}"
            if zero:
                parts.append(_line(across(0), y, across(mark.value), y, f"stem {colour}"))
            if mark.low is not None and mark.high is not None:
                parts.append(_line(across(mark.low), y, across(mark.high), y, f"range {colour}"))
            parts.append(_dot(across(mark.value), y, place))
    return _svg(about, bottom + _AXIS, parts)


def lines(
    about: About,
    drawn: Sequence[Line],
    *,
    across: str,
    up: str,
    log: bool = False,
    square: tuple[float, float] | None = None,
) -> Markup:
    """Lines with their points over an axis `across`, logarithmic if `log`.

    `square` gives both axes the same ends and draws the diagonal on which they agree.
    """
    xs = [x for line in drawn for x, _ in line.points]
    ys = [y for line in drawn for _, y in line.points]
    top = _TOP + (_KEY if len(drawn) > 1 else 4)
    left, right, bottom = 52.0, WIDTH - 16.0, top + (WIDTH - 68.0 if square else 190.0)
    if square:
        horizontal, vertical = Scale(*square, left, right), Scale(*square, bottom, top)
    else:
        horizontal = Scale(min(xs), max(xs), left + 10, right - 10, log)
        vertical = _scale(ys, start=bottom, end=top)
    parts = [_key([line.label for line in drawn]) if len(drawn) > 1 else Markup()]
    parts += [_below(horizontal, top, bottom, across), _beside(vertical, left, right, up)]
    if square:
        parts.append(_line(left, bottom, right, top, "beside"))
    for place, line in enumerate(drawn):
        at = [(horizontal(x), vertical(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        parts.append(element("polyline", points=path, class_=f"line s{place + 1}"))
        parts += [_dot(x, y, place) for x, y in at]
    return _svg(about, bottom + _AXIS, parts)


def heat(
    about: About, counts: Sequence[Sequence[int]], *, high: float, across: str, up: str
) -> Markup:
    """Counts as a square of cells, row 0 at the bottom; the more there are, the stronger the cell.

    Both axes go from zero to `high`; the line is the diagonal on which they agree. Strength is by
    the square root, so that a few songs can still be seen beside many.
    """
    left, top, right = 52.0, 12.0, WIDTH - 16.0
    bottom = top + right - left
    horizontal, vertical = Scale(0, high, left, right), Scale(0, high, bottom, top)
    most = max((count for row in counts for count in row), default=0)
    side = (right - left) / max(len(counts), 1)
    cells = [
        element(
            "rect",
            x=left + side * column,
            y=bottom - side * (row + 1),
            width=side,
            height=side,
            fill_opacity=0.08 + 0.92 * math.sqrt(count / most),
        )
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if count
    ]
    parts = [_below(horizontal, top, bottom, across), _beside(vertical, left, right, up)]
    parts.append(element("g", *cells, class_="cells"))
    parts.append(_line(left, bottom, right, top, "beside"))
    return _svg(about, bottom + _AXIS, parts)


def histogram(
    about: About,
    counts: Sequence[int],
    *,
    low: float,
    high: float,
    across: str,
    up: str,
    beside: float | None = None,
    grouped: bool = True,
    tall: float = 190.0,
) -> Markup:
    """How many there are in each of equally wide bins from `low` to `high`, as bars on zero.

    `beside` draws a line across to compare with; `grouped` sets thousands apart on the axis
    `across`; `tall` is the height of the tallest bar in the plot's units. Raises `ValueError` when
    there is no bin.
    """
    if not counts:
        raise ValueError("a histogram of no bins; expected at least one")
    right, top = WIDTH - 16.0, _TOP + 4.0
    bottom = top + tall
    vertical = Scale(0, max(*counts, 1), bottom, top, most=6 if tall > _LOW else 3)
    left = 26.0 + _LETTER * max(map(_length, tick_labels(vertical.ticks)))
    horizontal = Scale(low, high, left, right)
    side = (right - left) / len(counts)
    # A little room between bars tells them apart; a bin that holds anything can be seen.
    bars = [
        element(
            "rect",
            x=left + side * place + 0.5,
            y=bottom - tallness,
            width=side - 1,
            height=tallness,
        )
        for place, count in enumerate(counts)
        if count
        for tallness in [max(bottom - vertical(count), 1.0)]
    ]
    parts = [
        _below(horizontal, top, bottom, across, grouped=grouped),
        _beside(vertical, left, right, up),
    ]
    parts += [element("g", *bars, class_="bars"), _line(left, bottom, right, bottom, "axis")]
    if beside is not None:
        parts.append(_line(horizontal(beside), top, horizontal(beside), bottom, "beside"))
    return _svg(about, bottom + _AXIS, parts)


def _svg(about: About, height: float, parts: Sequence[str]) -> Markup:
    title, says = f"{about.name}-title", f"{about.name}-says"
    return element(
        "svg",
        element("title", about.title, id=title),
        element("desc", about.says, id=says),
        *parts,
        viewBox=f"0 0 {WIDTH} {height:.0f}",
        role="img",
        aria_labelledby=f"{title} {says}",
    )


def _scale(values: Sequence[float], *, start: float, end: float) -> Scale:
    """A scale that holds all values, with a little room beyond them."""
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 0.5
    return Scale(low - room, high + room, start, end)


def _below(scale: Scale, top: float, bottom: float, label: str, *, grouped: bool = True) -> Markup:
    """The axis under a plot: lines through it, numbers, and what they are."""
    marks = scale.ticks
    return joined(
        *(_line(scale(mark), top, scale(mark), bottom, "grid") for mark in marks),
        *(
            _words(scale(mark), bottom + 14, shown, anchor="middle")
            for mark, shown in zip(marks, tick_labels(marks, grouped=grouped), strict=True)
        ),
        _words((scale.start + scale.end) / 2, bottom + 30, label, anchor="middle"),
    )


def _beside(scale: Scale, left: float, right: float, label: str) -> Markup:
    """The axis left of a plot."""
    marks = scale.ticks
    middle = (scale.start + scale.end) / 2
    return joined(
        *(_line(left, scale(mark), right, scale(mark), "grid") for mark in marks),
        *(
            _words(left - 6, scale(mark) + 4, shown, anchor="end")
            for mark, shown in zip(marks, tick_labels(marks), strict=True)
        ),
        element(
            "text",
            label,
            x=0,
            y=0,
            text_anchor="middle",
            transform=f"translate(12 {middle:.1f}) rotate(-90)",
        ),
    )


def _key(series: Sequence[str]) -> Markup:
    """Which mark is whose, in one line at the top."""
    parts, x = [], 8.0
    for place, name in enumerate(series):
        parts += [_dot(x, _TOP + 2, place), _words(x + 9, _TOP + 6, name)]
        x += 9 + _length(name) * _LETTER + 18
    return joined(*parts)


def _row_label(label: str, width: float, middle: float) -> Markup:
    letters = round(width / _LETTER)
    shown = label if _length(label) <= letters else _cut(label, letters - 1) + "…"
    return _words(width, middle + 4, shown, anchor="end")


def _length(label: str) -> int:
    """How wide a label is, in letters: those of East Asia take two, accents on their own none."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in label
    )


def _cut(label: str, letters: int) -> str:
    while _length(label) > letters:
        label = label[:-1]
    return label.rstrip()


def _words(x: float, y: float, shown: str, *, anchor: str | None = None) -> Markup:
    return element("text", shown, x=x, y=y, text_anchor=anchor)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def _circle(x: float, y: float, kind: str) -> Markup:
    return element("circle", cx=x, cy=y, r=4.5, class_=kind)


def _square(x: float, y: float, kind: str) -> Markup:
    return element("rect", x=x - 4, y=y - 4, width=8, height=8, class_=kind)


_SHAPES: Sequence[Callable[[float, float, str], Markup]] = (_circle, _square)


def _dot(x: float, y: float, place: int) -> Markup:
    """The mark of a series: shape and colour both tell it, for those who see no colours."""
    return _SHAPES[place % len(_SHAPES)](x, y, f"dot s{place + 1}")
