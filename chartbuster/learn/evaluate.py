"""How good predictions are, in points of popularity, and on which songs that is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from chartbuster.learn.recipes import FOLDS
from chartbuster.learn.splits import Fold
from chartbuster.runs import Scores

type Numbers = NDArray[np.float64]
type Protocol = Literal["new artists", "known artists"]

LOW, HIGH = 0.0, 100.0
FEWEST_TO_FIT = 20
FEWEST_TO_TEST = 5


@dataclass(frozen=True)
class Split:
    """Positions of the songs to fit on and to test on; never the same song in both."""

    protocol: Protocol
    fold: int
    fit: NDArray[np.int64]
    test: NDArray[np.int64]


def splits(protocol: Protocol, folds: Fold | None, *, count: int) -> tuple[Split, ...]:
    """The first `count` (1-5) splits by `folds`; none where the songs are too few to say anything.

    All or none: a score over some of the folds asked for would be a score over other songs.
    """
    if not 1 <= count <= FOLDS:
        raise ValueError(f"{count} folds; expected 1 to {FOLDS}")
    if folds is None:
        return ()
    found = tuple(
        Split(protocol, fold, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))
        for fold in range(count)
    )
    enough = all(len(s.fit) >= FEWEST_TO_FIT and len(s.test) >= FEWEST_TO_TEST for s in found)
    return found if enough else ()


def clipped(predictions: Numbers) -> Numbers:
    """Predictions within the range a popularity can have."""
    return np.clip(predictions, LOW, HIGH)


def scores(popularity: Numbers, predicted: Numbers) -> Scores:
    """R2, mean absolute and root mean squared error, and Spearman's rank correlation."""
    return Scores(
        r2=float(r2_score(popularity, predicted)),
        mae=float(mean_absolute_error(popularity, predicted)),
        rmse=float(root_mean_squared_error(popularity, predicted)),
        spearman=_spearman(popularity, predicted),
        songs=len(popularity),
    )


def _spearman(popularity: Numbers, predicted: Numbers) -> float | None:
    if np.ptp(popularity) == 0 or np.ptp(predicted) == 0:
        return None
    return float(spearmanr(popularity, predicted).statistic)


def predictions_table(
    songs: pd.DataFrame, split: Split, model: str, predicted: Numbers
) -> pd.DataFrame:
    """One row per test song: song_id, protocol, fold, model, prediction, popularity."""
    return pd.DataFrame(
        {
            "song_id": songs["song_id"].to_numpy()[split.test],
            "protocol": split.protocol,
            "fold": split.fold,
            "model": model,
            "prediction": np.round(clipped(predicted), 3),
            "popularity": songs["popularity"].to_numpy(dtype=np.float64)[split.test],
        }
    )


def over_folds(
    songs: pd.DataFrame, parts: Sequence[Split], predicted: Sequence[Numbers]
) -> Scores | None:
    """Scores over the test songs of all `parts` together; None where there are none.

    `predicted` holds, part by part, what a model said that was fitted on the part's other songs.
    """
    if not parts:
        return None
    truth = songs["popularity"].to_numpy(dtype=np.float64)
    tested = np.concatenate([split.test for split in parts])
    return scores(truth[tested], clipped(np.concatenate(predicted)))
