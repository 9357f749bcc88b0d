"""The forest of the system this project takes the place of: what every model is measured against.

It sees what that system saw: audio attributes, six of them as logarithms, and key, mode, time
signature and genres one-hot; no artist, no release year, no title. It is fitted to compare with,
and never stored.
"""

from collections.abc import Sequence

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline

from chartbuster.features import GENRE_PREFIX, LOGARITHMS
from chartbuster.songs import AUDIO_NAMES

NAME = "original"
TITLE = "The original system's forest"

TREES, DEPTH, FEWEST_TO_SPLIT, FEATURES = 100, 15, 10, 30

_ONE_HOT = ("key=", "mode=", "time_signature=", GENRE_PREFIX)
_NUMBERS = frozenset(f"log_{name}" if name in LOGARITHMS else name for name in AUDIO_NAMES)


def seen(columns: Sequence[str]) -> list[str]:
    """Which of the model matrix's `columns` it sees, in their order."""
    return [name for name in columns if name in _NUMBERS or name.startswith(_ONE_HOT)]


def forest(columns: Sequence[str], *, seed: int) -> Pipeline:
    """The unfitted forest for a matrix of `columns`; what is missing is filled with the median.

    Each split looks at 30 features, or at all where there are fewer.
    """
    taken = seen(columns)
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    return Pipeline(
        [
            ("columns", ColumnTransformer([("features", fill, taken)])),
            (
                "model",
                RandomForestRegressor(
                    n_estimators=TREES,
                    max_depth=DEPTH,
                    min_samples_split=FEWEST_TO_SPLIT,
                    max_features=min(FEATURES, len(taken)),
                    random_state=seed,
                ),
            ),
        ]
    )
