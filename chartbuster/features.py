"""The stateless features of a song, written once: the Lambda, the trainer and the app use these.

Whatever is fitted (imputation, encoding, scaling) belongs to a model's pipeline, not here. A column
that is missing or unknown raises; nothing is filled in.
"""

import io
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.cleaning import CLEANED_COLUMNS
from chartbuster.errors import InvalidSong, WrongSchema
from chartbuster.layout import SCHEMA_VERSION
from chartbuster.songs import (
    AUDIO_NAMES,
    GENRE_SEPARATOR,
    KEYS,
    MODES,
    ROW_SEPARATOR,
    TIME_SIGNATURES,
    TITLE_FLAGS,
)

LOGARITHMS = (
    "duration_ms",
    "instrumentalness",
    "liveness",
    "loudness",
    "speechiness",
    "tempo",
)
"""The attributes that also come as log(x + 200), as in the original system."""

GENRE_PREFIX = "genre="
_SHIFT = 200
# So many decimals survive the way through a CSV file unchanged, whoever computes the logarithm.
_LOG_DECIMALS = 6

_NAMES = ("song_id", "artist", "title")
_TEXTS = (*_NAMES, "row_genres")
_LOGS = tuple(f"log_{name}" for name in LOGARITHMS)
_ONE_HOT = (
    *(("key", f"key={value}", value) for value in KEYS),
    *(("mode", f"mode={value}", value) for value in MODES),
    *(("time_signature", f"time_signature={value}", value) for value in TIME_SIGNATURES),
)
_FLAGS = tuple(f"title_{flag}" for flag in TITLE_FLAGS)

MODEL_FEATURES = (
    "release_year",
    *AUDIO_NAMES,
    *_LOGS,
    *(column for _, column, _ in _ONE_HOT),
    *_FLAGS,
)
"""The fixed columns a model may see. Its genre columns come with the data: `genre_columns`."""

FEATURES = (
    *_TEXTS,
    "release_year",
    "popularity",
    *(name for name in MODEL_FEATURES if name != "release_year"),
    "schema_version",
)
"""The fixed columns of a ready table, in their order; `genre=<name>` columns follow, sorted.

`row_genres` is for whoever wants back the rows a song was merged from: see `cleaning.Cleaned`.
"""

_PATTERNS = {flag: re.compile(pattern) for flag, (pattern, _) in TITLE_FLAGS.items()}


def add_features(
    cleaned: pd.DataFrame,
    *,
    genres: Collection[str] | None = None,
    row_genres: "pd.Series[str] | None" = None,
) -> pd.DataFrame:
    """The ready table of `cleaned`, a table with the columns CLEANED_COLUMNS in their order.

    `row_genres`, with the index of `cleaned`, are the genres of the rows each song was merged from;
    by default no song was merged, and the column is missing.

    The genre columns are those of `genres` where given, else those of the songs themselves; a song
    without genre has 0 in all. Where key, mode or time signature is missing, all its columns are.
    Raises `WrongSchema` for other columns, `InvalidSong` for an unknown genre, key, mode or time
    signature, naming the known ones.
    """
    if tuple(cleaned.columns) != CLEANED_COLUMNS:
        raise WrongSchema(
            f"a cleaned table has the columns {list(cleaned.columns)}; "
            f"expected {list(CLEANED_COLUMNS)}"
        )
    columns: dict[str, object] = {name: cleaned[name] for name in _NAMES}
    columns["row_genres"] = (
        pd.Series(np.nan, index=cleaned.index, dtype="str") if row_genres is None else row_genres
    )
    columns["release_year"] = cleaned["release_year"].astype("float64")
    columns["popularity"] = cleaned["popularity"].astype("float64")
    columns |= {name: cleaned[name].astype("float64") for name in AUDIO_NAMES}
    for name in LOGARITHMS:
        columns[f"log_{name}"] = _logarithm(cleaned[name].to_numpy(dtype=np.float64))
    for field, choices in (("key", KEYS), ("mode", MODES), ("time_signature", TIME_SIGNATURES)):
        columns |= _one_hot(cleaned[field], field, choices)
    columns |= _title_flags(cleaned["title"])
    columns["schema_version"] = np.full(len(cleaned), SCHEMA_VERSION, dtype=np.int64)
    columns |= _genre_flags(cleaned["genres"], genres)
    return pd.DataFrame(columns, index=cleaned.index)


def genre_columns(frame: pd.DataFrame) -> list[str]:
    """The `genre=<name>` columns of a ready table, in their order."""
    return [name for name in frame.columns if name.startswith(GENRE_PREFIX)]


def features_of(song: Mapping[str, Any]) -> dict[str, float]:
    """MODEL_FEATURES of one song, a row of a cleaned table, as `add_features` has them.

    A table costs milliseconds however short it is, and a song whose sliders move has no time for
    that. NaN where the song does not say.
    """
    numbers = {name: song[name] for name in ("release_year", *AUDIO_NAMES)}
    found = {name: math.nan if value is None else value for name, value in numbers.items()}
    logarithms = _logarithm(np.array([found[name] for name in LOGARITHMS]))
    found |= zip(_LOGS, logarithms.tolist(), strict=True)
    for field, column, choice in _ONE_HOT:
        found[column] = math.nan if song[field] is None else float(song[field] == choice)
    found |= dict.fromkeys(_FLAGS, 0.0)
    found |= {f"title_{flag}": 1.0 for flag in title_flags(song["title"])}
    return found


