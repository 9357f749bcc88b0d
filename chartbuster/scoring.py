"""From what somebody says about a song to the ready table a run's models take.

Whatever is not said gets the run's default: the one of the song's genre, else the overall one. What
cannot be right raises `InvalidSong` with the attribute, its value and what would be right.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from chartbuster.cleaning import CLEANED_COLUMNS
from chartbuster.errors import InvalidSong
from chartbuster.features import add_features
from chartbuster.runs import Inputs
from chartbuster.songs import (
    ATTRIBUTE,
    AUDIO_NAMES,
    GENRE_SEPARATOR,
    KEYS,
    MODES,
    POPULARITY,
    RELEASE_YEAR,
    TIME_SIGNATURES,
    Attribute,
    genre_name,
)

LETTERS: Mapping[str, Sequence[str]] = {
    "key": KEYS,
    "mode": MODES,
    "time_signature": TIME_SIGNATURES,
}
TEXTS = ("title", "artist")
KNOWN = ("genre", *AUDIO_NAMES, *LETTERS, RELEASE_YEAR.name, *TEXTS)
"""Every attribute a song may have here; none is required."""

_NUMBERS = ATTRIBUTE | {RELEASE_YEAR.name: RELEASE_YEAR}
LONGEST_TEXT = 2_000
"""So many characters a title or an artist may have."""


def completed(song: Mapping[str, Any], inputs: Inputs) -> dict[str, Any]:
    """`song` with every attribute the models see: as given where given, else by default.

    `genre` is a genre or several of `inputs.genres`, as a list or joined by `;`, in any spelling
    `genre_name` knows; in the result it is a list. An attribute that the run's data never had is
    None. Raises `InvalidSong`.
    """
    _refuse_unknown(song)
    genres = _checked("genre", song.get("genre"), inputs) or []
    result: dict[str, Any] = {"genre": genres}
    for name in (*AUDIO_NAMES, RELEASE_YEAR.name, *LETTERS):
        given = _checked(name, song.get(name), inputs)
        result[name] = default_of(name, genres, inputs) if given is None else given
    for name in TEXTS:
        result[name] = _checked(name, song.get(name), inputs)
    return result


def faults(song: Mapping[str, Any], inputs: Inputs) -> tuple[InvalidSong, ...]:
    """Everything that keeps `song` from being scored, one error per attribute."""
    found = []
    for name, given in song.items():
        try:
            _refuse_unknown((name,))
            _checked(name, given, inputs)
        except InvalidSong as error:
            found.append(error)
    return tuple(found)


def assumed(song: Mapping[str, Any], inputs: Inputs) -> dict[str, float | str]:
    """What `completed` takes for the attributes that `song` does not say."""
    return {
        name: value
        for name, value in completed(song, inputs).items()
        if song.get(name) is None and isinstance(value, float | str)
    }


def song_table(songs: Sequence[Mapping[str, Any]], inputs: Inputs) -> pd.DataFrame:
    """The ready table of `songs`, one row each in their order; raises `InvalidSong`.

    Its genre columns are those of `inputs`, its popularity is missing: that is what is asked.
    """
    rows = [completed(song, inputs) for song in songs]
    columns: dict[str, pd.Series] = {}
    for name in CLEANED_COLUMNS:
        if name == "song_id":
            columns[name] = pd.Series([f"song {n}" for n in range(len(rows))], dtype="str")
        elif name == "genres":
            joined = [GENRE_SEPARATOR.join(row["genre"]) or None for row in rows]
            columns[name] = pd.Series(joined, dtype="str")
        elif name == POPULARITY.name:
            columns[name] = pd.Series([math.nan] * len(rows), dtype="float64")
        else:
            kind = "float64" if name in _NUMBERS else "str"
            columns[name] = pd.Series([row[name] for row in rows], dtype=kind)
    return add_features(pd.DataFrame(columns), genres=inputs.genres)


def _refuse_unknown(names: Iterable[str]) -> None:
    expected = f"one of {', '.join(KNOWN)}"
    for name in names:
        if name not in KNOWN:
            raise InvalidSong(
                f"unknown attribute {_short(name)}; expected {expected}",
                attribute=name,
                expected=expected,
            )


def _checked(name: str, given: Any, inputs: Inputs) -> Any:
    """The value of an attribute as the models have it, None where there is none."""
    if given is None:
        return None
    if name == "genre":
        return _genres(given, inputs)
    if name in _NUMBERS:
        return _number(_NUMBERS[name], given)
    return _choice(name, given, LETTERS[name]) if name in LETTERS else _text(name, given)


def _genres(given: Any, inputs: Inputs) -> list[str]:
    several = given.split(";") if isinstance(given, str) else given
    if not isinstance(several, list | tuple) or not all(isinstance(g, str) for g in several):
        raise _wrong("genre", given, "a genre, or a list of them")
    spelt = {known.casefold(): known for known in inputs.genres}
    names = [genre_name(genre) for genre in several]
    if isinstance(given, str):
        # Nothing between two separators, or after the last one, is no genre.
        names = [name for name in names if name] or names[:1]
    for name in names:
        if name.casefold() not in spelt:
            known = ", ".join(inputs.genres)
            expected = f"one of {known}" if known else "none: the data has no genres"
            raise InvalidSong(
                f"unknown genre {_short(name)}; expected {expected}",
                attribute="genre",
                value=name,
                expected=expected,
            )
    return sorted({spelt[name.casefold()] for name in names})


def default_of(name: str, genres: Sequence[str], inputs: Inputs) -> float | str | None:
    """What is assumed of `name`: the default of the first genre that has one, else overall."""
    for genre in genres:
        if name in (of_genre := inputs.genre_defaults.get(genre, {})):
            return of_genre[name]
    if name in inputs.audio:
        return inputs.audio[name].default
    if name == RELEASE_YEAR.name:
        return inputs.release_year.default if inputs.release_year else None
    letters = {
        "key": inputs.key,
        "mode": inputs.mode,
        "time_signature": inputs.time_signature,
    }
    return letters.get(name)


def _number(attribute: Attribute, given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _wrong(attribute.name, given, f"a number from {attribute.range}")
    if not attribute.low <= given <= attribute.high:
        raise InvalidSong(
            f"{attribute.name} is {_short(given)}, which is out of range; "
            f"expected {attribute.range}",
            attribute=attribute.name,
            value=given,
            expected=f"a number from {attribute.range}",
        )
    return float(given)


def _choice(name: str, given: Any, choices: Sequence[str]) -> str:
    if not isinstance(given, str) or given not in choices:
        raise _wrong(name, given, f"one of {', '.join(choices)}")
    return given


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str) or len(given) > LONGEST_TEXT:
        raise _wrong(name, given, f"text of at most {LONGEST_TEXT} characters")
    return given


def _wrong(name: str, given: Any, expected: str) -> InvalidSong:
    return InvalidSong(
        f"{name} is {_short(given)}; expected {expected}",
        attribute=name,
        value=given,
        expected=expected,
    )


def _short(given: Any) -> str:
    return repr(given)[:60]
