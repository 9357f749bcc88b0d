"""From a table as it was written to one row per song, in the words and units of `songs`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster import values
from chartbuster.columns import Recognised, Understood, recognise
from chartbuster.errors import UnreadableUpload
from chartbuster.identity import normalised
from chartbuster.measuring import (
    Loss,
    Measured,
    Units,
    absent,
    durations,
    measured,
    shares,
    units,
)
from chartbuster.merging import Floats, Ranked, Songs, ranked, song_ids, united
from chartbuster.reading import Column, RawTable, Reject
from chartbuster.songs import (
    ARTIST_SEPARATOR,
    ATTRIBUTE,
    AUDIO,
    AUDIO_NAMES,
    GENRE_SEPARATOR,
    KEYS,
    MODES,
    POPULARITY,
    RELEASE_YEAR,
    ROW_SEPARATOR,
    TIME_SIGNATURES,
    genre_name,
)

CLEANED_COLUMNS = (
    "song_id",
    "artist",
    "title",
    "release_year",
    "genres",
    "popularity",
    *AUDIO_NAMES,
    "key",
    "mode",
    "time_signature",
)

MOST_GENRES = 250
"""A genre is a column of the feature table, so of more genres only the commonest are kept."""

SHARES = tuple(attribute.name for attribute in AUDIO if (attribute.low, attribute.high) == (0, 1))
MEASURED = ("release_year", *AUDIO_NAMES, "key", "mode", "time_signature")
"""The fields that are numbers or choices."""

_NAMES = ("song_id", "artist", "title")
_ENOUGH_FOR_A_FLAG = 100
_SPOTIFY_LENGTH = 22
# A cell with more genres than this is a description, not a list; the rest of it is left out.
_MOST_GENRES_IN_A_CELL = 40


@dataclass(frozen=True)
class Cleaned:
    """The songs of a table and what became of everything else.

    `songs` has the columns CLEANED_COLUMNS, sorted by song id. `row_genres`, with the same index,
    is missing for a song of one row; for any other it has the genres of each row, so that the rows
    can be told apart again: sorted texts, joined by ROW_SEPARATOR, empty where a row had no genre.
    `losses` says, per field, how many
    cells of the rows read were missing or unreadable; `genres` how many songs each genre has.
    """

    songs: pd.DataFrame
    row_genres: "pd.Series[str]"
    rejects: tuple[Reject, ...]
    rows: int
    recognised: Recognised
    losses: Mapping[str, Loss]
    genres: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def merged(self) -> int:
        """How many rows were one more of a song that was already there."""
        return self.rows - len(self.rejects) - len(self.songs)


def clean(table: RawTable) -> Cleaned:
    """The songs of `table`.

    A row is rejected only for want of a usable popularity; whatever else cannot be read becomes
    missing. Raises `UnreadableUpload` when no column holds the popularity, when popularity is not
    on the scale of 0 to 100, or when no row is left.
    """
    recognised = recognise(table.header, counting=counting(table))
    popularity = _popularity(table, recognised)
    kept = np.flatnonzero(~np.isnan(popularity.values))
    rejects = sorted(
        (*table.rejects, *_without_popularity(table, recognised, popularity)),
        key=lambda reject: reject.line,
    )
    rows = len(table) + len(table.rejects)
    if not len(kept):
        raise UnreadableUpload(
            f"none of {rows:,} rows has a usable popularity; line {rejects[0].line}: "
            f"{rejects[0].reason}"
        )
    found = measures(table, recognised)
    texts = names(table, recognised, kept)
    ids = song_ids(
        ids=texts["song_id"],
        artists=texts["artist"],
        titles=texts["title"],
        columns=[table.columns[each.index] for each in recognised.fields.values()],
        rows=kept,
    )
    songs = Songs(ids.codes)
    genres = _genres(table, recognised, kept, ids.codes, songs)
    columns = {
        "song_id": ids.names,
        "artist": _smallest_name(songs, texts["artist"], len(ids.names)),
        "title": _smallest_name(songs, texts["title"], len(ids.names)),
        "release_year": songs.smallest(found["release_year"].values[kept]),
        "genres": genres.joined,
        "popularity": songs.median(popularity.values[kept]),
    }
    for attribute in AUDIO:
        # Only whole numbers stay whole; the other decimals are for showing, not for rounding.
        exact = {"decimals": 0} if attribute.name == "duration_ms" else {}
        columns[attribute.name] = songs.median(found[attribute.name].values[kept], **exact)
    columns |= {
        "key": _word(songs.smallest(found["key"].values[kept]), KEYS),
        "mode": _word(songs.smallest(found["mode"].values[kept]), MODES),
        "time_signature": _word(
            songs.smallest(found["time_signature"].values[kept]) - 1, TIME_SIGNATURES
        ),
    }
    table_of_songs = pd.DataFrame(columns, columns=list(CLEANED_COLUMNS))
    return Cleaned(
        songs=table_of_songs.astype(dict.fromkeys(TEXT_COLUMNS, "str")),
        row_genres=pd.Series(genres.of_rows, dtype="str"),
        rejects=tuple(rejects),
        rows=rows,
        recognised=recognised,
        losses={name: each.loss for name, each in {"popularity": popularity, **found}.items()},
        genres=genres.counts,
        notes=(*table.notes, *_duplicates(table), *recognised.notes, *genres.notes),
    )


TEXT_COLUMNS = ("song_id", "artist", "title", "genres", "key", "mode", "time_signature")
"""The columns of a cleaned table that hold text; a missing one is NaN, no genres an empty text."""


def _popularity(table: RawTable, recognised: Recognised) -> Measured:
    understood = recognised.fields["popularity"]
    column = table.columns[understood.index]
    found = measured(
        column,
        lambda text: values.number(text, whole=True),
        low=POPULARITY.low,
        high=POPULARITY.high,
    )
    there = found.values[~np.isnan(found.values)]
    if len(there) and there.max() <= 1:
        fraction = bool((there != np.round(there)).any())
        if fraction or (len(there) >= _ENOUGH_FOR_A_FLAG and there.max() == 1):
            scale = "0 to 1" if fraction else "only 0 and 1"
            raise UnreadableUpload(
                f"the column {understood.column!r} holds {scale}; expected popularity from "
                f"{POPULARITY.range}, so multiply a share by 100 and leave a hit flag out"
            )
    return found


def _without_popularity(
    table: RawTable, recognised: Recognised, popularity: Measured
) -> list[Reject]:
    column = table.columns[recognised.fields["popularity"].index]
    rejects = []
    for row in np.flatnonzero(np.isnan(popularity.values)):
        text = column.texts[column.codes[row]].strip()
        if values.is_stand_in(text):
            reason = "popularity is missing"
        elif values.number(text, whole=True) is None:
            reason = f"popularity {text[:40]!r} is no number"
        else:
            reason = f"popularity {text[:40]!r} is outside {POPULARITY.range}"
        rejects.append(Reject(int(table.lines[row]), reason, table.row_text(int(row))))
    return rejects


def units_of(table: RawTable, recognised: Recognised) -> Units:
    """The units the rows of `table` speak for, for more rows of the same file."""
    return units(_columns(table, recognised), share=SHARES)


def measures(
    table: RawTable, recognised: Recognised, settled: Units | None = None
) -> dict[str, Measured]:
    """Every field of MEASURED for all rows of the table, in `settled` units where they are."""
    columns = _columns(table, recognised)
    found = shares(
        {name: columns[name] for name in SHARES if name in columns},
        settled.percent if settled else None,
    )
    for name in MEASURED:
        if name not in columns:
            found[name] = absent(len(table))
        elif name not in found:
            found[name] = _measure(name, *columns[name], settled.duration if settled else None)
    return found


def _columns(table: RawTable, recognised: Recognised) -> dict[str, tuple[Column, Understood]]:
    return {
        name: (table.columns[understood.index], understood)
        for name, understood in recognised.fields.items()
    }


def _measure(name: str, column: Column, understood: Understood, duration: str | None) -> Measured:
    match name:
        case "key":
            return measured(column, values.key, low=0, high=len(KEYS) - 1, nothing=-1)
        case "mode":
            return measured(column, values.mode, low=0, high=len(MODES) - 1, nothing=-1)
        case "time_signature":
            return measured(column, values.time_signature, low=1, high=len(TIME_SIGNATURES))
        case "release_year":
            return measured(column, values.year, low=RELEASE_YEAR.low, high=RELEASE_YEAR.high)
        case "duration_ms":
            return durations(column, duration or understood.unit)
    return measured(column, values.number, low=ATTRIBUTE[name].low, high=ATTRIBUTE[name].high)


def names(
    table: RawTable, recognised: Recognised, rows: NDArray[np.int64]
) -> dict[str, Ranked | None]:
    """Song id, artist and title of `rows`, by field; None where the table has no such column."""
    found = {field: _names(table, recognised, field, rows) for field in _NAMES}
    _forget_nameless(found["artist"], found["title"])
    return found


def _names(
    table: RawTable, recognised: Recognised, field: str, kept: NDArray[np.int64]
) -> Ranked | None:
    """The names of the kept rows; a title `NA` or `null` is a title, an id `NA` is none."""
    understood = recognised.fields.get(field)
    if understood is None:
        return None
    column = table.columns[understood.index]
    match field:
        case "artist":
            texts = [ARTIST_SEPARATOR.join(values.names(text.strip())) for text in column.texts]
        case "title":
            texts = [" ".join(text.split()) for text in column.texts]
        case _:
            texts = list(map(_id, column.texts))
    return ranked(column.codes[kept], texts)


def _id(text: str) -> str:
    """The song's id in a cell; nothing where it only says that one is missing."""
    # Nearly every id there is: Spotify's own, which needs no closer look.
    if len(text) == _SPOTIFY_LENGTH and text.isalnum():
        return text
    plain = text.strip()
    return "" if values.is_stand_in(plain) else values.track_id(plain)


