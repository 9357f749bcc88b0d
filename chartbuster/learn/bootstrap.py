"""How far figures would move on other songs: bootstrap intervals over artists or songs.

Groups are drawn whole, because an artist's songs resemble each other and an interval that takes
them for independent is too narrow. Groups are first dealt into at most 1,000 blocks and the blocks
are drawn: a sum over songs then needs one multiplication for all replicates, and its spread is
estimated to about 2 %, whatever the number of songs. The same blocks are drawn for every model, so
that two models are compared on the same draws.

Percentile intervals after Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chartbuster.runs import Interval

type Numbers = NDArray[np.float64]

REPLICATES = 400
MOST_BLOCKS = 1_000
CONFIDENCE = 0.95
_AT_ONCE = 4_000_000
"""Numbers held at a time where every replicate needs one per song: 32 MB."""


@dataclass(frozen=True)
class Draws:
    """`blocks` numbers the block of each song, `counts` how often each replicate drew each block.

    `counts` has one row per replicate and one column per block; each row sums to the blocks.
    """

    blocks: NDArray[np.int64]
    counts: Numbers

    def sums(self, values: Numbers) -> Numbers:
        """The sum of `values`, one per song, or one row per song, in every replicate."""
        table = values.reshape(len(values), -1)
        per_block = np.column_stack(
            [
                np.bincount(self.blocks, weights=column, minlength=self.counts.shape[1])
                for column in table.T
            ]
        )
        return (self.counts @ per_block).reshape(len(self.counts), *values.shape[1:])

    def songs(self) -> Numbers:
        """How many songs every replicate has."""
        return self.sums(np.ones(len(self.blocks)))

    def mean(self, values: Numbers) -> Numbers:
        """The mean of `values`, one per song, in every replicate."""
        return self.sums(values) / self.songs()

    def weights(self, order: NDArray[np.int64]) -> Iterator[Numbers]:
        """How often each of the songs `order` is in each replicate, some replicates at a time."""
        several = max(1, _AT_ONCE // max(1, len(order)))
        blocks = self.blocks[order]
        for first in range(0, len(self.counts), several):
            yield self.counts[first : first + several, blocks]


def draws(groups: NDArray[np.int64], *, seed: int, replicates: int = REPLICATES) -> Draws:
    """`replicates` draws of as many blocks of `groups` (one number per song) as there are.

    The same groups and seed give the same draws.
    """
    generator = np.random.default_rng(seed)
    _, numbered = np.unique(groups, return_inverse=True)
    dealt = generator.permutation(int(numbered.max()) + 1)
    blocks = min(len(dealt), MOST_BLOCKS)
    counts = generator.multinomial(blocks, np.full(blocks, 1 / blocks), size=replicates)
    return Draws(dealt[numbered] % blocks, counts.astype(np.float64))


def interval(replicates: Numbers) -> Interval:
    """The middle 95 % of `replicates`; those that are no number count for nothing."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail])
    return Interval(round(float(low), 6), round(float(high), 6))


def gain(drawn: Draws, before: Numbers, after: Numbers) -> Interval:
    """By how much the mean of `after` is below that of `before`: losses of the same songs."""
    return interval(drawn.mean(before - after))


def r2(drawn: Draws, truth: Numbers, predicted: Numbers) -> Numbers:
    """R2 of predictions in every replicate; NaN where all its songs are equally popular."""
    columns = np.column_stack([np.ones(len(truth)), truth, truth**2, (truth - predicted) ** 2])
    songs, total, squares, errors = drawn.sums(columns).T
    spread = squares - total**2 / songs
    explained = np.divide(errors, spread, out=np.full(len(errors), np.nan), where=spread > 0)
    found: Numbers = 1 - explained
    return found


def correlation(drawn: Draws, one: Numbers, other: Numbers) -> Numbers:
    """Pearson's correlation of two values per song in every replicate; of ranks, Spearman's.

    Ranks stay those among all songs, which moves Spearman's interval by less than its spread does.
    """
    one, other = one - one.mean(), other - other.mean()
    columns = np.column_stack(
        [np.ones(len(one)), one, other, one * one, other * other, one * other]
    )
    songs, a, b, aa, bb, ab = drawn.sums(columns).T
    spread = np.sqrt((aa - a * a / songs).clip(min=0) * (bb - b * b / songs).clip(min=0))
    shared = ab - a * b / songs
    found: Numbers = np.divide(shared, spread, out=np.full(len(shared), np.nan), where=spread > 0)
    return found
