"""The songs a run learnt from, kept to be found again: by name, by likeness, by chance.

Everything stays in Arrow and NumPy: as Python objects the songs of a large catalogue would take
ten times the memory, and every garbage collection would walk through them.
"""

import bisect
import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from chartbuster.errors import Corrupt, NotFound
from chartbuster.identity import normalised
from chartbuster.known_songs import KnownSong, Neighbour
from chartbuster.runs import Inputs
from chartbuster.scoring import LETTERS, completed
from chartbuster.songs import ARTIST_SEPARATOR, AUDIO_NAMES, KEYS, MODES

type Numbers = NDArray[np.float64]
type Rows = NDArray[np.int32]

_TEXTS = ("song_id", "artist", "title")
_NUMBERS = ("release_year", "popularity", *AUDIO_NAMES)
_COLUMNS = (*_TEXTS, *_NUMBERS, *LETTERS, "genres")

_LONGEST_SEARCH = 200
_LAST = "\U0010ffff"
_OF_NO_SHARED_GENRE = 0.25
_OF_OPPOSITE_KEYS = 0.25
_OF_OTHER_MODE = 0.25

# Letters people type as others, though Unicode does not take them apart.
_TYPED_AS = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ð": "d",
    "đ": "d",
    "þ": "th",
    "ł": "l",
    "ı": "i",
    "ς": "σ",
}


