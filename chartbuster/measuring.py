"""From a column of texts to numbers in the units of `chartbuster.songs`.

What cannot be read or lies outside an attribute's range becomes missing and is counted; the unit of
a column that does not name it is settled by its values, and the rule that did so is reported.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from chartbuster import values
from chartbuster.columns import Understood
from chartbuster.reading import Column
from chartbuster.songs import ATTRIBUTE

type Floats = NDArray[np.float64]

_MOST_EXAMPLES = 3
_LONGEST_EXAMPLE = 60
_LONGEST_IN_MINUTES = 25.0
_LONGEST_IN_SECONDS = 7_200.0
_DECIMALS = 9

MILLISECONDS = {"ms": 1.0, "s": 1_000.0, "min": 60_000.0}
"""The milliseconds of a duration's unit."""


@dataclass(frozen=True)
class Loss:
    """What did not become a value: how many cells hold nothing, how many cannot be read.

    `missing` counts empty cells and stand-ins, `unreadable` texts that mean nothing of the kind or
    lie out of range; `examples` are up to three of the latter. `unit` is the one that was read.
    """

    missing: int
    unreadable: int = 0
    examples: tuple[str, ...] = ()
    unit: str | None = None


@dataclass(frozen=True)
class Measured:
    """The values of one column, NaN where missing, and what was lost on the way.

    `unreadable` says of each row whether its cell holds something that did not become a value.
    """

    values: Floats
    loss: Loss
    unreadable: NDArray[np.bool_]


@dataclass(frozen=True)
class Units:
    """The units of the columns that do not name theirs, settled by the values of some rows.

    `percent` are the shares (0 to 1) written as 0 to 100; `duration` is `ms`, `s` or `min`.
    """

    percent: frozenset[str]
    duration: str | None


class Meanings:
    """What the distinct texts of a column mean, each worked out once; NaN where nothing."""

    def __init__(self, column: Column, meaning: Callable[[str], float | None]) -> None:
        self._column = column
        self.texts = [text.strip() for text in column.texts]
        self.meant: Floats = np.array(list(map(meaning, self.texts)), dtype=np.float64)
        # No stand-in means anything, so only what means nothing is looked up.
        self.absent = np.zeros(len(self.texts), dtype=bool)
        for place in np.flatnonzero(np.isnan(self.meant)):
            self.absent[place] = values.is_stand_in(self.texts[place])
        self.meant[np.isinf(self.meant)] = np.nan  # `1e999` is a number, but none of ours
        self.counts = column.counts()

    def measured(
        self,
        *,
        low: float,
        high: float,
        nothing: float | None = None,
        factor: float = 1.0,
        unit: str | None = None,
    ) -> Measured:
        """Every cell's meaning times `factor`, within `low` to `high`.

        A meaning equal to `nothing` (Spotify's -1 for 'no key') is missing, not unreadable.
        """
        absent = self.absent if nothing is None else self.absent | (self.meant == nothing)
        # Nine decimals are beyond what any export has, and undo the noise of the multiplication.
        scaled = self.meant if factor == 1.0 else np.round(self.meant * factor, _DECIMALS)
        usable = ~absent & (scaled >= low) & (scaled <= high)
        # Texts of rows that were left out may have no row any more.
        unreadable = ~absent & ~usable & (self.counts > 0)
        return Measured(
            values=np.where(usable, scaled, np.nan)[self._column.codes],
            loss=Loss(
                missing=int(self.counts[absent].sum()),
                unreadable=int(self.counts[unreadable].sum()),
                examples=tuple(
                    self.texts[place][:_LONGEST_EXAMPLE]
                    for place in np.flatnonzero(unreadable)[:_MOST_EXAMPLES]
                ),
                unit=unit,
            ),
            unreadable=unreadable[self._column.codes],
        )

    def is_percent(self, *, percent_table: bool = False) -> bool:
        """Whether shares (0 to 1) are written as 0 to 100, going by the cells.

        They are when most cells say percent or most values are above 1. In a table with such a
        column, a column of whole numbers is as well: an `instrumentalness` that is mostly 0 cannot
        show its scale by itself.
        """
        readable = np.isfinite(self.meant)
        most = self.counts[readable].sum() / 2
        if not most:
            return False
        marked = np.array([text.endswith("%") for text in self.texts], dtype=bool)
        above = readable & (self.meant > 1)
        if self.counts[marked].sum() > most or self.counts[above].sum() > most:
            return True
        found = self.meant[readable]
        return percent_table and bool((found == np.round(found)).all())


