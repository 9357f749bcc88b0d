"""How good predictions are, in points of popularity, and on which songs that is measured."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from chartbuster.learn import bootstrap
from chartbuster.learn.bootstrap import Draws, Numbers, interval
from chartbuster.learn.hits import hit_scores
from chartbuster.learn.recipes import FOLDS
from chartbuster.learn.splits import Places
from chartbuster.runs import Scores

type Protocol = Literal["new artists", "known artists"]
type Rows = NDArray[np.int64]

NEW: Protocol = "new artists"
KNOWN: Protocol = "known artists"

LOW, HIGH = 0.0, 100.0
FEWEST_TO_FIT = 20
FEWEST_TO_TEST = 5


@dataclass(frozen=True)
class Split:
    """Positions of the songs to fit, to calibrate and to test on; no song is in two of them.

    Songs of one group are in one of them together.
    """

    protocol: Protocol
    fold: int
    fit: Rows
    calibration: Rows
    test: Rows


def splits(
    protocol: Protocol, places: Places | None, *, count: int, calibration: float
) -> tuple[Split, ...]:
    """The first `count` (1-5) splits by `places`; none where the songs are too few to say anything.

    Each fold's songs to calibrate on are part of the next fold, `calibration` (0 to 0.2) of all
    songs, so that each has others. All splits or none: a score over some of the folds asked for
    would be a score over other songs.
    """
    if not 1 <= count <= FOLDS:
        raise ValueError(f"{count} folds; expected 1 to {FOLDS}")
    if places is None:
        return ()
    found = tuple(_split(protocol, places, fold, calibration) for fold in range(count))
    enough = all(len(s.fit) >= FEWEST_TO_FIT and len(s.test) >= FEWEST_TO_TEST for s in found)
    return found if enough else ()


def _split(protocol: Protocol, places: Places, fold: int, calibration: float) -> Split:
    test = places.folds == fold
    held = calibrates(places, fold, calibration)
    return Split(
        protocol,
        fold,
        fit=np.flatnonzero(~test & ~held),
        calibration=np.flatnonzero(held),
        test=np.flatnonzero(test),
    )


def calibrates(places: Places, fold: int, calibration: float) -> NDArray[np.bool_]:
    """Which songs calibrate the split `fold`: those of the next fold with the lowest draws."""
    next_fold: NDArray[np.bool_] = places.folds == (fold + 1) % FOLDS
    return next_fold & (places.draws < calibration * FOLDS)


def clipped(predictions: Numbers) -> Numbers:
    """Predictions within the range a popularity can have."""
    return np.clip(predictions, LOW, HIGH)


@dataclass(frozen=True)
class Held:
    """What a model says of songs it was not fitted on: one value per song of the dataset.

    `predicted`, `low` and `high` are 0 to 100, `hit` is a probability; NaN for songs it was not
    asked about.
    """

    predicted: Numbers
    low: Numbers
    high: Numbers
    hit: Numbers

    @classmethod
    def nothing(cls, songs: int) -> "Held":
        """Of `songs` songs, none asked about yet."""
        return cls(*(np.full(songs, np.nan) for _ in range(4)))

    def put(self, rows: Rows, said: "Held") -> None:
        """Write down what was `said` of the songs `rows`, one value per row."""
        for mine, theirs in zip(self.columns, said.columns, strict=True):
            mine[rows] = theirs

    def of(self, rows: Rows) -> "Held":
        """What was said of the songs `rows`."""
        return Held(*(column[rows] for column in self.columns))

    def asked(self) -> Rows:
        """Positions of the songs it was asked about."""
        return np.flatnonzero(~np.isnan(self.predicted))

    @property
    def columns(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Its four columns."""
        return self.predicted, self.low, self.high, self.hit


@dataclass(frozen=True)
class Yardstick:
    """What scores are taken with: popularity of all songs, what a hit is, and the draws.

    `groups` has the group of each song by protocol, `hit_from` the popularity a hit begins with,
    and precision is taken among `precision_at` songs.
    """

    popularity: Numbers
    groups: dict[Protocol, Rows]
    hit_from: float
    precision_at: int
    seed: int

    def scores(self, held: Held, protocol: Protocol) -> Scores | None:
        """The scores of `held` with their bootstrap intervals; None where nothing was asked."""
        asked = held.asked()
        if not len(asked):
            return None
        return scores(
            self.popularity[asked],
            held.of(asked),
            self.drawn(protocol, asked),
            hit_from=self.hit_from,
            precision_at=self.precision_at,
        )

    def drawn(self, protocol: Protocol, rows: Rows) -> Draws:
        """Draws of the songs `rows`; the same for every model asked about the same songs."""
        return bootstrap.draws(self.groups[protocol][rows], seed=self.seed)


def scores(
    truth: Numbers, held: Held, drawn: Draws, *, hit_from: float, precision_at: int
) -> Scores:
    """Every score of predictions `held` for songs of popularity `truth`, none of them NaN."""
    predicted = held.predicted
    errors = np.abs(truth - predicted)
    covered = ((held.low <= truth) & (truth <= held.high)).astype(np.float64)
    ranked = np.ptp(truth) > 0 and np.ptp(predicted) > 0
    ranks = rankdata(truth), rankdata(predicted)
    hits, hit_intervals = hit_scores(truth >= hit_from, held.hit, drawn, at=precision_at)
    intervals = {
        "r2": interval(bootstrap.r2(drawn, truth, predicted)),
        "mae": interval(drawn.mean(errors)),
        "rmse": interval(np.sqrt(drawn.mean(errors**2))),
        "covered": interval(drawn.mean(covered)),
    }
    if ranked:
        intervals["spearman"] = interval(bootstrap.correlation(drawn, *ranks))
    return Scores(
        r2=float(r2_score(truth, predicted)),
        mae=float(mean_absolute_error(truth, predicted)),
        rmse=float(root_mean_squared_error(truth, predicted)),
        spearman=float(np.corrcoef(*ranks)[0, 1]) if ranked else None,
        songs=len(truth),
        covered=float(covered.mean()),
        width=float((held.high - held.low).mean()),
        hits=hits,
        intervals=intervals | hit_intervals,
    )


def predictions_table(
    songs: pd.DataFrame, held: Held, folds: Rows, *, protocol: Protocol, model: str
) -> pd.DataFrame:
    """One row per song asked about: song_id, protocol, fold, model, prediction, low, high, hit,
    popularity. `folds` are those of the protocol.
    """
    asked = held.asked()
    said = held.of(asked)
    return pd.DataFrame(
        {
            "song_id": songs["song_id"].to_numpy()[asked],
            "protocol": protocol,
            "fold": folds[asked],
            "model": model,
            "prediction": np.round(said.predicted, 3),
            "low": np.round(said.low, 2),
            "high": np.round(said.high, 2),
            "hit": np.round(said.hit, 4),
            "popularity": songs["popularity"].to_numpy(dtype=np.float64)[asked],
        }
    )
