"""How well hit probabilities tell the most popular songs from the rest.

Songs of equal probability are one step: no order among them is made up.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from chartbuster.learn.bootstrap import Draws, interval
from chartbuster.report import Bin
from chartbuster.runs import HitScores, Interval

type Numbers = NDArray[np.float64]

_BINS = 10


def hit_scores(
    hit: NDArray[np.bool_], said: Numbers, drawn: Draws, *, at: int
) -> tuple[HitScores | None, dict[str, Interval]]:
    """The scores of probabilities `said`, one per song, and their intervals by name.

    `at` is among how many songs precision is taken. None where all songs, or no song, are hits.
    """
    hits = int(hit.sum())
    if hits in (0, len(hit)):
        return None, {}
    at = min(at, len(hit))
    order = np.argsort(-said, kind="stable")
    last = np.append(np.flatnonzero(np.diff(said[order])), len(order) - 1)
    errors = (said - hit) ** 2
    bins = _binned(said)
    scored = HitScores(
        hits=hits,
        average_precision=float(average_precision_score(hit, said)),
        k=at,
        precision=float(_at(*_cumulated(np.ones((1, len(hit))), hit[order], last), at)[0]),
        brier=float(errors.mean()),
        calibration_error=float(_off(_per_bin(hit, said, bins)[None])[0]),
    )
    averages, precisions = [], []
    for weights in drawn.weights(order):
        songs, found = _cumulated(weights, hit[order], last)
        averages.append(_average(songs, found))
        precisions.append(_at(songs, found, at))
    per_bin = np.zeros((len(hit), _BINS, 3))
    rows = np.arange(len(hit))
    for place, values in enumerate((np.ones(len(hit)), said, hit)):
        per_bin[rows, bins, place] = values
    shape = (len(drawn.counts), _BINS, 3)
    binned = drawn.sums(per_bin.reshape(len(hit), -1)).reshape(shape)
    return scored, {
        "average_precision": interval(np.concatenate(averages)),
        "precision": interval(np.concatenate(precisions)),
        "brier": interval(drawn.mean(errors)),
        "calibration_error": interval(_off(binned)),
    }


def reliability(hit: NDArray[np.bool_], said: Numbers) -> tuple[Bin, ...]:
    """Ten bins of about as many songs each: what was said of them, and how many were hits."""
    bins = _per_bin(hit, said, _binned(said))
    return tuple(
        Bin(said=round(total / songs, 6), seen=round(hits / songs, 6), songs=int(songs))
        for songs, total, hits in bins.tolist()
        if songs
    )


def _binned(said: Numbers) -> NDArray[np.int64]:
    """The bin of each song, by the rank of its probability; equal probabilities share a bin."""
    _, place, counts = np.unique(said, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return np.minimum((middle * _BINS / len(said)).astype(np.int64), _BINS - 1)[place]


def _per_bin(hit: NDArray[np.bool_], said: Numbers, bins: NDArray[np.int64]) -> Numbers:
    """Songs, sum of probabilities and hits of every bin; one row per bin."""
    return np.column_stack(
        [
            np.bincount(bins, weights=values, minlength=_BINS)
            for values in (np.ones(len(hit)), said, hit.astype(np.float64))
        ]
    )


def _off(bins: Numbers) -> Numbers:
    """By how much probabilities and shares of hits differ, averaged over songs; per replicate."""
    songs = bins[..., 0].sum(axis=-1)
    off: Numbers = np.abs(bins[..., 1] - bins[..., 2]).sum(axis=-1) / songs
    return off


def _cumulated(
    weights: Numbers, hit: NDArray[np.bool_], last: NDArray[np.int64]
) -> tuple[Numbers, Numbers]:
    """Songs and hits down to each step of `last`, for each row of `weights`; best songs first."""
    return np.cumsum(weights, axis=1)[:, last], np.cumsum(weights * hit, axis=1)[:, last]


def _average(songs: Numbers, found: Numbers) -> Numbers:
    """The average precision of every replicate, as scikit-learn defines it."""
    precision = np.divide(found, songs, out=np.zeros_like(found), where=songs > 0)
    steps = np.diff(found, axis=1, prepend=0.0)
    hits = found[:, -1]
    total: Numbers = (precision * steps).sum(axis=1)
    average: Numbers = np.divide(total, hits, out=np.full(len(total), np.nan), where=hits > 0)
    return average


def _at(songs: Numbers, found: Numbers, at: int) -> Numbers:
    """Precision among the first `at` songs; a step that reaches beyond counts in proportion."""
    rows = np.arange(len(songs))
    step = (songs >= at).argmax(axis=1)
    upto, hits = songs[rows, step], found[rows, step]
    before = np.maximum(step - 1, 0)
    had = np.where(step > 0, songs[rows, before], 0.0)
    hits_before = np.where(step > 0, found[rows, before], 0.0)
    part = np.divide(at - had, upto - had, out=np.zeros(len(rows)), where=upto > had)
    precision: Numbers = (hits_before + part * (hits - hits_before)) / at
    return precision
