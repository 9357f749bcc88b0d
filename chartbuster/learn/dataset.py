"""From the ready tables of a dataset's uploads to the songs and the matrix models are fitted on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from chartbuster.errors import InvalidSong
from chartbuster.features import GENRE_PREFIX, MODEL_FEATURES, genre_columns
from chartbuster.learn.artists import ARTIST, artist_codes
from chartbuster.learn.rows import rows_together
from chartbuster.runs import AttributeRange, Inputs
from chartbuster.songs import AUDIO_NAMES, KEYS, MODES, RELEASE_YEAR, TIME_SIGNATURES


def merged(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per song of all `tables`, in the order of song ids.

    A song in several uploads has the genres and the rows of all, the median of its popularities,
    and each attribute from the first table that knows it.
    """
    songs = pd.concat(tables, ignore_index=True)
    genres = genre_columns(songs)
    songs[genres] = songs[genres].fillna(0.0)
    several = songs["song_id"].duplicated(keep=False)
    if several.any():
        grouped = songs.groupby("song_id", sort=True)
        first = grouped.first()
        first["popularity"] = grouped["popularity"].median()
        first[genres] = grouped[genres].max()
        rows = rows_together(songs[several])
        first.loc[rows.index, "row_genres"] = rows
        songs = first.reset_index()
    else:
        songs = songs.sort_values("song_id", ignore_index=True)
    rest = [name for name in songs.columns if name not in genres]
    return songs[[*rest, *sorted(genres)]].copy()


def model_columns(songs: pd.DataFrame) -> tuple[str, ...]:
    """The columns of the model matrix in their order: what the songs have of an artist, features
    and genres.
    """
    artist = [ARTIST] if songs[ARTIST].notna().any() else []
    features = [name for name in MODEL_FEATURES if songs[name].notna().any()]
    return (*artist, *features, *genre_columns(songs))


def matrix(songs: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The numbers models see, float64, one row per song and the columns in the order given.

    An artist becomes a number (`artists.artist_codes`). A genre column the songs lack is 0, as the
    ready table defines it; any other column they lack raises `InvalidSong`, and so does one that
    holds text.
    """
    lacking = [name for name in columns if name not in songs and not name.startswith(GENRE_PREFIX)]
    if lacking:
        raise InvalidSong(f"the table lacks {', '.join(lacking)}; the models need every one")
    there = [n for n, name in enumerate(columns) if name in songs and name != ARTIST]
    values = np.zeros((len(songs), len(columns)))
    if ARTIST in columns:
        values[:, columns.index(ARTIST)] = artist_codes(songs[ARTIST])
    try:
        found = songs[[columns[n] for n in there]]
        values[:, there] = found.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InvalidSong(f"the table holds text where models need numbers: {error}") from error
    genres = [n for n, name in enumerate(columns) if name.startswith(GENRE_PREFIX)]
    values[:, genres] = np.nan_to_num(values[:, genres], nan=0.0)
    return pd.DataFrame(values, columns=list(columns), index=songs.index)


def inputs_of(songs: pd.DataFrame) -> Inputs:
    """What the songs look like: ranges, medians and commonest letters, overall and per genre."""
    audio = {name: _range(songs[name]) for name in AUDIO_NAMES if bool(songs[name].notna().any())}
    year = songs[RELEASE_YEAR.name]
    genres = genre_columns(songs)
    return Inputs(
        audio=audio,
        release_year=_range(year) if bool(year.notna().any()) else None,
        key=_commonest(songs, "key", KEYS),
        mode=_commonest(songs, "mode", MODES),
        time_signature=_commonest(songs, "time_signature", TIME_SIGNATURES),
        genres=tuple(name.removeprefix(GENRE_PREFIX) for name in genres),
        genre_defaults={
            name.removeprefix(GENRE_PREFIX): _defaults(songs[songs[name] == 1], tuple(audio))
            for name in genres
        },
    )


def _range(values: pd.Series) -> AttributeRange:
    known = values.dropna().astype(float)
    return AttributeRange(float(known.min()), float(known.max()), float(known.median()))


def _commonest(songs: pd.DataFrame, attribute: str, letters: Sequence[str]) -> str | None:
    """The letter most songs have, the first of `letters` in a tie, None where no song says."""
    counts = [float(songs[f"{attribute}={letter}"].sum()) for letter in letters]
    return letters[int(np.argmax(counts))] if sum(counts) > 0 else None


def _defaults(songs: pd.DataFrame, audio: Sequence[str]) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for name in (*audio, RELEASE_YEAR.name):
        known = songs[name].dropna()
        if len(known):
            found[name] = float(known.median())
    for attribute, letters in (
        ("key", KEYS),
        ("mode", MODES),
        ("time_signature", TIME_SIGNATURES),
    ):
        letter = _commonest(songs, attribute, letters)
        if letter is not None:
            found[attribute] = letter
    return found
