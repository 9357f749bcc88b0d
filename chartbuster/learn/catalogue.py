"""The song catalogue of a run as Parquet: what the app searches, and nothing it does not show."""

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from chartbuster.features import GENRE_PREFIX, genre_columns
from chartbuster.songs import AUDIO_NAMES, KEYS, MODES, TIME_SIGNATURES


def catalogue(songs: pd.DataFrame) -> bytes:
    """`songs` (a ready table) as Parquet, the same bytes for the same songs.

    Columns: song_id, artist, title (text), release_year, popularity, audio attributes (float64),
    key, mode, time_signature (text) and genres (a list of text, in alphabetical order).
    """
    numbers = ("release_year", "popularity", *AUDIO_NAMES)
    columns: dict[str, pa.Array] = {
        name: _text(songs[name]) for name in ("song_id", "artist", "title")
    }
    columns |= {name: _number(songs[name]) for name in numbers}
    for attribute, letters in (
        ("key", KEYS),
        ("mode", MODES),
        ("time_signature", TIME_SIGNATURES),
    ):
        columns[attribute] = _letters(songs, attribute, letters)
    columns["genres"] = _genres(songs)
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written, compression="zstd")
    return written.getvalue()


def _text(values: pd.Series) -> pa.Array:
    known = values.astype(object).where(values.notna(), None)
    return pa.array([None if v is None else str(v) for v in known], type=pa.string())


def _number(values: pd.Series) -> pa.Array:
    return pa.array(values.to_numpy(dtype=np.float64, na_value=np.nan), from_pandas=True)


def _letters(songs: pd.DataFrame, attribute: str, letters: Sequence[str]) -> pa.Array:
    hot = songs[[f"{attribute}={letter}" for letter in letters]].fillna(0).to_numpy(dtype=float)
    place = np.where(hot.max(axis=1) > 0, hot.argmax(axis=1), -1)
    return pa.array([letters[n] if n >= 0 else None for n in place], type=pa.string())


def _genres(songs: pd.DataFrame) -> pa.Array:
    columns = sorted(genre_columns(songs))
    names = [name.removeprefix(GENRE_PREFIX) for name in columns]
    hot = songs[columns].fillna(0).to_numpy(dtype=float) > 0
    return pa.array(
        [[names[n] for n in np.flatnonzero(row)] for row in hot], type=pa.list_(pa.string())
    )
