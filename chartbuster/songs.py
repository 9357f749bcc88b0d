"""What a song is: its attributes with units and ranges, keys, modes, time signatures and genres.

Ranges and meanings follow Spotify's description of its audio features. Every table, form and error
message takes its names and bounds from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from chartbuster.identity import normalised


@dataclass(frozen=True)
class Attribute:
    """One numeric audio attribute; values outside `low` to `high` cannot be right."""

    name: str
    low: float
    high: float
    unit: str
    decimals: int
    meaning: str

    @property
    def range(self) -> str:
        """The bounds in words, for error messages: `0 to 1`, `-60 to 5 dB`."""
        return f"{self.low:g} to {self.high:g}{f' {self.unit}' if self.unit else ''}"


AUDIO = (
    Attribute("acousticness", 0, 1, "", 3, "how surely the recording is acoustic"),
    Attribute("danceability", 0, 1, "", 3, "how well it suits dancing"),
    Attribute("duration_ms", 1_000, 7_200_000, "ms", 0, "how long it lasts"),
    Attribute("energy", 0, 1, "", 3, "how intense and active it feels"),
    Attribute("instrumentalness", 0, 1, "", 4, "how surely it has no vocals"),
    Attribute("liveness", 0, 1, "", 3, "how surely an audience is heard"),
    Attribute("loudness", -60, 5, "dB", 2, "average loudness against full scale"),
    Attribute("speechiness", 0, 1, "", 3, "how much of it is spoken words"),
    Attribute("tempo", 20, 300, "beats per minute", 1, "how fast it goes"),
    Attribute("valence", 0, 1, "", 3, "how cheerful it sounds"),
)
AUDIO_NAMES = tuple(attribute.name for attribute in AUDIO)
ATTRIBUTE = {attribute.name: attribute for attribute in AUDIO}

POPULARITY = Attribute("popularity", 0, 100, "", 0, "Spotify's popularity, 100 for the most played")
RELEASE_YEAR = Attribute("release_year", 1860, 2100, "", 0, "the year it came out")

KEYS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""The pitch classes in Spotify's numbering: 0 is C, 11 is B."""

MODES = ("Minor", "Major")
"""The modes in Spotify's numbering: 0 is minor, 1 is major."""

TIME_SIGNATURES = ("1/4", "2/4", "3/4", "4/4", "5/4", "6/4", "7/4")

GENRE_SEPARATOR = "; "
"""What stands between the genres of one song in a cleaned table."""

ROW_SEPARATOR = "|"
"""What stands between the rows of one song in `row_genres`; it separates genres in a file of songs,
so no genre's name holds it."""

_SPELLINGS = {
    "a cappella": "A Capella",
    "a capella": "A Capella",
    "children's music": "Children's Music",
    "edm": "EDM",
    "hip hop": "Hip-Hop",
    "hip-hop": "Hip-Hop",
    "hiphop": "Hip-Hop",
    "r&b": "R&B",
    "r and b": "R&B",
    "rnb": "R&B",
    "r-n-b": "R&B",
}


def genre_name(spelling: str) -> str:
    """One name for the spellings of a genre: `pop` is `Pop`, both `Children’s Music` are one.

    A spelling with capitals of its own is kept; one without gets them word by word.
    """
    plain = " ".join(spelling.replace("’", "'").replace("`", "'").split())
    known = _SPELLINGS.get(normalised(plain))
    if known:
        return known
    if plain != plain.lower():
        return plain
    return " ".join(_SPELLINGS.get(word, word[:1].upper() + word[1:]) for word in plain.split())


ARTIST_SEPARATOR = "; "
"""What stands between the artists of one song in a cleaned table; the first is the lead artist."""

TITLE_FLAGS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        # A flag's pattern is tried only on titles holding one of its stems, which is far quicker.
        "remix": (r"\b(remix(es|ed)?|rmx)\b", ("remix", "rmx")),
        "mix": (r"\bmix\b", ("mix",)),
        # `Live Forever` is a name and `Hey Jude - Live` a recording: it must follow a dash or
        # a bracket.
        "live": (r"(?:[(\[]|[-–—] ).*\blive\b", ("live",)),
        "feat": (r"\b(feat|ft|featuring)\b|[(\[]with\b", ("feat", "ft", "(with", "[with")),
        "acoustic": (r"\b(acoustic|unplugged)\b", ("acoustic", "unplugged")),
        "remaster": (r"\bremaster(ed)?\b", ("remaster",)),
        "instrumental": (r"\b(instrumental|karaoke)\b", ("instrumental", "karaoke")),
        "version": (r"\b(version|ver)\b", ("ver",)),
        "edit": (r"\b(edit|edited)\b", ("edit",)),
        "soundtrack": (
            r"\b(soundtrack|theme|score|motion picture)\b|[(\[]from\b",
            ("soundtrack", "theme", "score", "motion picture", "(from", "[from"),
        ),
        "interlude": (r"\b(interlude|intro|outro|skit)\b", ("interlude", "intro", "outro", "skit")),
    }
)
"""What a title tells about the recording: name, pattern for the casefolded title, and its stems."""


def lead_artist(artist: str) -> str:
    """The first of the artists of a song, as a cleaned table spells them."""
    return artist.split(ARTIST_SEPARATOR, 1)[0]
