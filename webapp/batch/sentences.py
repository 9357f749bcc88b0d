"""What the page Batch says of a file, as values: sentences (Markdown) and tables (HTML)."""

from collections.abc import Mapping, Sequence

from chartbuster.batches import LETTERS_EXPECTED, Tally, Understanding, looked_at
from chartbuster.checking import Checked
from chartbuster.markup import Markup, element, joined
from chartbuster.runs import Inputs
from chartbuster.songs import ATTRIBUTE, RELEASE_YEAR
from webapp.batch.limits import LIMITS
from webapp.limits import UPLOAD_MEGABYTES
from webapp.words import plain

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = {"utf-16-le": ", in UTF-16", "utf-16-be": ", in UTF-16"}
_UNITS = {"ms": "milliseconds", "s": "seconds", "min": "minutes"}
_ROLES = {
    "genre": "one or several",
    "subgenre": "one more genre",
    "song_id": "which song it is",
    "artist": "who it is by",
    "title": "what it is called",
}
_MOST_COUNTED = 8
_MOST_NAMED = 30
_LONGEST = 80

GUIDE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "song_id": ("any text; comes back as it is", ("track_id", "spotify_uri", "id")),
    "artist": (
        "any text; comes back as it is, and some models know artists",
        ("artist_name", "band"),
    ),
    "title": (
        "any text; comes back as it is, and words such as remix or live count",
        ("track_name", "song_title", "name"),
    ),
    "genre": ("one or several, separated by ; or |", ("genre", "track_genre", "playlist_genre")),
    "subgenre": ("one more genre", ("subgenre", "playlist_subgenre")),
    "acousticness": ("", ("acousticness", "acous")),
    "danceability": ("", ("danceability", "dnce")),
    "duration_ms": (
        "milliseconds, seconds, minutes or m:ss; the name or the values say which",
        ("duration_ms", "length_sec", "Duration (min)"),
    ),
    "energy": ("", ("energy", "nrgy")),
    "instrumentalness": ("", ("instrumentalness",)),
    "liveness": ("", ("liveness", "live")),
    "loudness": ("", ("loudness", "dB")),
    "speechiness": ("", ("speechiness", "spch")),
    "tempo": ("", ("tempo", "bpm")),
    "valence": ("", ("valence", "val")),
    "key": ("", ("key", "pitch_class")),
    "mode": ("", ("mode", "modality")),
    "time_signature": ("", ("time_signature", "meter")),
    "release_year": ("a date will do", ("year", "release_date", "track_album_release_date")),
}
"""The fields that are understood: what has to be said beside their range, and names of columns."""


def limits() -> str:
    """What a file may be, before anybody uploads one."""
    return (
        f"- **Size**: up to {UPLOAD_MEGABYTES} MB as it is uploaded, "
        f"{LIMITS.unpacked // 2**20} MB unpacked, {LIMITS.rows:,} rows. For more there is "
        "`make score DATA=songs.csv OUT=scored.csv`, which knows no limit.\n"
        "- **Format**: CSV with a line of column names, separated by commas, semicolons or tabs, "
        "plain or gzip; UTF-8, UTF-16 or Windows-1252.\n"
        "- **Columns**: in any order, under the names that exports give them. What a song lacks is "
        "assumed, and every row says what was. A popularity in the file is not looked at.\n"
        "- **The file is not kept**: it is in this server's memory until you remove it or upload "
        "another, and for some minutes after you close the page. Nothing is stored, and no model "
        "learns from it."
    )


def guide() -> Markup:
    """The columns that are understood, with what they may hold and what they may be called."""
    return _table(
        ("Attribute", "What it may be, and names of its column"),
        [
            (
                element("strong", name),
                joined(
                    "; ".join(part for part in (_expected(name), says) if part),
                    element("br"),
                    f"called {', '.join(names)}",
                ),
            )
            for name, (says, names) in GUIDE.items()
        ],
    )


def understood(how: Understanding, inputs: Inputs) -> Markup:
    """Which column is read as what, and in which unit."""
    fields = how.recognised.fields
    known = set(looked_at(inputs))
    return _table(
        ("Column of the file", "Read as", "Which is"),
        [
            (each.column[:_LONGEST], element("strong", each.field), _role(each.field, how, known))
            for each in sorted(fields.values(), key=lambda found: found.index)
        ],
    )


