"""The rows of the model matrix that studies of songs are put together from.

A study changes one attribute after the other and asks what becomes of the prediction. What an
attribute is changed to does not depend on the song, so the rows that hold it are made once a run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chartbuster.errors import InvalidSong
from chartbuster.explanations import ATTRIBUTES, Value, grids
from chartbuster.features import GENRE_PREFIX, features_of
from chartbuster.learn.artists import ARTIST, artist_code
from chartbuster.learn.explain import ATTRIBUTE_OF, Places, values_of
from chartbuster.runs import Inputs, RunManifest
from chartbuster.scoring import completed

type Numbers = NDArray[np.float64]

POINTS = 17
"""So many values of a number have a curve drawn over them, the song's own besides."""

TYPICAL, SONG = 0, -1
"""Which of the rows is the typical song's, and which the song's own when it follows the others."""


@dataclass(frozen=True)
class Ground:
    """What all studies of a run stand on, because no song changes it.

    `changes` are the attributes and values of all what-if curves, those of one curve together.
    `rows` are rows of the model matrix of `columns`: the typical song's first, of which nothing is
    said and which has the values `typical`, then one for each change, typical but for its value.
    `choices` says for each change which row each of ATTRIBUTES comes from, -1 being the song's own;
    `owners` has for each column the place of its attribute in ATTRIBUTES.
    """

    inputs: Inputs
    columns: tuple[str, ...]
    owners: Places
    changes: tuple[tuple[str, float | str], ...]
    choices: Places
    rows: Numbers
    typical: Mapping[str, Value]

    @classmethod
    def of(cls, run: RunManifest, *, points: int = POINTS) -> "Ground":
        """The ground of studies of `run`; raises `InvalidSong` where no song can have its columns.

        Numbers change to `points` values each, from the lowest to the highest of the run's songs.
        """
        inputs, columns = run.inputs, run.columns
        changes = tuple(
            (name, value)
            for name, values in grids(inputs, points=points).items()
            for value in values
        )
        songs = [completed(song, inputs) for song in ({}, *({n: value} for n, value in changes))]
        rows = np.array([row_of(song, columns) for song in songs])
        choices = np.full((len(changes), len(ATTRIBUTES)), SONG, dtype=np.intp)
        for number, (name, _) in enumerate(changes):
            choices[number, ATTRIBUTES.index(name)] = number + 1
        owners = ["genre" if n.startswith(GENRE_PREFIX) else ATTRIBUTE_OF[n] for n in columns]
        return cls(
            inputs=inputs,
            columns=columns,
            owners=np.array([ATTRIBUTES.index(owner) for owner in owners], dtype=np.intp),
            changes=changes,
            choices=choices,
            rows=rows,
            typical=values_of(songs[TYPICAL]),
        )

    def row(self, song: Mapping[str, Any]) -> Numbers:
        """The one row of the model matrix of a song as somebody described it.

        Raises `InvalidSong`.
        """
        return np.array([row_of(completed(song, self.inputs), self.columns)])


def row_of(song: Mapping[str, Any], columns: Sequence[str]) -> list[float]:
    """The row of the model matrix of a completed song, as `dataset.matrix` has it."""
    found = features_of(song)
    found[ARTIST] = artist_code(song["artist"] or "")
    found |= {f"{GENRE_PREFIX}{genre}": 1.0 for genre in song["genre"]}
    lacking = [n for n in columns if n not in found and not n.startswith(GENRE_PREFIX)]
    if lacking:
        raise InvalidSong(f"a song has no {', '.join(lacking)}; the models need every one")
    return [found.get(name, 0.0) for name in columns]