def _forget_nameless(artists: Ranked | None, titles: Ranked | None) -> None:
    """Make names missing where artist and title are the same stand-in, as when R writes `NA`.

    Alone, either may be a name: there is a song called `NA`.
    """
    if artists is None or titles is None:
        return
    for number, name in enumerate(artists.names):
        if values.is_stand_in(name):
            place = np.flatnonzero(titles.names == name)
            nameless = (artists.codes == number) & np.isin(titles.codes, place)
            artists.codes[nameless] = titles.codes[nameless] = -1


@dataclass(frozen=True)
class _Genres:
    """Every song's genres joined, those of its rows where it has several (else NaN), how many songs
    each genre has, and what was left out.
    """

    joined: NDArray[np.object_]
    of_rows: NDArray[np.object_]
    counts: dict[str, int]
    notes: list[str]


def _genres(
    table: RawTable,
    recognised: Recognised,
    kept: NDArray[np.int64],
    song_of: NDArray[np.int64],
    songs: Songs,
) -> _Genres:
    """The genres of the songs that `song_of` numbers for the kept rows.

    A subgenre is one more genre: it says more about a song than the genre it belongs to.
    """
    codes, spelt = genres_of(table, recognised, kept)
    # Spellings that differ only in case are one genre, under the first of them in sorting order.
    used = np.bincount(codes, minlength=len(spelt))
    rows_of: dict[str, int] = {}
    name_of: dict[str, str] = {}
    for genres, count in zip(spelt, used, strict=True):
        for genre in genres if count else ():
            plain = normalised(genre)
            rows_of[plain] = rows_of.get(plain, 0) + int(count)
            name_of[plain] = min(genre, name_of.get(plain, genre))
    commonest = sorted(rows_of, key=lambda plain: (-rows_of[plain], plain))
    notes = []
    if len(commonest) > MOST_GENRES:
        notes.append(
            f"{len(commonest):,} genres; the {MOST_GENRES} commonest were kept and the others "
            "left out"
        )
    names = sorted(name_of[plain] for plain in commonest[:MOST_GENRES])
    place = {normalised(name): number for number, name in enumerate(names)}
    numbers = [
        tuple(place[plain] for plain in map(normalised, genres) if plain in place)
        for genres in spelt
    ]
    joined, counts = united(song_of, codes, numbers, names=names, separator=GENRE_SEPARATOR)

    def text_of(code: int) -> str:
        return GENRE_SEPARATOR.join(names[number] for number in sorted(set(numbers[code])))

    return _Genres(
        joined=joined,
        of_rows=songs.listed(codes, text_of, separator=ROW_SEPARATOR),
        counts={name: int(n) for name, n in zip(names, counts, strict=True)},
        notes=notes,
    )


