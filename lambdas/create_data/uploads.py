"""The uploads an S3 event names: the one place that knows how events are shaped."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from chartbuster.layout import RawKey


@dataclass(frozen=True)
class Upload:
    """One raw object that was created: the bucket it is in and its key."""

    bucket: str
    key: RawKey


def uploads_in(event: Mapping[str, Any]) -> list[Upload]:
    """The uploads in `event`, each once, in the order it names them.

    The test event S3 sends when a notification is set up names none. Raises `InvalidName` for a key
    that is no raw key.
    """
    created = [
        record["s3"]
        for record in event.get("Records", [])
        if record.get("eventName", "").startswith("ObjectCreated:")
    ]
    # Keys arrive percent-encoded, with a plus for a space.
    uploads = (
        Upload(s3["bucket"]["name"], RawKey.parse(unquote_plus(s3["object"]["key"])))
        for s3 in created
    )
    return list(dict.fromkeys(uploads))
