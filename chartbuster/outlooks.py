"""What a run knows of its models' errors: the file `outlook.json` of a run.

Plain numbers, so that intervals and hit probabilities need no fitted object.
"""

from collections.abc import Mapping
from dataclasses import dataclass

OUTLOOK = "outlook.json"
"""The file's name among a run's files."""


@dataclass(frozen=True)
class Spread:
    """How popularity scatters around predictions near each of `centres`, which rise.

    Row n of `quantiles` belongs to `centres[n]`: quantiles of popularity minus prediction, from 0
    to 1 in equal steps. `songs` is how many songs they come from, none of which was fitted on.
    """

    centres: tuple[float, ...]
    quantiles: tuple[tuple[float, ...], ...]
    songs: int


@dataclass(frozen=True)
class Spreads:
    """A model's spread for artists it has not met, and for those it has."""

    debut: Spread
    known: Spread


@dataclass(frozen=True)
class Outlooks:
    """What intervals, hit probabilities and percentiles come from.

    `interval` is how often a song is to be within its own, `hit_from` the popularity of a hit.
    `spreads` is by the models' names. `genres` holds the quantiles of popularity in each genre and
    `everywhere` those in all songs, from 0 to 1 in equal steps.
    """

    interval: float
    hit_from: float
    spreads: Mapping[str, Spreads]
    genres: Mapping[str, tuple[float, ...]]
    everywhere: tuple[float, ...]
