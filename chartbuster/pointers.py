"""`current.json` of an uploaded file: which of its uploads counts, and what became of it."""

import json
from dataclasses import dataclass

from chartbuster.errors import Corrupt, InvalidName
from chartbuster.layout import RawKey, ReadyKey

READY, REFUSED = "ready", "refused"
"""What becomes of an upload: a prepared table, or nothing but a reason."""

_NAME = "/current.json"


@dataclass(frozen=True)
class Pointer:
    """The file `raw` is the upload `upload` now; `status` is what became of it."""

    raw: RawKey
    upload: str
    status: str

    @property
    def ready(self) -> ReadyKey | None:
        """The key of its prepared table, which may not be there yet; None for a refused upload."""
        return ReadyKey(self.raw, self.upload) if self.status == READY else None


def file_of(key: str) -> RawKey | None:
    """The file whose pointer has the key `key`; None for a key that is no pointer's."""
    if not key.endswith(_NAME):
        return None
    try:
        return RawKey.parse(key.removesuffix(_NAME))
    except InvalidName:
        return None  # Nothing of ours, so nobody could have announced it.


def pointer_of(raw: RawKey, body: bytes) -> Pointer:
    """The pointer of the file `raw` in `body`; raises `Corrupt`."""
    try:
        said = json.loads(body)
        status, upload = said["status"], said["upload_id"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Corrupt(
            f"{raw.current} is {body[:80]!r}; expected a JSON object with upload_id and status"
        ) from error
    if not isinstance(upload, str) or "/" in upload:
        raise Corrupt(f"{raw.current} names the upload {upload!r}; expected a SHA-256")
    return Pointer(raw, upload, str(status))