def title_flags(title: str | None) -> tuple[str, ...]:
    """Which of TITLE_FLAGS a title has."""
    plain = (title or "").casefold()
    return tuple(
        flag
        for flag, (_, stems) in TITLE_FLAGS.items()
        if any(stem in plain for stem in stems) and _PATTERNS[flag].search(plain)
    )


def read_ready(body: bytes) -> pd.DataFrame:
    """The ready table in `body`, as `add_features` made it.

    Raises `WrongSchema` when a column is missing, unknown or out of place, when a cell is not of
    its column's kind, or when the schema version is another.
    """
    try:
        header = tuple(pd.read_csv(io.BytesIO(body), nrows=0, dtype=str).columns)
        _check_header(header)
        table = pd.read_csv(
            io.BytesIO(body),
            dtype=_kinds(header),
            keep_default_na=False,
            na_values=[""],
        )
    except (ValueError, UnicodeDecodeError, OverflowError) as error:
        raise WrongSchema(f"the prepared table cannot be read: {error}") from error
    other = table.loc[table["schema_version"] != SCHEMA_VERSION, "schema_version"]
    if len(other):
        raise WrongSchema(
            f"the prepared table has schema version {other.iloc[0]}; expected {SCHEMA_VERSION}"
        )
    return table


def _check_header(header: tuple[str, ...]) -> None:
    fixed, rest = header[: len(FEATURES)], header[len(FEATURES) :]
    missing = [name for name in FEATURES if name not in header]
    if missing:
        raise WrongSchema(f"the prepared table lacks the columns {missing}; expected all of them")
    if fixed != FEATURES:
        raise WrongSchema(
            f"the prepared table begins with the columns {list(fixed)}; expected {list(FEATURES)}"
        )
    unknown = [name for name in rest if not name.startswith(GENRE_PREFIX)]
    if unknown or list(rest) != sorted(set(rest)):
        raise WrongSchema(
            f"the prepared table ends with the columns {list(rest)}; expected only "
            f"{GENRE_PREFIX}<name> columns, sorted and each once"
        )
    parted = [name for name in rest if ROW_SEPARATOR in name]
    if parted:
        raise WrongSchema(
            f"the prepared table has the column {parted[0]!r}; expected no genre with "
            f"{ROW_SEPARATOR!r}, which separates rows in row_genres"
        )


def _kinds(header: Iterable[str]) -> dict[str, str]:
    """The kind of every column: text, whole numbers that are never missing, or numbers."""
    kinds = dict.fromkeys(header, "float64")
    kinds |= dict.fromkeys(_TEXTS, "str")
    kinds |= {name: "int8" for name in header if name.startswith(("title_", GENRE_PREFIX))}
    kinds["schema_version"] = "int64"
    return kinds


def _logarithm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.round(np.log(values + _SHIFT), _LOG_DECIMALS)


def _one_hot(
    words: "pd.Series[str]", field: str, choices: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    codes, seen = pd.factorize(words)
    unknown = [word for word in seen if word not in choices]
    if unknown:
        raise InvalidSong(f"unknown {field} {unknown[0]!r}; expected one of {', '.join(choices)}")
    number = np.array([*(choices.index(word) for word in seen), -1])[codes]
    flags = {
        f"{field}={choice}": (number == place).astype(np.float64)
        for place, choice in enumerate(choices)
    }
    for column in flags.values():
        column[number < 0] = np.nan
    return flags


def _title_flags(titles: "pd.Series[str]") -> dict[str, NDArray[np.int8]]:
    """Whether each title says what its flag asks for; a missing title says nothing."""
    texts = titles.to_numpy(dtype=object)
    plain = [title.casefold() if isinstance(title, str) else "" for title in texts]
    # One search through all titles at once finds the few that hold a stem.
    together = "\n".join(plain)
    begins = np.cumsum([0, *(len(title) + 1 for title in plain)])
    flags = {}
    for flag, (_, stems) in TITLE_FLAGS.items():
        found = np.zeros(len(plain), dtype=np.int8)
        pattern = _PATTERNS[flag]
        places = [place for stem in stems for place in _places(stem, together)]
        for row in np.unique(np.searchsorted(begins, places, side="right") - 1).tolist():
            found[row] = pattern.search(plain[row]) is not None
        flags[f"title_{flag}"] = found
    return flags


def _places(stem: str, text: str) -> Iterator[int]:
    """Where `stem` stands in `text`; much quicker than a regular expression without a pattern."""
    place = text.find(stem)
    while place >= 0:
        yield place
        place = text.find(stem, place + len(stem))


def _genre_flags(
    joined: "pd.Series[str]", known: Collection[str] | None
) -> dict[str, NDArray[np.int8]]:
    codes, texts = pd.factorize(joined)
    of_text = [tuple(text.split(GENRE_SEPARATOR)) if text else () for text in texts]
    seen = {genre for genres in of_text for genre in genres}
    if known is not None and (unknown := sorted(seen - set(known))):
        raise InvalidSong(
            f"unknown genre {unknown[0]!r}; expected one of {', '.join(sorted(known))}"
        )
    names = sorted(seen if known is None else known)
    place = {name: number for number, name in enumerate(names)}
    # The row after the last text stands for a missing one, which factorize codes as -1.
    member = np.zeros((len(of_text) + 1, len(names)), dtype=np.int8)
    for row, genres in enumerate(of_text):
        member[row, [place[genre] for genre in genres]] = 1
    return {f"{GENRE_PREFIX}{name}": member[codes, number] for name, number in place.items()}
