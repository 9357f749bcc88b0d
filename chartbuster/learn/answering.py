"""A model's answers to a program that asks about many songs at once."""

from collections.abc import Mapping, Sequence
from typing import Any

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
        found = predictor.outlook(model, table)
        popularity = found.popularity
        sure = [Sureness.of(found, outlooks, song) for song in range(len(found))]
    told: Sequence[Explanation | None] = [None] * len(songs)
    if explain:
        told = explained(lambda rows: predictor.predict(model, rows), songs, inputs)
    return tuple(
        Answer(float(popularity[n]), sure[n], assumed(song, inputs), told[n])
        for n, song in enumerate(songs)
    )
