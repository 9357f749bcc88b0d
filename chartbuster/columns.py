"""Which column of a table holds what: recognised by rule from the words of its name.

A name is taken apart into words (`trackName`, `track_name`, `Track.Name` and `trackname` are all
`track name`), plurals and abbreviations are undone, and a column is a field's when its words are
one of the field's phrases plus words that only say whose it is (`song_popularity`) or in what unit
(`Loudness (dB)`). So `artist_popularity` is not a song's popularity, and `album_name` no title.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from chartbuster.errors import UnreadableUpload
from chartbuster.songs import AUDIO_NAMES, POPULARITY

# Of several durations the one that says it is in milliseconds is the most exact.
_UNIT_ORDER: Mapping[str | None, int] = {"ms": 0, None: 1, "s": 2, "min": 3, "percent": 4}
UNITS = frozenset({"ms", "s", "min", "percent", "db", "bpm"})

_SYNONYMS = {
    "decibel": "db",
    "dnce": "danceability",
    "dur": "duration",
    "length": "duration",
    "metre": "meter",
    "millisecond": "ms",
    "milli": "ms",
    "msec": "ms",
    "minute": "min",
    "nrgy": "energy",
    "pct": "percent",
    "perc": "percent",
    "percentage": "percent",
    "performer": "artist",
    "released": "release",
    "sec": "s",
    "second": "s",
    "singer": "artist",
    "spch": "speechiness",
}
_AUDIO_EXTRAS = UNITS | frozenset(
    {"audio", "track", "song", "music", "feature", "spotify", "score", "value", "average", "avg"}
    | {"mean", "overall"}
)


@dataclass(frozen=True)
class _Field:
    """What a field's columns are called: phrases, the best first, and words that may join them."""

    name: str
    phrases: tuple[frozenset[str], ...]
    extras: frozenset[str]


def _field(name: str, phrases: str, extras: Collection[str]) -> _Field:
    """A field whose phrases are written one after another, separated by commas."""
    return _Field(
        name, tuple(frozenset(phrase.split()) for phrase in phrases.split(",")), frozenset(extras)
    )


_MEASURES = {
    "duration_ms": "duration",
    "loudness": "loudness,db",
    "tempo": "tempo,bpm,beat per min",
}
_FIELDS = (
    _field("popularity", "popularity", {"track", "song", "spotify", "score", "index", "value"}),
    _field(
        "song_id",
        "track id,song id,track uri,song uri,spotify id,spotify uri,track url,uri,id",
        {"spotify", "track", "song"},
    ),
    _field(
        "artist", "artist name,artist,band", {"track", "song", "main", "primary", "lead", "name"}
    ),
    _field(
        "title",
        "track name,song name,track title,song title,title,track,song,name",
        {"track", "song", "spotify", "name"},
    ),
    _field(
        "genre",
        "genre,track genre,music genre,main genre,primary genre,top genre,playlist genre,"
        "artist genre,album genre",
        {"track", "song", "name", "playlist", "music", "spotify"},
    ),
    _field(
        "subgenre",
        "subgenre,sub genre",
        {"track", "song", "name", "playlist", "music", "spotify", "artist", "album"},
    ),
    _field("release_year", "release year,release date,year,album year", {"track", "album", "song"}),
    *(_field(name, _MEASURES.get(name, name), _AUDIO_EXTRAS) for name in AUDIO_NAMES),
    _field(
        "key",
        "key,key signature,pitch class",
        {"audio", "track", "song", "music", "musical", "name", "note", "root"},
    ),
    _field("mode", "mode,modality", {"audio", "track", "song", "music", "musical", "name"}),
    _field(
        "time_signature",
        "time signature,meter,beat per bar,signature",
        {"audio", "track", "song", "music", "musical"},
    ),
)
FIELDS = tuple(field.name for field in _FIELDS)

# An abbreviation such as `acous`, `val` or `pop` stands for the one measure it begins.
_MEASURE_WORDS = tuple(
    sorted({"duration", "popularity", *(name for name in AUDIO_NAMES if name != "duration_ms")})
)
_SHORTEST_ABBREVIATION = 3
# Every exact name beats every abbreviation.
_ABBREVIATED = 100

# Names written together, such as `trackname`, are taken apart into these words.
_VOCABULARY = (
    frozenset().union(*(phrase for field in _FIELDS for phrase in field.phrases))
    | frozenset().union(*(field.extras for field in _FIELDS))
    | {"album", "count", "number", "follower", "release", "ms", "sec", "duration", "label"}
)


