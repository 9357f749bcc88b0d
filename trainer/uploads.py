"""Which uploads a dataset consists of now, and their prepared tables."""

import json
from dataclasses import dataclass

from chartbuster import layout
from chartbuster.errors import Corrupt, InvalidName
from chartbuster.identity import dataset_version
from chartbuster.layout import RawKey, ReadyKey
from chartbuster.ports import ObjectStore

_CURRENT = "/current.json"


@dataclass(frozen=True)
class Dataset:
    """A dataset as it is now: one prepared upload per file, in the order of the files' names."""

    name: str
    uploads: tuple[ReadyKey, ...]

    @property
    def version(self) -> str:
        """The identity of its content."""
        return dataset_version(key.upload for key in self.uploads)


def current_dataset(ready: ObjectStore, name: str) -> Dataset:
    """The dataset `name` as its `current.json` files say; raises `Corrupt`.

    A refused upload does not count, and neither does one whose prepared table is not there yet:
    its own message is still to come.
    """
    found = []
    for item in list(ready.list(layout.dataset_prefix(name))):
        if not item.key.endswith(_CURRENT):
            continue
        try:
            raw = RawKey.parse(item.key.removesuffix(_CURRENT))
        except InvalidName:
            continue  # Not a file of ours, so nothing a message could have announced.
        key = _current(item.key, raw, ready.read(item.key).body)
        if key is not None and ready.etag(str(key)) is not None:
            found.append(key)
    return Dataset(name, tuple(sorted(found, key=str)))


def _current(where: str, raw: RawKey, body: bytes) -> ReadyKey | None:
    try:
        pointer = json.loads(body)
        status, upload = pointer["status"], pointer["upload_id"]
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(
            f"{where} is {body[:80]!r}; expected a JSON object with upload_id and status"
        ) from error
    if not isinstance(upload, str) or "/" in upload:
        raise Corrupt(f"{where} names the upload {upload!r}; expected a SHA-256")
    return ReadyKey(raw, upload) if status == "ready" else None
