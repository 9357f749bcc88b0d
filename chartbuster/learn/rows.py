"""The rows of an upload as they were before those of one song became one.

A random split of rows puts rows of one song on both sides; whoever wants to show what that claims
needs the rows back. They differ in their genres, and `row_genres` of the ready table keeps those.
"""

from collections.abc import Sequence
from itertools import chain, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.errors import WrongSchema
from chartbuster.features import GENRE_PREFIX, genre_columns
from chartbuster.songs import GENRE_SEPARATOR, ROW_SEPARATOR


def unmerged(songs: pd.DataFrame) -> pd.DataFrame:
    """The ready table with one row per row of the uploads, in the order of `songs`.

    Each row has its own genres and everything else from its song, whose popularity and attributes
    are the medians over its rows. `row_genres` is missing: every row is one. Raises `WrongSchema`
    when `row_genres` names a genre that has no column.
    """
    several = songs["row_genres"].notna().to_numpy()
    texts: list[list[str]] = [
        text.split(ROW_SEPARATOR) for text in songs["row_genres"].to_numpy(dtype=object)[several]
    ]
    count = np.ones(len(songs), dtype=np.int64)
    count[several] = [len(each) for each in texts]
    song = np.repeat(np.arange(len(songs)), count)
    genres = genre_columns(songs)
    own = songs[genres].to_numpy()[song]
    codes, different = pd.factorize(np.array([*chain.from_iterable(texts)], dtype=object))
    own[several[song]] = _flags([str(text) for text in different], genres)[codes]
    rest = [name for name in songs.columns if name not in set(genres)]
    rows = songs[rest].take(song).reset_index(drop=True)
    rows["row_genres"] = pd.Series(np.nan, index=rows.index, dtype="str")
    return pd.concat([rows, pd.DataFrame(own, columns=genres)], axis=1)[list(songs.columns)]


def rows_together(songs: pd.DataFrame) -> "pd.Series[str]":
    """`row_genres` of the song of each id, whose rows are those of all its entries in `songs`.

    `songs` are entries of ready tables, the same id several times. The result's index is the ids,
    sorted.
    """
    texts = songs["row_genres"].to_numpy(dtype=object, copy=True)
    single = songs["row_genres"].isna().to_numpy()
    texts[single] = _texts(songs.loc[single, genre_columns(songs)])
    rows: dict[str, list[str]] = {}
    for name, text in zip(songs["song_id"], texts, strict=True):
        rows.setdefault(name, []).extend(text.split(ROW_SEPARATOR))
    names = sorted(rows)
    joined = [ROW_SEPARATOR.join(sorted(rows[name])) for name in names]
    return pd.Series(joined, index=names, dtype="str")


def _flags(texts: Sequence[str], genres: Sequence[str]) -> NDArray[np.int8]:
    """Whether each of the `texts` names each of the columns `genres`."""
    place = {name.removeprefix(GENRE_PREFIX): number for number, name in enumerate(genres)}
    flags = np.zeros((len(texts), len(genres)), dtype=np.int8)
    for row, text in enumerate(texts):
        for name in text.split(GENRE_SEPARATOR) if text else ():
            if name not in place:
                raise WrongSchema(
                    f"row_genres names the genre {name!r}, which has no column; expected one of "
                    f"{', '.join(place)}"
                )
            flags[row, place[name]] = 1
    return flags


def _texts(flags: pd.DataFrame) -> list[str]:
    """What each row of genre columns names, as `row_genres` spells it."""
    names = [str(name).removeprefix(GENRE_PREFIX) for name in flags.columns]
    row, column = np.nonzero(flags.to_numpy() == 1)
    named = [names[number] for number in column.tolist()]
    bounds = np.searchsorted(row, np.arange(len(flags) + 1)).tolist()
    return [GENRE_SEPARATOR.join(sorted(named[start:end])) for start, end in pairwise(bounds)]
