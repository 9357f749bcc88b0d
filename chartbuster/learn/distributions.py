"""What the songs of a run look like, counted from its song catalogue."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from chartbuster.errors import Corrupt
from chartbuster.songs import (
    ATTRIBUTE,
    AUDIO_NAMES,
    KEYS,
    MODES,
    POPULARITY,
    RELEASE_YEAR,
    TIME_SIGNATURES,
)

type Floats = NDArray[np.float64]

_BINS = 20
# Where an attribute has no ends of its own, a few far-off songs must not squeeze all the others.
_ENDS = (0.5, 99.5)
_QUARTERS = (25, 50, 75)
_WORDS: Mapping[str, tuple[str, ...]] = {
    "key": KEYS,
    "mode": MODES,
    "time_signature": TIME_SIGNATURES,
}


@dataclass(frozen=True)
class Histogram:
    """How many songs have a numeric attribute in each of equally wide bins, `low` to `high`.

    Values equal to `high` belong to the last bin. `below` and `above` count the songs beyond the
    ends, `missing` those without a value. `quarters` are the values that a quarter, half and three
    quarters of the songs do not exceed.
    """

    name: str
    low: float
    high: float
    counts: tuple[int, ...]
    below: int
    above: int
    missing: int
    quarters: tuple[float, float, float]

    @property
    def edges(self) -> tuple[float, ...]:
        """Where the bins begin and end, one more than there are bins."""
        step = (self.high - self.low) / len(self.counts)
        return tuple(round(self.low + step * n, 9) for n in range(len(self.counts) + 1))


@dataclass(frozen=True)
class WordCounts:
    """How many songs have each value of an attribute that is a word, in the words' own order."""

    name: str
    counts: Mapping[str, int]
    missing: int


@dataclass(frozen=True)
class GenreSongs:
    """The songs of a genre: how many, their mean popularity and its quarters as in `Histogram`."""

    genre: str
    songs: int
    mean: float
    quarters: tuple[float, float, float]


@dataclass(frozen=True)
class Distributions:
    """What `songs` songs look like.

    `numbers` and `words` hold the attributes that some song has, in the order of `songs.AUDIO`,
    then the year. `genres` are in alphabetical order; a song counts in each of its genres, and
    `without_genre` counts those that have none.
    """

    songs: int
    popularity: Histogram
    numbers: tuple[Histogram, ...]
    words: tuple[WordCounts, ...]
    genres: tuple[GenreSongs, ...]
    without_genre: int


def distributions(catalogue: bytes) -> Distributions:
    """The distributions of the songs in `catalogue` (see `learn.catalogue`).

    Raises `Corrupt` when it is not one, or holds no song.
    """
    numbers = (POPULARITY.name, *AUDIO_NAMES, RELEASE_YEAR.name)
    try:
        table = pq.read_table(io.BytesIO(catalogue), columns=[*numbers, *_WORDS, "genres"])
        values = {name: table[name].to_numpy().astype(np.float64) for name in numbers}
        words = {name: table[name].value_counts().to_pylist() for name in _WORDS}
        genres = table["genres"].combine_chunks()
        # Also where the songs of each genre are, beside its name.
        at = pc.list_parent_indices(genres).to_numpy()
        spelt = pc.list_flatten(genres).dictionary_encode()
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise Corrupt(f"the song catalogue cannot be read as one: {error}") from error
    popularity = values.pop(POPULARITY.name)
    if not np.isfinite(popularity).any():
        raise Corrupt("the song catalogue holds no song with a popularity; expected at least one")
    return Distributions(
        songs=table.num_rows,
        popularity=_histogram(POPULARITY.name, popularity),
        numbers=tuple(
            _histogram(name, found) for name, found in values.items() if np.isfinite(found).any()
        ),
        words=tuple(
            _words(name, {each["values"]: each["counts"] for each in found})
            for name, found in words.items()
            if any(each["values"] is not None for each in found)
        ),
        genres=_genres(spelt, popularity[at]),
        without_genre=table.num_rows - len(np.unique(at)),
    )


def _histogram(name: str, values: Floats) -> Histogram:
    there = values[np.isfinite(values)]
    low, high, bins = _ends(name, there)
    inside = there[(there >= low) & (there <= high)]
    counts, _ = np.histogram(inside, bins=bins, range=(low, high))
    return Histogram(
        name=name,
        low=low,
        high=high,
        counts=tuple(counts.tolist()),
        below=int((there < low).sum()),
        above=int((there > high).sum()),
        missing=len(values) - len(there),
        quarters=_quarters(there),
    )


def _ends(name: str, values: Floats) -> tuple[float, float, int]:
    """Where a histogram begins and ends, and how many bins it has."""
    if name == POPULARITY.name or (name != RELEASE_YEAR.name and ATTRIBUTE[name].high == 1):
        bounds = POPULARITY if name == POPULARITY.name else ATTRIBUTE[name]
        return float(bounds.low), float(bounds.high), _BINS
    low, high = (float(end) for end in np.percentile(values, _ENDS))
    if name == RELEASE_YEAR.name:
        # Whole years to a bin, the last year included.
        first, years = math.floor(low), math.floor(high) + 1 - math.floor(low)
        step = -(-years // _BINS)
        bins = -(-years // step)
        return float(first), float(first + step * bins), bins
    return (low, high, _BINS) if low < high else (low - 0.5, high + 0.5, 1)


def _quarters(values: Floats) -> tuple[float, float, float]:
    first, half, third = (float(value) for value in np.percentile(values, _QUARTERS))
    return first, half, third


def _words(name: str, counts: Mapping[str | None, int]) -> WordCounts:
    return WordCounts(
        name, {word: counts.get(word, 0) for word in _WORDS[name]}, counts.get(None, 0)
    )


def _genres(spelt: pa.DictionaryArray, popularity: Floats) -> tuple[GenreSongs, ...]:
    """One entry per genre; `spelt` and `popularity` have one element per song and genre."""
    codes = spelt.indices.to_numpy(zero_copy_only=False)
    found = []
    for code, genre in enumerate(spelt.dictionary.to_pylist()):
        its = popularity[codes == code]
        its = its[np.isfinite(its)]
        if len(its):
            found.append(GenreSongs(genre, len(its), float(its.mean()), _quarters(its)))
    return tuple(sorted(found, key=lambda each: each.genre))
