"""One row per song: rows of one song become one, whatever order they came in.

Genres are united; popularity and audio attributes become the median; names, key, mode, time
signature and year become the smallest that is there. So the same rows in another order give the
same songs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.identity import digest, normalised
from chartbuster.reading import Column

type Floats = NDArray[np.float64]

_DECIMALS = 9


@dataclass(frozen=True)
class Ranked:
    """A column of names: `codes` point into `names`, which are sorted; -1 is missing."""

    codes: NDArray[np.int64]
    names: NDArray[np.object_]

    def taken(self, codes: NDArray[np.int64]) -> NDArray[np.object_]:
        """The names `codes` point to, NaN for -1."""
        return np.append(self.names, np.array([np.nan], dtype=object))[codes]


def ranked(codes: NDArray[np.int32], texts: list[str]) -> Ranked:
    """Codes into any texts, as codes into sorted distinct ones; an empty text is missing."""
    different = set(texts)
    different.discard("")
    names = sorted(different)
    place = dict(zip(names, range(len(names)), strict=True))
    place[""] = -1
    table = np.array(list(map(place.__getitem__, texts)), dtype=np.int64)
    return Ranked(table[codes], _objects(names))


def song_ids(
    *,
    ids: Ranked | None,
    artists: Ranked | None,
    titles: Ranked | None,
    columns: list[Column],
    rows: NDArray[np.int64],
) -> Ranked:
    """What identifies each row's song: its id, else its artist and title, else the whole row.

    The two substitutes are digests, marked `name-` and `row-` so that they cannot be mistaken for
    an id. `columns` are the understood columns, which alone make up 'the whole row', and `rows` the
    places in them of the rows the names are for.
    """
    if ids is not None and (ids.codes >= 0).all():
        used, codes = np.unique(ids.codes, return_inverse=True)
        return Ranked(codes.ravel(), ids.names[used])
    found = np.full(len(rows), "", dtype=object)
    if ids is not None:
        known = ids.codes >= 0
        found[known] = ids.names[ids.codes[known]]
    if artists is not None and titles is not None:
        named = np.flatnonzero((found == "") & (artists.codes >= 0) & (titles.codes >= 0))
        if len(named):
            who = _objects([normalised(name) for name in artists.names])[artists.codes[named]]
            what = _objects([normalised(name) for name in titles.names])[titles.codes[named]]
            found[named] = [
                f"name-{digest(f'{a}\0{t}'.encode())[:24]}" for a, t in zip(who, what, strict=True)
            ]
    for place in np.flatnonzero(found == ""):
        cells = "\0".join(column.texts[column.codes[rows[place]]] for column in columns)
        found[place] = f"row-{digest(cells.encode())[:24]}"
    places, names = pd.factorize(found, sort=True)
    return Ranked(places.astype(np.int64), np.asarray(names, dtype=object))


class Songs:
    """Which rows belong to which song, to merge one column after another.

    `codes` numbers the song of every row from 0.
    """

    def __init__(self, codes: NDArray[np.int64]) -> None:
        counts = np.bincount(codes)
        self._total = len(counts)
        several = counts[codes] > 1
        self._once = np.flatnonzero(~several)
        self._several = np.flatnonzero(several)
        self._codes = codes

    def smallest(self, column: Floats) -> Floats:
        """The smallest value each song has; NaN, which is missing, where it has none."""

        def first_of(first: NDArray[np.int64], _count: NDArray[np.int64], found: Floats) -> Floats:
            return found[first]

        return self._merged(column, first_of)

    def median(self, column: Floats, *, decimals: int = _DECIMALS) -> Floats:
        """The median of the values each song has, NaN where it has none.

        `decimals` is how exact a median can be: that of two durations in whole milliseconds has 0.
        """

        def middle(first: NDArray[np.int64], count: NDArray[np.int64], found: Floats) -> Floats:
            lower, upper = found[first + (count - 1) // 2], found[first + count // 2]
            rounded: Floats = np.round((lower + upper) / 2, decimals)
            return rounded

        return self._merged(column, middle)

    def listed(
        self, codes: NDArray[np.int32], text_of: Callable[[int], str], *, separator: str
    ) -> NDArray[np.object_]:
        """The sorted texts of the rows of each song that has several; NaN for the other songs.

        `codes` are numbers of each row, and `text_of` tells the text of a number.
        """
        merged = np.full(self._total, np.nan, dtype=object)
        if not len(self._several):
            return merged
        used, numbers = np.unique(codes[self._several], return_inverse=True)
        texts = list(map(text_of, used.tolist()))
        different = sorted(set(texts))
        place = {text: number for number, text in enumerate(different)}
        ranks = np.array([place[text] for text in texts], dtype=np.int64)[numbers]
        # One number for song and text: sorting those is many times quicker than sorting pairs.
        both = np.sort(self._codes[self._several] * len(different) + ranks)
        songs, ranks = np.divmod(both, len(different))
        first = np.flatnonzero(np.diff(songs, prepend=-1))
        rows = _objects(different)[ranks].tolist()
        bounds = [*first.tolist(), len(rows)]
        merged[songs[first]] = _objects(
            [separator.join(rows[start:end]) for start, end in pairwise(bounds)]
        )
        return merged

    def _merged(
        self,
        column: Floats,
        choose: Callable[[NDArray[np.int64], NDArray[np.int64], Floats], Floats],
    ) -> Floats:
        """One value per song; `choose` decides where a song has several rows.

        It gets the place of each song's first value among `found`, which are sorted song by song,
        and the number of its values.
        """
        merged = np.full(self._total, np.nan)
        merged[self._codes[self._once]] = column[self._once]
        there = self._several[~np.isnan(column[self._several])]
        if len(there):
            order = there[np.lexsort((column[there], self._codes[there]))]
            songs, first, count = np.unique(
                self._codes[order], return_index=True, return_counts=True
            )
            merged[songs] = choose(first, count, column[order])
        return merged


def united(
    songs: NDArray[np.int64],
    genre_codes: NDArray[np.int32],
    genres_of: list[tuple[int, ...]],
    *,
    names: list[str],
    separator: str,
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """The genres of every song joined in the order of `names`, and how many songs each genre has.

    `genre_codes` gives each row's entry of `genres_of`, whose numbers point into `names`.
    """
    total = int(songs.max()) + 1 if len(songs) else 0
    member = np.zeros((total, len(names)), dtype=bool)
    most = max((len(each) for each in genres_of), default=0)
    for place in range(most):
        number = np.array([each[place] if place < len(each) else -1 for each in genres_of])
        of_row = number[genre_codes]
        has = of_row >= 0
        member[songs[has], of_row[has]] = True
    if not names:
        return np.full(total, "", dtype=object), np.zeros(0, dtype=np.int64)
    packed = np.packbits(member, axis=1)
    whole = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(whole, return_index=True, return_inverse=True)
    joined = [
        separator.join(names[number] for number in np.flatnonzero(member[song])) for song in first
    ]
    return _objects(joined)[inverse.ravel()], member.sum(axis=0).astype(np.int64)


def _objects(names: list[str]) -> NDArray[np.object_]:
    """An array of `names` as they are: numpy would make them all as long as the longest."""
    array = np.empty(len(names), dtype=object)
    array[:] = names
    return array