class Library:
    """The songs of one run. Never changes, so threads may share it."""

    def __init__(self, songs: pa.Table, inputs: Inputs) -> None:
        """`songs` has the columns of `chartbuster.learn.catalogue`."""
        self._inputs = inputs
        # In this order whatever a search finds is found most popular first.
        ordered = songs.sort_by([("popularity", "descending"), ("song_id", "ascending")])
        self._songs = {
            name: ordered[name].cast(kind).combine_chunks() for name, kind in _KINDS.items()
        }
        every = np.arange(len(ordered), dtype=np.int32)
        split = pc.split_pattern(self._songs["artist"].fill_null(""), ARTIST_SEPARATOR)
        artists = _folded(split.flatten())
        of_artist = pc.list_parent_indices(split).to_numpy().astype(np.int32)
        titles = _folded(self._songs["title"].fill_null(""))
        self._artists = _Index(artists, of_artist)
        self._titles = _Index(titles, every)
        self._words = _Index.of_words((artists, of_artist), (titles, every))
        self._space = _Space(self._songs, inputs)

    @classmethod
    def read(cls, body: bytes, inputs: Inputs) -> Self:
        """The library in a run's `songs.parquet`; raises `Corrupt` when it is none."""
        try:
            songs = pq.read_table(pa.BufferReader(body), use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise Corrupt(f"the song catalogue is no Parquet file: {error}") from error
        if lacking := [name for name in _COLUMNS if name not in songs.column_names]:
            raise Corrupt(f"the song catalogue lacks the columns {', '.join(lacking)}")
        try:
            return cls(songs.select(_COLUMNS), inputs)
        except pa.ArrowException as error:
            raise Corrupt(f"the song catalogue has columns of another kind: {error}") from error
        finally:
            # Building takes a multiple of what stays, which Arrow would keep for the next time.
            pa.default_memory_pool().release_unused()

    def __len__(self) -> int:
        return len(self._songs["song_id"])

    def search(self, text: str, *, most: int = 20) -> tuple[KnownSong, ...]:
        """The songs whose title and artist hold every word of `text`, the best first.

        Case, accents and punctuation do not matter, nor does the order of the words, and each may
        be the beginning of one. First come songs called exactly so, then titles that begin so and
        songs of an artist called so, then the others; among equals the more popular. Of songs with
        one name only the first is there. A text without words finds nothing.
        """
        wanted = _folded(pa.array([text[:_LONGEST_SEARCH]]))[0].as_py()
        if not wanted:
            return ()
        hits = np.ones(len(self), dtype=np.bool_)
        for word in set(wanted.split()):
            has = np.zeros(len(self), dtype=np.bool_)
            has[self._words.beginning(word)] = True
            hits &= has
        called = np.sort(self._titles.equal(wanted))
        nearly = (self._titles.beginning(wanted), self._artists.equal(wanted))
        best = itertools.chain(called, np.sort(np.concatenate(nearly)), np.flatnonzero(hits))
        return tuple(self._of_different_names(best, most))

    def nearest(
        self, song: Mapping[str, Any], *, most: int = 6, without: str | None = None
    ) -> tuple[Neighbour, ...]:
        """The `most` songs that sound most like `song`, the nearest first.

        `song` is described as for scoring, and completed in the same way; raises `InvalidSong`. The
        distance is the Euclidean one. In each audio attribute 1 is the span of the middle nine
        tenths of the songs. Opposite keys on the circle of fifths are 0.25 apart, keys next to each
        other 0.06, and so are the modes 0.25. A song that shares no genre with `song` counts as
        0.25 farther. What a song does not say is taken as typical. Left out are the song with the
        id `without` and those with its name; of several with one name the nearest is there.
        """
        used = completed(song, self._inputs)
        left_out = [] if without is None else [self._known(row) for row in self._rows_of(without)]
        asked = most
        while True:
            # A shared genre brings a song nearer, so of those asked for only the ones that are
            # nearer than the last can be ranked.
            asked = min(4 * (asked + 1), len(self))
            rows, near = self._space.nearest(used, asked)
            far = near + np.where(self._share(rows, used["genre"]), 0.0, _OF_NO_SHARED_GENRE)
            order = np.argsort(far, kind="stable")
            if asked < len(self):
                order = order[far[order] <= near[-1]]
            distances = dict(zip(rows[order].tolist(), far[order].tolist(), strict=True))
            found = self._of_different_names(distances, most, but=left_out)
            if len(found) == most or asked == len(self):
                at = {self._songs["song_id"][row].as_py(): far for row, far in distances.items()}
                return tuple(Neighbour(known, at[known.song_id]) for known in found)

    def drawn(self, draw: random.Random) -> KnownSong:
        """A song drawn by `draw`, each as likely as the others; raises `NotFound` if none is."""
        if not len(self):
            raise NotFound("the run's song catalogue is empty; expected at least one song")
        return self._known(draw.randrange(len(self)))

    def song(self, song_id: str) -> KnownSong:
        """The song with the id `song_id`; raises `NotFound`."""
        for row in self._rows_of(song_id):
            return self._known(row)
        raise NotFound(f"the run's song catalogue has no song {song_id!r}")

    def _rows_of(self, song_id: str) -> list[int]:
        row: int = pc.index(self._songs["song_id"], song_id).as_py()
        return [row] if row >= 0 else []

    def _known(self, row: int) -> KnownSong:
        said = {name: column[row].as_py() for name, column in self._songs.items()}
        inputs = self._inputs
        heard = {"key": inputs.key, "mode": inputs.mode, "time_signature": inputs.time_signature}
        names = (*inputs.audio, *(name for name in LETTERS if heard[name] is not None))
        values = {name: said[name] for name in names if said[name] is not None}
        year = said["release_year"]
        return KnownSong(
            song_id=said["song_id"],
            artist=said["artist"],
            title=said["title"],
            release_year=None if year is None else round(year),
            popularity=_widened(said["popularity"]),
            genres=tuple(genre for genre in said["genres"] or () if genre in inputs.genres),
            attributes={
                name: value if isinstance(value, str) else _widened(value)
                for name, value in values.items()
            },
        )

    def _of_different_names(
        self, rows: Iterable[int], most: int, *, but: Sequence[KnownSong] = ()
    ) -> list[KnownSong]:
        """The first `most` songs of `rows` that are not called as one before, or one of `but`."""
        seen = {normalised(song.name) for song in but}
        found: list[KnownSong] = []
        for row in rows:
            if len(found) == most:
                break
            song = self._known(int(row))
            name = normalised(song.name)
            if name not in seen:
                seen.add(name)
                found.append(song)
        return found

    def _share(self, rows: Rows, wanted: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each song has one of the genres; every song does where none is wanted."""
        if not wanted:
            return np.ones(len(rows), dtype=np.bool_)
        genres = self._songs["genres"].take(pa.array(rows))
        has = pc.is_in(genres.flatten(), pa.array(wanted)).to_numpy(zero_copy_only=False)
        shares = np.zeros(len(rows), dtype=np.bool_)
        shares[pc.list_parent_indices(genres).to_numpy()[has]] = True
        return shares


class _Index:
    """Finds the rows of a text, or of all texts that begin with one, by halving."""

    def __init__(self, texts: pa.Array, rows: Rows) -> None:
        coded = texts.dictionary_encode()
        order = pc.sort_indices(coded.dictionary)
        place = np.empty(len(order), dtype=np.int32)
        place[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
        places = place[coded.indices.to_numpy()]
        self._texts = coded.dictionary.take(order)
        self._rows = rows[np.argsort(places, kind="stable")]
        counts = np.bincount(places, minlength=len(order))
        self._begins = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    @classmethod
    def of_words(cls, *several: tuple[pa.Array, Rows]) -> "_Index":
        """The index of the words of several texts."""
        split = [pc.split_pattern(texts, " ") for texts, _ in several]
        words = pa.concat_arrays([lists.flatten() for lists in split])
        owners = [
            rows[pc.list_parent_indices(lists).to_numpy()]
            for lists, (_, rows) in zip(split, several, strict=True)
        ]
        return cls(words, np.concatenate(owners))

    def equal(self, text: str) -> Rows:
        """The rows whose text is `text`."""
        first = self._place(text)
        there = first < len(self._texts) and self._at(first) == text
        return self._between(first, first + there)

    def beginning(self, text: str) -> Rows:
        """The rows whose text begins with `text`."""
        return self._between(self._place(text), self._place(text + _LAST))

    def _place(self, text: str) -> int:
        return bisect.bisect_left(range(len(self._texts)), text, key=self._at)

    def _at(self, place: int) -> str:
        text: str = self._texts[place].as_py()
        return text

    def _between(self, first: int, end: int) -> Rows:
        return self._rows[self._begins[first] : self._begins[end]]


class _Space:
    """Where each song is among the others, as `Library.nearest` measures it."""

    def __init__(self, songs: Mapping[str, pa.Array], inputs: Inputs) -> None:
        numbers = {
            name: songs[name].to_numpy(zero_copy_only=False).astype(np.float64)
            for name in inputs.audio
        }
        self._typical = {name: seen.default for name, seen in inputs.audio.items()}
        self._spans = {name: _span(values) for name, values in numbers.items()}
        keys, modes = songs["key"], songs["mode"]
        places = [
            *(self._placed(name, values) for name, values in numbers.items()),
            *(_of_letters(keys, turn) for turn in _ON_THE_CIRCLE),
            _of_letters(modes, _OF_MODE),
        ]
        self._tree = cKDTree(np.column_stack(places), copy_data=False) if len(keys) else None

    def nearest(self, used: Mapping[str, Any], most: int) -> tuple[Rows, Numbers]:
        """The rows of the `most` songs nearest to a completed song, and their distances."""
        if self._tree is None:
            return np.empty(0, dtype=np.int32), np.empty(0)
        place = [
            *(float(self._placed(name, np.array(used[name]))) for name in self._spans),
            *(turn.get(used["key"], 0.0) for turn in _ON_THE_CIRCLE),
            _OF_MODE.get(used["mode"], 0.0),
        ]
        distances, rows = self._tree.query(place, k=np.arange(1, most + 1))
        return np.asarray(rows, dtype=np.int32), np.asarray(distances, dtype=np.float64)

    def _placed(self, name: str, values: Numbers) -> Numbers:
        return np.nan_to_num((values - self._typical[name]) / self._spans[name], nan=0.0)


_KINDS = {
    **dict.fromkeys(_TEXTS, pa.string()),
    **dict.fromkeys(_NUMBERS, pa.float32()),
    **dict.fromkeys(LETTERS, pa.dictionary(pa.int8(), pa.string())),
    "genres": pa.list_(pa.string()),
}

_TURNS = {key: 2 * np.pi * (7 * place % 12) / 12 for place, key in enumerate(KEYS)}
# A song that says no key is in the middle of the circle, as far from one as from any other.
_ON_THE_CIRCLE = tuple(
    {key: float(_OF_OPPOSITE_KEYS / 2 * part(turn)) for key, turn in _TURNS.items()}
    for part in (np.cos, np.sin)
)
_OF_MODE = dict(zip(MODES, (-_OF_OTHER_MODE / 2, _OF_OTHER_MODE / 2), strict=True))


def _of_letters(letters: pa.DictionaryArray, places: Mapping[str, float]) -> Numbers:
    """The place of each letter, the middle for those missing."""
    known = np.array([*(places.get(letter, 0.0) for letter in letters.dictionary.to_pylist()), 0.0])
    rows: NDArray[np.intp] = letters.indices.fill_null(len(known) - 1).to_numpy()
    return known[rows]


def _span(values: Numbers) -> float:
    """How far the middle nine tenths of the values reach, else all of them; never 0."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, (0.05, 0.95))
    return float(high - low) or float(np.ptp(known)) or 1.0


def _folded(texts: pa.Array) -> pa.Array:
    """Texts as a search compares them: words of letters and digits, in lower case, no accents.

    What has neither letters nor digits keeps its signs.
    """
    plain = pc.replace_substring_regex(pc.utf8_normalize(texts, "NFKD"), r"\p{Mn}+|['’ʼ`]+", "")
    plain = pc.utf8_lower(plain)
    for letter, typed in _TYPED_AS.items():
        plain = pc.replace_substring(plain, letter, typed)
    words = pc.utf8_trim_whitespace(pc.replace_substring_regex(plain, r"[^\p{L}\p{N}]+", " "))
    signs = pc.replace_substring_regex(plain, r"\s+", "")
    return pc.if_else(pc.equal(words, ""), signs, words)


def _widened(number: float) -> float:
    """The shortest number that is this one in single precision: 0.7, not 0.699999988."""
    return float(str(np.float32(number)))
