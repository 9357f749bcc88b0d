"""What a queue message asks for: the datasets whose prepared tables have changed."""

import json
import urllib.parse
from typing import Any

from chartbuster.errors import InvalidName, JobUnusable
from chartbuster.layout import ReadyKey


def datasets_in(body: str) -> frozenset[str]:
    """The datasets an S3 notification announces; none for S3's own test message.

    Raises `JobUnusable` for what can never be a job, saying what would have been right.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise JobUnusable(f"the message is not JSON ({error}): {_shown(body)}") from error
    if not isinstance(message, dict):
        raise JobUnusable(f"the message is {_shown(body)}; expected an S3 notification")
    if message.get("Event") == "s3:TestEvent":
        return frozenset()
    records = message.get("Records")
    if not isinstance(records, list) or not records:
        raise JobUnusable(f"the message is {_shown(body)}; expected an S3 notification's Records")
    return frozenset(_dataset(record) for record in records)


def _dataset(record: Any) -> str:
    try:
        encoded = record["s3"]["object"]["key"]
        # S3 writes keys as in a query: a space is a plus sign.
        key = urllib.parse.unquote_plus(encoded, errors="strict")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise JobUnusable(
            f"a record is {_shown(json.dumps(record))}; expected s3.object.key with an object's key"
        ) from error
    try:
        return ReadyKey.parse(key).raw.dataset
    except InvalidName as error:
        raise JobUnusable(str(error)) from error


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 200 else f"{text[:200]!r}…"