def genres_of(
    table: RawTable, recognised: Recognised, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int32], list[tuple[str, ...]]]:
    """The different lists of genres that `rows` have, and each row's place among them."""
    columns = [
        table.columns[recognised.fields[name].index]
        for name in ("genre", "subgenre")
        if name in recognised.fields
    ]
    if not columns:
        return np.zeros(len(rows), dtype=np.int32), [()]
    codes, cells = _together(columns, rows)
    return codes, [
        tuple(dict.fromkeys(genre for text in texts for genre in _spelt(text))) for texts in cells
    ]


def _together(
    columns: Sequence[Column], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int32], list[tuple[str, ...]]]:
    """The different combinations of cells that `columns` have in `rows`, and each row's number."""
    first, *others = columns
    numbers = first.codes[rows]
    cells: list[tuple[str, ...]] = [(text,) for text in first.texts]
    for column in others:
        pairs = numbers.astype(np.int64) * len(column.texts) + column.codes[rows]
        different, numbers = np.unique(pairs, return_inverse=True)
        halves = zip(*np.divmod(different, len(column.texts)), strict=True)
        cells = [(*cells[before], column.texts[place]) for before, place in halves]
    return numbers.astype(np.int32), cells


def _spelt(cell: str) -> tuple[str, ...]:
    return tuple(map(genre_name, values.genres(cell.strip())))[:_MOST_GENRES_IN_A_CELL]