def measured(
    column: Column,
    meaning: Callable[[str], float | None],
    *,
    low: float,
    high: float,
    nothing: float | None = None,
) -> Measured:
    """Every cell of `column` by its `meaning`, within `low` to `high`; see `Meanings.measured`."""
    return Meanings(column, meaning).measured(low=low, high=high, nothing=nothing)


def absent(rows: int) -> Measured:
    """A field the table has no column for: missing in every one of `rows`."""
    return Measured(np.full(rows, np.nan), Loss(missing=rows), np.zeros(rows, dtype=bool))


def shares(
    columns: Mapping[str, tuple[Column, Understood]], percent: frozenset[str] | None = None
) -> dict[str, Measured]:
    """The attributes that run from 0 to 1, by name; one scale is settled for the whole table.

    `percent` are those written as 0 to 100, where that was settled before.
    """
    meanings = {name: Meanings(column, values.number) for name, (column, _) in columns.items()}
    if percent is None:
        percent = _percent(columns, meanings)
    return {
        name: found.measured(
            low=ATTRIBUTE[name].low,
            high=ATTRIBUTE[name].high,
            factor=0.01 if name in percent else 1.0,
            unit="percent" if name in percent else None,
        )
        for name, found in meanings.items()
    }


def units(columns: Mapping[str, tuple[Column, Understood]], *, share: Collection[str]) -> Units:
    """What the values of `columns`, by field, say of their units; `share` names those of 0 to 1."""
    given = {name: columns[name] for name in columns if name in share}
    duration = columns.get("duration_ms")
    return Units(
        percent=_percent(
            given, {name: Meanings(column, values.number) for name, (column, _) in given.items()}
        ),
        duration=duration and _unit_of(duration[0], duration[1].unit),
    )


def _percent(
    columns: Mapping[str, tuple[Column, Understood]], meanings: Mapping[str, Meanings]
) -> frozenset[str]:
    percent = {
        name
        for name, (_, understood) in columns.items()
        if understood.unit == "percent" or meanings[name].is_percent()
    }
    more = {name for name in columns if percent and meanings[name].is_percent(percent_table=True)}
    return frozenset(percent | more)


def durations(column: Column, named: str | None) -> Measured:
    """Durations in whole milliseconds; `m:ss` is understood in a column of any unit.

    Without a unit in the column's name, the median speaks: up to 25 it is minutes, up to 7,200
    seconds, above that milliseconds.
    """
    unit = _unit_of(column, named)
    factor = MILLISECONDS[unit]

    def milliseconds(text: str) -> float | None:
        if ":" in text:
            seconds = values.clock(text)
            return None if seconds is None else float(round(seconds * 1_000))
        # A comma separates thousands of milliseconds, but decimals of minutes.
        value = values.number(text, whole=unit == "ms")
        return None if value is None or not isfinite(value) else float(round(value * factor))

    bounds = ATTRIBUTE["duration_ms"]
    return Meanings(column, milliseconds).measured(low=bounds.low, high=bounds.high, unit=unit)


def _unit_of(column: Column, named: str | None) -> str:
    return named if named in MILLISECONDS else _duration_unit(column)


def _duration_unit(column: Column) -> str:
    """The unit the magnitude of a duration column speaks for; `m:ss` cells are left aside."""
    found = Meanings(column, lambda text: values.number(text, whole=True))
    readable = found.meant > 0
    if not readable.any():
        return "s"
    middle = float(np.median(np.repeat(found.meant[readable], found.counts[readable])))
    if middle <= _LONGEST_IN_MINUTES:
        return "min"
    return "s" if middle <= _LONGEST_IN_SECONDS else "ms"
