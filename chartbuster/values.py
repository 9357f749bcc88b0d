"""What one cell of a song table says: numbers, lengths of time, keys, signatures, years, names.

Each function takes a stripped text that is no stand-in for a missing value and returns what it
means, or None where it means nothing of the kind.
"""

import re

from chartbuster.songs import KEYS

STAND_INS = frozenset(
    {"", "na", "n/a", "#n/a", "#n/d", "<na>", "nan", "null", "(null)", "\\n", "none", "nil"}
    | {"-", "--", "–", "—", "?", ".", "empty_field", "empty", "missing", "unknown", "undefined"}
    | {"not available", "#value!", "#div/0!", "#ref!", "set()", "[]", "{}"}
)
"""Casefolded texts that stand for a missing value outside titles and names."""

_LONGEST_STAND_IN = max(map(len, STAND_INS))
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d(?:\.\d+)?)", re.ASCII)
_KEY = re.compile(
    r"([a-g])\s*(#|♯|sharp|b|♭|flat)?\s*(?:/.*|major|minor|maj|min|m)?", re.IGNORECASE
)
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d|2100)(?!\d)", re.ASCII)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_SPOTIFY_ID = re.compile(r"(?:^spotify:track:|/track/)([0-9A-Za-z]{22})")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_SIGNATURE = re.compile(r"(\d{1,2})(?:\s*/\s*(\d{1,2}))?", re.ASCII)
_DAY_MONTH = re.compile(r"(\d{1,2})[-. /]+([a-z]{3})[a-z]*\.?", re.ASCII)
_MONTH_DAY = re.compile(r"([a-z]{3})[a-z]*\.?[-. /]+(\d{1,2})", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-(\d{2})-(\d{2})(?:[ t].*)?", re.ASCII)
_SLASHED_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/\d{2,4}(?: .*)?", re.ASCII)
_SEMITONE = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_MODE = {"minor": 0, "min": 0, "moll": 0, "0": 0, "major": 1, "maj": 1, "dur": 1, "1": 1}


def is_stand_in(text: str) -> bool:
    """Whether `text` only says that a value is missing: empty, `NA`, `null`, `?` and the like."""
    return len(text) <= _LONGEST_STAND_IN and text.casefold() in STAND_INS


def number(text: str, *, whole: bool = False) -> float | None:
    """The number in `text`; a percent sign is dropped, a decimal comma understood.

    A comma before exactly three digits separates thousands where `whole` numbers are expected and
    decimals elsewhere; beside a point, whichever comes last separates decimals.
    """
    if _NUMBER.fullmatch(text):
        return float(text)
    plain = text.rstrip("%").replace("−", "-").replace("\u00a0", "").replace(" ", "")
    if "," in plain:
        if "." in plain:
            last = max(plain.rfind(","), plain.rfind("."))
            first = "," if plain[last] == "." else "."
            plain = plain.replace(first, "").replace(",", ".")
        elif whole and _THOUSANDS.fullmatch(plain):
            plain = plain.replace(",", "")
        else:
            plain = plain.replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def clock(text: str) -> float | None:
    """The seconds in `m:ss` or `h:mm:ss`."""
    match = _CLOCK.fullmatch(text)
    if not match:
        return None
    hours, minutes, seconds = match.groups(default="0")
    return int(hours) * 3_600 + int(minutes) * 60 + float(seconds)


def key(text: str) -> int | None:
    """The pitch class, 0 for C to 11 for B: `1`, `1.0`, `C#`, `d♭`, `C#/Db`, `C# Minor`.

    -1 stands for none, as Spotify writes where it found no key.
    """
    value = number(text)
    if value is not None:
        return int(value) if value in range(-1, len(KEYS)) else None
    match = _KEY.fullmatch(text)
    if not match:
        return None
    accidental = (match[2] or "").lower()
    step = 0 if not accidental else 1 if accidental in {"#", "♯", "sharp"} else -1
    return (_SEMITONE[match[1].lower()] + step) % 12


def mode(text: str) -> int | None:
    """0 for minor, 1 for major: `0`, `1.0`, `Major`, `min`, `moll`; -1 where there is none."""
    value = number(text)
    if value is not None:
        return int(value) if value in {-1, 0, 1} else None
    return _MODE.get(text.casefold())


def time_signature(text: str) -> int | None:
    """The beats of a bar, 1 to 7, over a quarter: `4`, `4.0`, `4/4`, or the date Excel made of it.

    Excel reads `3/4` as the fourth of March: `4-Mar`, `04-Mar`, `Mar-04`, `2019-03-04 00:00:00`.
    So the month is the number of beats and the day must be 4. In `4/3/2019` either may come first.
    """
    plain = text.casefold()
    beats, per = _beats(plain)
    return beats if per == 4 and 1 <= beats <= 7 else None


def _beats(plain: str) -> tuple[int, int]:
    """The two numbers of a time signature; (0, 0) where there are none."""
    value = number(plain)
    if value is not None:
        return (int(value), 4) if value.is_integer() else (0, 0)
    if match := _SIGNATURE.fullmatch(plain):
        return int(match[1]), int(match[2] or 4)
    if match := _DAY_MONTH.fullmatch(plain):
        return _MONTHS.get(match[2], 0), int(match[1])
    if match := _MONTH_DAY.fullmatch(plain):
        return _MONTHS.get(match[1], 0), int(match[2])
    if match := _ISO_DATE.fullmatch(plain):
        return int(match[1]), int(match[2])
    if match := _SLASHED_DATE.fullmatch(plain):
        first, second = int(match[1]), int(match[2])
        return (first, second) if second == 4 else (second, first)
    return 0, 0


def year(text: str) -> int | None:
    """The year of a date: the one number of four digits from 1800 to 2100 in it."""
    found = _YEAR.findall(text)
    return int(found[0]) if len(found) == 1 else None


def track_id(text: str) -> str:
    """The song's id; of a Spotify address or URI, the 22 characters that matter."""
    match = _SPOTIFY_ID.search(text) if "track" in text else None
    return match[1] if match else text


def names(text: str) -> tuple[str, ...]:
    """The names in a cell: `A`, `A;B`, or a list as Python prints it, `['A', 'B']`.

    A comma separates nothing outside such a list: `Earth, Wind & Fire` is one artist.
    """
    if ";" not in text and not text.startswith("["):
        plain = " ".join(text.split())
        return (plain,) if plain else ()
    if text.startswith("[") and text.endswith("]"):
        found = [single or double for single, double in _QUOTED.findall(text)]
        parts = [re.sub(r"\\(.)", r"\1", name) for name in found]
        # An unquoted list, `[A, B]`, is one some programs write.
        parts = parts or text[1:-1].split(",")
        parts = [piece for part in parts for piece in part.split(";")]
    else:
        parts = text.split(";")
    stripped = (" ".join(part.split()) for part in parts)
    return tuple(dict.fromkeys(part for part in stripped if part))


def genres(text: str) -> tuple[str, ...]:
    """The genres in a cell, separated by comma, semicolon or bar, or in a printed list."""
    if is_stand_in(text):
        return ()
    parts = (piece for name in names(text) for piece in re.split(r"[,|]", name))
    stripped = (part.strip() for part in parts)
    return tuple(dict.fromkeys(part for part in stripped if part and not is_stand_in(part)))
