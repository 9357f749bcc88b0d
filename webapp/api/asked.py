"""What a request asks: from its body, which anybody may have written, to values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn

from chartbuster.runs import Inputs
from chartbuster.scoring import faults
from webapp.api.problems import Fault, Problem

MOST_BYTES = 1_000_000
"""A request's body is no larger."""

MOST_SONGS = 1_000
MOST_EXPLAINED = 50
"""So many songs one request may ask about, and about so many why."""

_MOST_FAULTS_OF_A_SONG = 20
_NAMES = ("dataset", "model", "run")
_MEMBERS = ("songs", *_NAMES, "explain")


@dataclass(frozen=True)
class Asked:
    """Songs as somebody described them, not checked yet, and which model is to answer.

    What is left open is None: the dataset shown first, its champion's run, and its champion.
    """

    songs: tuple[Mapping[str, Any], ...]
    dataset: str | None = None
    model: str | None = None
    run: str | None = None
    explain: bool = False


def asked(body: bytes) -> Asked:
    """What the body of a request asks; raises `Problem` with everything that is wrong about it."""
    value = _json(body)
    if not isinstance(value, dict):
        expected = 'an object like {"songs": [{"genre": "Pop"}]}'
        raise _invalid([_wrong("", "the body", value, expected)])
    members = f"one of {', '.join(_MEMBERS)}"
    unknown = [name for name in value if name not in _MEMBERS][:_MOST_FAULTS_OF_A_SONG]
    found = [
        Fault(_pointer(name), f"unknown member {name[:40]!r}; expected {members}", None, members)
        for name in unknown
    ]
    found += [
        _wrong(_pointer(name), name, value[name], "text")
        for name in _NAMES
        if not isinstance(value.get(name), str | None)
    ]
    explain = value.get("explain", False)
    if not isinstance(explain, bool):
        found.append(_wrong("/explain", "explain", explain, "true or false"))
    found += _songs(value.get("songs"), explain=explain is True)
    if found:
        raise _invalid(found)
    names = {name: value.get(name) for name in _NAMES}
    return Asked(songs=tuple(value["songs"]), explain=explain, **names)


def check(songs: Sequence[Mapping[str, Any]], inputs: Inputs) -> None:
    """Raise `Problem` with every fault of every song that cannot be scored."""
    found = [
        Fault(
            pointer=_pointer("songs", str(place), error.attribute),
            detail=str(error),
            value=error.value,
            expected=error.expected,
            song=place,
            attribute=error.attribute[:100],
        )
        for place, song in enumerate(songs)
        for error in faults(song, inputs)[:_MOST_FAULTS_OF_A_SONG]
    ]
    if found:
        raise _invalid(found)


def _songs(songs: Any, *, explain: bool) -> list[Fault]:
    if not isinstance(songs, list) or not songs:
        return [_wrong("/songs", "songs", songs, "a list of 1 or more songs")]
    most = MOST_EXPLAINED if explain else MOST_SONGS
    if len(songs) > most:
        told = " where explain is true" if explain else ""
        expected = f"at most {most:,}{told}"
        return [_wrong("/songs", "the number of songs", len(songs), expected)]
    return [
        Fault(
            pointer=f"/songs/{place}",
            detail=f"song {place} is {repr(song)[:40]}; expected an object of attributes",
            value=song,
            expected="an object of attributes",
            song=place,
        )
        for place, song in enumerate(songs)
        if not isinstance(song, dict)
    ]


def _json(body: bytes) -> Any:
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        # Half a character is JSON and no Unicode: nothing could be written about it.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise _malformed("it is nested too deeply") from None
    except ValueError as error:
        raise _malformed(str(error)[:200]) from error
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _malformed(why: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "malformed-json", f"the body is no JSON in UTF-8: {why}")


def _invalid(found: Sequence[Fault]) -> Problem:
    songs = {fault.song for fault in found if fault.song is not None}
    among = f" in {len(songs)} of the songs" if songs else ""
    things = "1 thing is" if len(found) == 1 else f"{len(found)} things are"
    detail = f"{things} wrong{among}; the first: {found[0].detail}"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, tuple(found))


def _wrong(pointer: str, what: str, value: Any, expected: str) -> Fault:
    given = "missing" if value is None else repr(value)[:60]
    return Fault(pointer, f"{what} is {given}; expected {expected}", value, expected)


def _pointer(*parts: str) -> str:
    escaped = (part[:100].replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)
