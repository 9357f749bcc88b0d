"""Who made which song: artists belong to one genre and have very unequal numbers of songs."""

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from chartbuster.demo.figures import Figures, Floats, published

_WIDEST = 4.0
_MOST = 1.8  # standard deviations above the usual; more, and one artist would fill a genre


@dataclass(frozen=True, eq=False)
class Population:
    """The artists there are to choose from, per genre (G,).

    An artist's share of a genre's songs is log-normal with its far end cut off: `spread` is the
    standard deviation of the logarithm.
    """

    artists: NDArray[np.int64]
    spread: Floats


@cache
def published_population() -> Population:
    """The population of the published figures; the same object every time."""
    return population(published())


def population(figures: Figures) -> Population:
    """As many artists as the whole file has, so spread that a sample shows as many as it did.

    Artists of several genres were counted in each; here an artist has one genre, so the counts per
    genre are reduced in proportion.
    """
    counted = figures.artists.sum()
    artists = np.rint(figures.artists * (figures.artists_in_all / counted)).astype(np.int64)
    wanted = figures.artists * (figures.artists_in_sample / counted)
    low, high = np.zeros(len(artists)), np.full(len(artists), _WIDEST)
    for _ in range(30):
        middle = (low + high) / 2
        too_many = _seen(artists, figures.songs, middle) > wanted
        low, high = np.where(too_many, middle, low), np.where(too_many, high, middle)
    return Population(artists, np.round((low + high) / 2, 6))


def _seen(artists: NDArray[np.int64], songs: NDArray[np.int64], spread: Floats) -> Floats:
    """Expected number of distinct artists (G,) behind `songs` songs."""
    normal = NormalDist()
    points = np.array([normal.inv_cdf((index + 0.5) / 400) for index in range(400)])
    weight = np.exp(spread[:, None] * np.minimum(points, _MOST))
    chance = weight / (weight.mean(axis=1, keepdims=True) * artists[:, None])
    missed = np.exp(-songs[:, None] * chance)
    return np.asarray(artists * (1 - missed.mean(axis=1)), dtype=np.float64)


def assigned(
    people: Population, genre: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    """The artist (N,) of each song, numbered 0 to `people.artists.sum()` - 1, genre by genre."""
    owner = np.repeat(np.arange(len(people.artists)), people.artists)
    standing = np.minimum(random.standard_normal(len(owner)), _MOST)
    weight = np.exp(people.spread[owner] * standing)
    chance = weight / np.bincount(owner, weights=weight)[owner]
    # Chances of one genre add up to 1, so genre g owns the stretch from g to g + 1.
    position = np.searchsorted(np.cumsum(chance), genre + random.random(len(genre)), side="right")
    last = np.cumsum(people.artists)
    return np.clip(position, (last - people.artists)[genre], last[genre] - 1)
