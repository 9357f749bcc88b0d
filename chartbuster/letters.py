"""What a dead letter says: which files it is about and why nobody could deal with it.

Letters come from a queue anybody may have written to, so nothing in one is taken for granted.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from chartbuster.ports import Letter

UPLOAD, TRAINING = "upload", "training"
"""Which queue a letter lies in: the Lambda's or the trainer's."""

_LONGEST = 300


@dataclass(frozen=True)
class Told:
    """A letter as people read it.

    `keys` are the objects it announces, of the raw bucket for an upload and of the ready bucket for
    a training; empty where it is no announcement, and `what` then shows how it begins.
    """

    id: str
    kind: str
    keys: tuple[str, ...]
    what: str
    reason: str
    sent: datetime


def told(letter: Letter, kind: str) -> Told:
    """What `letter` of the queue `kind` says; never raises for what it holds."""
    message = _mapping(letter.body)
    if kind == UPLOAD:
        keys = tuple(_keys(message.get("requestPayload")))
        reason = _lambdas_reason(message)
    else:
        keys = tuple(_keys(message))
        reason = letter.reason or (
            "the training failed as often as the queue tries again; the trainer's log says why"
        )
    what = ", ".join(keys) if keys else f"no announcement of a file: {_short(letter.body)!r}"
    return Told(letter.id, kind, keys, what, _short(reason, 1_000), letter.sent)


def _lambdas_reason(record: Mapping[str, Any]) -> str:
    """Why the Lambda failed, from the record its service leaves of an event that failed."""
    match record:
        case {"responsePayload": {"errorMessage": str(said)}} if said:
            return said
        case {"requestContext": {"condition": str(condition)}}:
            return f"the Lambda did not finish, and said nothing ({condition})"
    return "the letter does not say"


def _keys(event: object) -> Iterator[str]:
    """The keys an S3 notification names, as far as it is one."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    for record in records if isinstance(records, list) else []:
        match record:
            case {"s3": {"object": {"key": str(encoded)}}}:
                # S3 writes keys as in a query: a space is a plus sign.
                yield unquote_plus(encoded)


def _mapping(body: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _short(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
