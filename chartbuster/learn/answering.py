"""A model's answers to a program that asks about many songs at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.answers import Answer
from chartbuster.explanations import Explanation
from chartbuster.learn.explain import explained
from chartbuster.learn.predictor import Predictor
from chartbuster.outlooks import Outlooks
from chartbuster.scoring import assumed, song_table
from chartbuster.study import Sureness


def answers(
    predictor: Predictor,
    model: str,
    songs: Sequence[Mapping[str, Any]],
    *,
    outlooks: Outlooks | None,
    explain: bool,
) -> tuple[Answer, ...]:
    """What `model` says of `songs`, as somebody described them, in their order.

    `outlooks` are what the run knows of its models' errors, if anything. Raises `InvalidSong`, and
    what `Predictor.model` raises.
    """
    inputs = predictor.manifest.inputs
    table = song_table(songs, inputs)
    sure: Sequence[Sureness | None] = [None] * len(songs)
    if outlooks is None:
        popularity = predictor.predict(model, table)
    else:
        popularity, sure = _outlook(predictor, model, table, outlooks)
    told: Sequence[Explanation | None] = [None] * len(songs)
    if explain:
        told = explained(lambda rows: predictor.predict(model, rows), songs, inputs)
    return tuple(
        Answer(float(popularity[n]), sure[n], assumed(song, inputs), told[n])
        for n, song in enumerate(songs)
    )


def _outlook(
    predictor: Predictor, model: str, table: pd.DataFrame, outlooks: Outlooks
) -> tuple[NDArray[np.float64], list[Sureness]]:
    found = predictor.outlook(model, table)
    return found.popularity, [
        Sureness(
            interval=outlooks.interval,
            low=float(found.low[n]),
            high=float(found.high[n]),
            hit_from=outlooks.hit_from,
            hit=float(found.hit[n]),
            percentile=float(found.percentile[n]),
            known=bool(found.known[n]),
        )
        for n in range(len(found))
    ]