def form(checked: Checked) -> str:
    """How the file is written: `21 columns, separated by semicolons`, as a sentence."""
    columns = counted(len(checked.how.header), "column")
    delimiter = _DELIMITERS.get(checked.delimiter, "commas")
    return f"{columns}, separated by {delimiter}{_ENCODINGS.get(checked.encoding, '')}."


def ignored(how: Understanding) -> str:
    """The columns nothing is read from; no text where there are none."""
    names = [name.strip()[:_LONGEST] or "(no name)" for name in how.recognised.ignored]
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"**Ignored**: {', '.join(map(plain, names[:_MOST_NAMED]))}{more}."


def absent(how: Understanding, inputs: Inputs) -> str:
    """What the file has no column for, so that it is assumed for every song; else no text."""
    names = [name for name in looked_at(inputs) if name not in how.recognised.fields]
    if inputs.genres and not {"genre", "subgenre"} & set(how.recognised.fields):
        names.insert(0, "genre")
    if not names:
        return ""
    whose = "what is usual in the song's genre" if "genre" not in names else "what is usual"
    return f"**Not in the file**: {', '.join(map(plain, names))}. Assumed is {whose}."


def outlook(tally: Tally) -> str:
    """What will become of the rows."""
    said = f"**{tally.scored:,} of {counted(tally.rows, 'row')}** can be scored"
    if tally.rejected:
        said += f", {tally.rejected:,} cannot"
    if tally.assumed:
        said += f"; for {tally.assumed:,} something has to be assumed"
    return said + "."


def summary(tally: Tally) -> str:
    """What became of the rows: `412 scored, 3 rejected`, as a sentence."""
    parts = [f"**{tally.scored:,} scored**", f"{tally.rejected:,} rejected"]
    if tally.assumed:
        parts.append(f"{tally.assumed:,} with something assumed")
    return ", ".join(parts) + "."


def causes(tally: Tally) -> Markup:
    """Why rows are rejected, the commonest reasons first."""
    return _table(
        ("Why a row is rejected", "Rows"),
        [(why, f"{rows:,}") for why, rows in tally.causes.most_common(_MOST_NAMED)],
    )


def unknown_genres(tally: Tally) -> str:
    """The genres the model does not know; no text where it knows all."""
    if not tally.unknown_genres:
        return ""
    names = [
        f"{plain(name[:_LONGEST])} ({counted(rows, 'row')})"
        for name, rows in tally.unknown_genres.most_common(_MOST_COUNTED)
    ]
    others = len(tally.unknown_genres) - len(names)
    more = f" and {others:,} more" if others else ""
    return (
        f"**Genres the model does not know**: {', '.join(names)}{more}. They are left out; a song "
        "without any genre that it knows is scored as one without genre."
    )


def spread(popularity: Sequence[float]) -> str:
    """The predictions in a sentence; they are sorted."""
    middle = popularity[len(popularity) // 2]
    return f"From {popularity[0]:.1f} to {popularity[-1]:.1f}, half of them above {middle:.1f}."


def counted(number: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _expected(name: str) -> str:
    """What a field may hold, for those that cannot hold everything."""
    if name in LETTERS_EXPECTED:
        return LETTERS_EXPECTED[name]
    if name == RELEASE_YEAR.name:
        return RELEASE_YEAR.range
    if name not in ATTRIBUTE or name == "duration_ms":
        return ATTRIBUTE[name].meaning if name in ATTRIBUTE else ""
    attribute = ATTRIBUTE[name]
    percent = " or percent" if (attribute.low, attribute.high) == (0, 1) else ""
    return f"{attribute.meaning}: {attribute.range}{percent}"


def _role(field: str, how: Understanding, known: set[str]) -> str:
    if field == "popularity":
        return "not looked at: it is what is asked"
    if field in _ROLES:
        return _ROLES[field]
    if field not in known:
        return "not looked at: the model's songs had none"
    if field in how.units.percent:
        return "in percent"
    if field == "duration_ms":
        return f"in {_UNITS[how.units.duration or 'ms']}"
    if field in ATTRIBUTE:
        return ATTRIBUTE[field].range
    return LETTERS_EXPECTED.get(field, "")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    head = element("tr", *(element("th", name, scope="col") for name in header))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    return element(
        "table", element("thead", head), element("tbody", *body), class_="cb-batch-table"
    )
