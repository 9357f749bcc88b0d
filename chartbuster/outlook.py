"""What a model says of songs: not a number alone, but how sure it is of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Outlook:
    """One value per song, in the order of the table that was asked about.

    `popularity` is the model's prediction, `low` and `high` the interval the song's popularity is
    in as often as the run's configuration wants (nine times in ten unless it says otherwise), all
    from 0 to 100. `hit` is the probability that the song is among the dataset's most popular, 0 to
    1. `percentile` says what share of the songs of its genres are less popular than the prediction,
    0 to 100; of all songs where a song has no genre. `known` says of each song whether the model
    met its artist; where it did not, the artist counts as unknown, as a debut's does.
    """

    popularity: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    hit: NDArray[np.float64]
    percentile: NDArray[np.float64]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.popularity)
