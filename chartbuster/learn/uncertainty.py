"""Intervals and hit probabilities from the errors made on calibration songs.

Split conformal prediction with a predictive distribution (Vovk et al., Nonparametric predictive
distributions based on conformal prediction, 2017), taken separately near several predictions: a
song that is predicted 5 cannot be much less popular, one predicted 70 can. Between two of them the
quantiles are interpolated, so that a slider moves an interval smoothly. With n songs the k-th of
their errors is the quantile k / (n + 1), and beyond the first and the last anything is possible; so
few songs give wide intervals by themselves.

Libraries such as MAPIE and crepes wrap the fitted model; what they would have us store is a pickle,
and what we need of them is the twenty lines of arithmetic below.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from chartbuster.features import GENRE_PREFIX
from chartbuster.learn.bootstrap import Numbers
from chartbuster.outlook import Outlook
from chartbuster.outlooks import Outlooks, Spread

LEVELS = 100
"""Into how many steps of probability a distribution is parted."""
_MOST_CENTRES = 8
_SONGS_PER_CENTRE = 80
_WIDEST = 100.0
_DECIMALS = 4


def spread_of(predicted: Numbers, popularity: Numbers) -> Spread:
    """The spread of `popularity` around `predicted`, both of calibration songs, 0 to 100."""
    parts = min(_MOST_CENTRES, max(1, len(predicted) // _SONGS_PER_CENTRE))
    order = np.argsort(predicted, kind="stable")
    centres: list[float] = []
    quantiles: list[tuple[float, ...]] = []
    for part in np.array_split(order, parts):
        centre = round(float(predicted[part].mean()), _DECIMALS) if len(part) else 0.0
        if centres and centre <= centres[-1]:
            # So many equal predictions that two parts of them have one centre: one is enough.
            continue
        centres.append(centre)
        quantiles.append(_quantiles(popularity[part] - predicted[part]))
    return Spread(tuple(centres), tuple(quantiles), len(predicted))


def _quantiles(errors: Numbers) -> tuple[float, ...]:
    among = np.concatenate([[-_WIDEST], np.sort(errors), [_WIDEST]])
    found = np.interp(np.linspace(0, 1, LEVELS + 1), np.linspace(0, 1, len(among)), among)
    return tuple(np.round(found, _DECIMALS).tolist())


def between(spread: Spread, predicted: Numbers, *, interval: float) -> tuple[Numbers, Numbers]:
    """Below and above which popularity lies in (1 - `interval`) / 2 of the cases each, 0 to 100."""
    errors = _at(spread, predicted)
    tail = (1 - interval) / 2
    low, high = (_column(errors, level) for level in (tail, 1 - tail))
    return (predicted + low).clip(0, 100), (predicted + high).clip(0, 100)


def chance(spread: Spread, predicted: Numbers, *, reaches: float) -> Numbers:
    """The probability, 0 to 1, that popularity is `reaches` or more."""
    errors = _at(spread, predicted)
    needed = reaches - predicted
    # Popularity is a whole number, and an error just below what is needed is none that reaches it.
    below = (errors < needed[:, None]).sum(axis=1)
    rows = np.arange(len(predicted))
    before, after = np.maximum(below - 1, 0), np.minimum(below, LEVELS)
    step = errors[rows, after] - errors[rows, before]
    part = np.divide(needed - errors[rows, before], step, out=np.zeros(len(rows)), where=step > 0)
    probability: Numbers = 1 - (before + part) / LEVELS
    return probability.clip(0, 1)


def _at(spread: Spread, predicted: Numbers) -> Numbers:
    """The quantiles of the error at each prediction: one row per song."""
    centres, table = np.array(spread.centres), np.array(spread.quantiles)
    if len(centres) == 1:
        return np.broadcast_to(table[0], (len(predicted), LEVELS + 1))
    upper = np.searchsorted(centres, predicted).clip(1, len(centres) - 1)
    share = (predicted - centres[upper - 1]) / (centres[upper] - centres[upper - 1])
    share = share.clip(0, 1)[:, None]
    blended: Numbers = (1 - share) * table[upper - 1] + share * table[upper]
    return blended


def _column(errors: Numbers, level: float) -> Numbers:
    """The quantile `level` of each row."""
    place = level * LEVELS
    before = int(np.floor(place + 1e-9))
    after = min(before + 1, LEVELS)
    part = max(0.0, place - before)
    column: Numbers = (1 - part) * errors[:, before] + part * errors[:, after]
    return column


def quantiles(popularity: Numbers) -> tuple[float, ...]:
    """The quantiles of `popularity` from 0 to 1 in equal steps; at least one song."""
    return tuple(np.round(np.quantile(popularity, np.linspace(0, 1, LEVELS + 1)), 2).tolist())


def percentile(among: tuple[float, ...], popularity: Numbers) -> NDArray[np.float64]:
    """What share of songs with the quantiles `among` is less popular, 0 to 100."""
    table = np.array(among)
    below = np.searchsorted(table, popularity, side="left")
    before, after = np.maximum(below - 1, 0), np.minimum(below, LEVELS)
    step = table[after] - table[before]
    part = np.divide(popularity - table[before], step, out=np.zeros(len(step)), where=step > 0)
    found = np.where(below == 0, 0.0, np.where(below > LEVELS, LEVELS, before + part))
    return found * 100.0 / LEVELS


def outlook_of(
    outlooks: Outlooks,
    model: str,
    columns: Sequence[str],
    rows: Numbers,
    *,
    predicted: Numbers,
    known: NDArray[np.bool_],
) -> Outlook:
    """What to make of what `model` said, `predicted`, of rows of the model matrix of `columns`.

    `known` says of each whether the model has met its artist.
    """
    spreads = outlooks.spreads[model]
    low, high, hit = (np.empty(len(predicted)) for _ in range(3))
    for these, spread in ((known, spreads.known), (~known, spreads.debut)):
        if these.any():
            said = predicted[these]
            low[these], high[these] = between(spread, said, interval=outlooks.interval)
            hit[these] = chance(spread, said, reaches=outlooks.hit_from)
    percentiles = _percentiles(outlooks, columns, rows, predicted)
    return Outlook(predicted, low, high, hit, percentiles, known)


def _percentiles(
    outlooks: Outlooks, columns: Sequence[str], rows: Numbers, predicted: Numbers
) -> Numbers:
    """The percentile of each prediction in the song's genres, their mean where it has several."""
    total, genres = np.zeros(len(rows)), np.zeros(len(rows))
    for place, column in enumerate(columns):
        genre = column.removeprefix(GENRE_PREFIX)
        if genre == column or genre not in outlooks.genres:
            continue
        these = rows[:, place] == 1
        if these.any():
            total[these] += percentile(outlooks.genres[genre], predicted[these])
            genres[these] += 1
    found = percentile(outlooks.everywhere, predicted)
    several = genres > 0
    found[several] = total[several] / genres[several]
    return found
