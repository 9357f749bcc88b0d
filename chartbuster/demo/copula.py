"""How the attributes of one song go together.

Every genre shares one Gaussian copula. The correlations published are those over the whole
catalogue, and most of them come from the differences between genres; the copula supplies what is
missing within a genre. It is calibrated on a catalogue drawn for the purpose, until that
catalogue's correlations are the published ones.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from chartbuster.demo.curves import Curves, fitted
from chartbuster.demo.figures import Figures, Floats, published

_ROUNDS = 8
_SMALLEST_EIGENVALUE = 1e-3


@cache
def published_factor() -> Floats:
    """The factor that gives the published correlations; the same array every time."""
    return factor(published(), fitted())


def factor(figures: Figures, curves: Curves) -> Floats:
    """Lower triangle (A, A) that turns independent normals into a song's latent attributes.

    Rounded to six decimals: linear algebra may differ in its last bits from one processor to the
    next, and the songs must not.
    """
    genre = np.repeat(np.arange(len(figures.genres)), figures.songs)
    random = np.random.default_rng(0)
    noise = random.standard_normal((len(figures.attributes), len(genre)))
    jitter = np.full(len(genre), 0.5)
    share = figures.songs / figures.songs.sum()
    # An error of 1 in an overall correlation is this much in the correlation within genres.
    overall = np.outer(figures.overall_std, figures.overall_std)
    gain = overall / np.einsum("g,gi,gj->ij", share, figures.std, figures.std)

    correlation = np.eye(len(figures.attributes))
    for _ in range(_ROUNDS):
        latent = mixed(noise, np.linalg.cholesky(correlation))
        drawn = np.array(
            [
                curves.at(attribute, genre, levels(row, genre, jitter))
                for attribute, row in enumerate(latent)
            ]
        )
        missing = figures.pearson - np.corrcoef(drawn)
        correlation = _nearest_correlation(correlation + gain * missing)
    return np.round(np.linalg.cholesky(correlation), 6)


def mixed(noise: Floats, lower: Floats) -> Floats:
    """`lower @ noise`, (A, N), added up in a fixed order rather than in a library's."""
    latent = np.zeros_like(noise)
    for row in range(len(lower)):
        for column in range(row + 1):
            latent[row] += lower[row, column] * noise[column]
    return latent


def levels(latent: Floats, genre: NDArray[np.int64], jitter: Floats) -> Floats:
    """The level (N,), in (0, 1), of each song among the songs of its genre.

    With n songs, the one of rank r has the level (r + jitter) / n, so even the smallest genre is
    spread evenly over its curve. `genre` is sorted, `jitter` is in (0, 1).
    """
    count = np.bincount(genre)
    first = np.cumsum(count) - count
    order = np.lexsort((latent, genre))
    rank = np.empty(len(latent))
    rank[order] = np.arange(len(latent)) - first[genre]
    return np.asarray((rank + jitter) / count[genre], dtype=np.float64)


def _nearest_correlation(matrix: Floats) -> Floats:
    """`matrix` with unit diagonal and no eigenvalue under a small positive one."""
    value, vector = np.linalg.eigh((matrix + matrix.T) / 2)
    raised = (vector * np.maximum(value, _SMALLEST_EIGENVALUE)) @ vector.T
    spread = np.sqrt(np.diag(raised))
    return np.asarray(raised / np.outer(spread, spread), dtype=np.float64)
