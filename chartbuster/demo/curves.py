"""One quantile curve per genre and attribute, through the published quantiles.

A curve goes through the published quantiles. Two shapes are left free, and they bring its mean and
standard deviation near the published ones: how it bends between two quantiles, and how far its
upper tail reaches. What is then missing in the mean is made up by a factor. It is near 1: quantiles
and means were published for different sets of tracks, the smaller a sample of the larger.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from chartbuster.demo.figures import Figures, Floats, published

# Loudness has its long tail at the quiet end, so it is handled as the distance below this level.
LOUDEST_DB = 4.0
_TAIL_POWER = 3.0  # the upper tail is q95 + reach * t**3: most of it close, a few songs far out
_BENDS = (-1.4, 1.4)  # of the logarithm of the exponent; 0 is a straight line
_SHORTEST_TAIL = 0.15  # of the way from q75 to q95, so that no curve ends in a spike
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(12)


@dataclass(frozen=True, eq=False)
class Curves:
    """Quantile functions of G genres and A attributes, in K segments each.

    Between two knots a curve is a straight line in `value ** exponent`; the last segment is the
    tail. Below `zero_below` the value is 0.
    """

    levels: Floats  # (G, A, K + 1) from 0 to 1
    values: Floats  # (G, A, K) at every level but the last
    exponent: Floats  # (G, A)
    reach: Floats  # (G, A)
    scale: Floats  # (G, A), the unit of values and reach
    zero_below: Floats  # (G, A)
    highest: Floats  # (A,)
    mirrored: tuple[bool, ...]  # (A,)

    def at(self, attribute: int, genre: NDArray[np.int64], level: Floats) -> Floats:
        """The values (N,) of one attribute at `level` (N,), each in (0, 1), for `genre` (N,)."""
        if self.mirrored[attribute]:
            level = 1 - level
        levels = self.levels[genre, attribute]
        segments = self.values.shape[2]
        above = np.maximum(level, levels[:, 0])  # the zeros are set at the end
        segment = (above[:, None] >= levels[:, 1:segments]).sum(axis=1)
        rows = np.arange(len(level))
        start = levels[rows, segment]
        part = (above - start) / (levels[rows, segment + 1] - start)
        exponent = self.exponent[genre, attribute]
        powers = self.values[:, attribute] ** self.exponent[:, attribute, None]  # (G, K)
        low = powers[genre, segment]
        high = powers[genre, np.minimum(segment + 1, segments - 1)]
        value = (low + (high - low) * part) ** (1 / exponent)
        tail = segment == segments - 1
        value[tail] += (self.reach[genre, attribute] * part**_TAIL_POWER)[tail]
        value *= self.scale[genre, attribute]
        value = np.minimum(value, self.highest[attribute])
        value[level < self.zero_below[genre, attribute]] = 0.0
        return np.asarray(LOUDEST_DB - value if self.mirrored[attribute] else value)


@cache
def fitted() -> Curves:
    """The curves of the published figures; the same object every time."""
    return fit(published())


def fit(figures: Figures) -> Curves:
    """Fit every curve at once: mean and standard deviation in turns, the factor last."""
    mirrored = tuple(name == "loudness" for name in figures.attributes)
    flip = np.array(mirrored)
    quantiles = figures.quantiles.copy()
    quantiles[:, flip] = LOUDEST_DB - quantiles[:, flip, ::-1]
    mean = np.where(flip, LOUDEST_DB - figures.mean, figures.mean)
    lowest = np.where(flip, LOUDEST_DB - figures.highest, figures.lowest)
    highest = np.where(flip, LOUDEST_DB - figures.lowest, figures.highest)

    zero_below = np.zeros_like(mean)
    zero_below[:, figures.attributes.index("popularity")] = figures.zero_share
    lowest[figures.attributes.index("popularity")] = 1.0  # of the songs that are not at zero

    first = np.maximum(lowest, 2 * quantiles[..., 0] - quantiles[..., 1])
    levels, values = _knots(figures.quantile_levels, zero_below, first, quantiles)
    scale = values[..., -1].copy()
    scale[scale == 0] = 1.0
    values /= scale[..., None]
    mean, std = mean / scale, figures.std / scale
    longest = np.maximum(highest / scale - values[..., -1], 0.0)
    shortest = np.minimum(_SHORTEST_TAIL * (values[..., -1] - values[..., -2]), longest)

    reach = shortest
    exponent = np.ones_like(mean)
    for _ in range(12):
        exponent = _exponent_for(mean, levels, values, reach)
        reach = _reach_for(std, levels, values, exponent, shortest, longest)
    factor = np.ones_like(mean)
    for _ in range(60):  # more than once, because what would pass the highest value is cut off
        reached = _moments(levels, values, exponent, reach, highest / scale / factor)[0] * factor
        factor *= mean / reached
    scale *= factor
    return Curves(levels, values, exponent, reach, scale, zero_below, highest, mirrored)


def _knots(
    at: Floats, zero_below: Floats, first: Floats, quantiles: Floats
) -> tuple[Floats, Floats]:
    """Levels (G, A, Q + 2) and values (G, A, Q + 1) of the part of each curve above zero.

    A quantile that lies in the zeros becomes an empty segment where that part begins.
    """
    inner = np.broadcast_to(at, quantiles.shape)
    start = zero_below[..., None]
    covered = inner <= start
    values = np.where(covered, first[..., None], np.maximum(quantiles, first[..., None]))
    levels = np.maximum(inner, start)
    one = np.ones_like(start)
    return (
        np.concatenate([start, levels, one], axis=-1),
        np.concatenate([first[..., None], values], axis=-1),
    )


def _moments(
    levels: Floats,
    values: Floats,
    exponent: Floats,
    reach: Floats,
    cut: Floats | float = np.inf,
) -> tuple[Floats, Floats]:
    """Mean and mean square (G, A) of each curve, the zeros included, cut off at `cut` (G, A)."""
    part = (_POINTS + 1) / 2
    powers = values ** exponent[..., None]
    low, high = powers[..., :-1, None], powers[..., 1:, None]
    body = (low + (high - low) * part) ** (1 / exponent[..., None, None])
    tail = values[..., -1:, None] + reach[..., None, None] * part**_TAIL_POWER
    value = np.minimum(np.concatenate([body, tail], axis=-2), np.asarray(cut)[..., None, None])
    weight = np.diff(levels)[..., None] * _WEIGHTS / 2
    return (value * weight).sum(axis=(-1, -2)), (value**2 * weight).sum(axis=(-1, -2))


def _exponent_for(mean: Floats, levels: Floats, values: Floats, reach: Floats) -> Floats:
    low, high = (np.full_like(mean, bound) for bound in _BENDS)
    for _ in range(30):
        middle = (low + high) / 2
        below = _moments(levels, values, np.exp(middle), reach)[0] < mean
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(np.exp((low + high) / 2), dtype=np.float64)


def _reach_for(
    std: Floats,
    levels: Floats,
    values: Floats,
    exponent: Floats,
    shortest: Floats,
    longest: Floats,
) -> Floats:
    low, high = shortest, longest
    for _ in range(30):
        middle = (low + high) / 2
        mean, square = _moments(levels, values, exponent, middle)
        below = square - mean**2 < std**2
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