def counting(table: RawTable) -> set[int]:
    """The columns that only number the rows, from 0 or 1; rejected rows may leave gaps."""
    return {
        place for place, column in enumerate(table.columns) if _numbers_rows(column, len(table))
    }


def _numbers_rows(column: Column, rows: int) -> bool:
    if len(column.texts) != rows or column.texts[0].strip() not in {"0", "1", "0.0", "1.0"}:
        return False
    found = np.array([values.number(text.strip()) for text in column.texts], dtype=np.float64)
    if not np.isfinite(found).all():
        return False
    return bool((np.diff(found) > 0).all() and found[-1] <= 2 * rows + 1)


def _duplicates(table: RawTable) -> list[str]:
    """A note for every name that several columns have."""
    named = [name for name in table.header if name]
    return [
        f"{named.count(name)} columns are called {name!r}; the first is used"
        for name in dict.fromkeys(named)
        if named.count(name) > 1
    ]


def _smallest_name(songs: Songs, names: Ranked | None, total: int) -> NDArray[np.object_]:
    """The first name, in sorting order, that each of `total` songs has; NaN where it has none."""
    if names is None:
        return np.full(total, np.nan, dtype=object)
    codes = songs.smallest(np.where(names.codes < 0, np.nan, names.codes))
    return names.taken(_whole(codes))


def _word(codes: Floats, words: tuple[str, ...]) -> NDArray[np.object_]:
    """The words `codes` point to, NaN where missing."""
    return np.array([*words, np.nan], dtype=object)[_whole(codes)]


def _whole(codes: Floats) -> NDArray[np.int64]:
    """`codes` as whole numbers, -1 where missing."""
    return np.where(np.isnan(codes), -1, codes).astype(np.int64)