@dataclass(frozen=True)
class Understood:
    """A column that was recognised: its place and name, the field it holds, the unit it names."""

    field: str
    index: int
    column: str
    unit: str | None


@dataclass(frozen=True)
class Recognised:
    """What the columns of a table are; `notes` say how ambiguities were settled."""

    fields: Mapping[str, Understood]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def recognise(
    header: Sequence[str], *, counting: Collection[int] = (), needs_popularity: bool = True
) -> Recognised:
    """What each column of `header` holds.

    `counting` are the places of columns that only number the rows: those are nobody's id. Of
    several columns for one field the one that names it most plainly is used, then the first.
    Raises `UnreadableUpload` when there is no popularity but it is needed, naming the columns seen.
    """
    words = [(place, name, _words(name)) for place, name in enumerate(header)]
    fields: dict[str, Understood] = {}
    notes: list[str] = []
    for field in _FIELDS:
        ranked = sorted(
            (rank, _UNIT_ORDER.get(unit := _unit(field, seen), 0), place, name, unit)
            for place, name, seen in words
            if (rank := _rank(field, seen)) is not None
            and not (field.name == "song_id" and place in counting)
        )
        if not ranked:
            continue
        _, _, place, name, unit = ranked[0]
        fields[field.name] = Understood(field.name, place, name, unit)
        if others := [other for _, _, _, other, _ in ranked[1:]]:
            notes.append(
                f"{field.name} is read from the column {name!r}; {listed(others)} could have been "
                "it too and was not used"
            )
    if needs_popularity and "popularity" not in fields:
        raise UnreadableUpload(
            f"no column holds the popularity; the columns are {listed(header)}; expected one "
            "named popularity, track_popularity, song_popularity or pop, from "
            f"{POPULARITY.range}"
        )
    used = {understood.index for understood in fields.values()}
    return Recognised(
        fields=MappingProxyType(fields),
        ignored=tuple(name for place, name in enumerate(header) if place not in used),
        notes=tuple(notes),
    )


def _rank(field: _Field, words: frozenset[str]) -> tuple[int, int] | None:
    """How plainly `words` name `field`, the least first; None when they do not."""
    for penalty, seen in ((0, words), (_ABBREVIATED, _spelt_out(words))):
        for rank, phrase in enumerate(field.phrases):
            extra = seen - phrase
            if phrase <= seen and extra <= field.extras:
                return penalty + rank, len(extra - UNITS)
    return None


def _unit(field: _Field, words: frozenset[str]) -> str | None:
    """The unit a column's name gives beside the field's own words: `min` in `duration_min`."""
    named = [unit for unit in ("ms", "s", "min", "percent") if unit in words]
    return named[0] if named and field.name in AUDIO_NAMES and field.name != "tempo" else None


def _spelt_out(words: frozenset[str]) -> frozenset[str]:
    return frozenset(_measure(word) for word in words)


def _measure(word: str) -> str:
    """The measure that `word` abbreviates, or the word itself."""
    begun = [measure for measure in _MEASURE_WORDS if measure.startswith(word)]
    return begun[0] if len(word) >= _SHORTEST_ABBREVIATION and len(begun) == 1 else word


def _words(name: str) -> frozenset[str]:
    """The words of a column's name, in the singular and without abbreviations of units."""
    plain = unicodedata.normalize("NFKC", name)
    plain = plain.replace("(s)", "s").replace("%", " percent ")
    plain = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", plain).casefold()
    found = re.findall(r"[^\W_]+", plain)
    return frozenset(word for each in found for word in _taken_apart(each))


def _taken_apart(word: str) -> tuple[str, ...]:
    # Names of columns are short; a longer word is no name worth taking apart.
    parts = _split(word) if len(word) <= 60 else ()
    return tuple(_SYNONYMS.get(part, part) for part in parts or (_singular(word),))


@cache
def _split(word: str) -> tuple[str, ...]:
    """`word` as a sequence of words of the vocabulary, the longest first; empty if it is none."""
    for end in range(len(word), 0, -1):
        for head in (word[:end], _singular(word[:end])):
            if head in _VOCABULARY or head in _SYNONYMS:
                if end == len(word):
                    return (head,)
                if tail := _split(word[end:]):
                    return (head, *tail)
    return ()


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def listed(names: Sequence[str]) -> str:
    """Names for a message, the first 40 of them, each cut to a readable length."""
    shown = ", ".join(repr(name[:60]) for name in names[:40])
    return f"{shown} and {len(names) - 40} more" if len(names) > 40 else shown
