"""What the ready bucket holds of one upload, and the order in which it comes to be there.

`ready_data.csv` is written last: its arrival starts a training run, so by then `current.json` must
name the upload and everything else must be in place. Whatever moment an attempt is cut short at,
the repeat of its event finishes it: a report without ready data is an unfinished first attempt, a
report marked PENDING an unfinished announcement of ready data that was there already.

Ready data of another schema counts as not there, so its upload is prepared again. Then the report
is written after it: until the report says the new schema, the repeat does all of it again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster.errors import Conflict, NotFound
from chartbuster.layout import CLEANED, READY, REJECTS, REPORT, SCHEMA_VERSION, RawKey
from chartbuster.ports import ObjectStore
from chartbuster.preparing import REFUSED, Prepared, report_json

PENDING = "pending"

# Somebody else's write in between is another upload of the same file, so it is rare.
_MOST_CONFLICTS = 5


@dataclass(frozen=True)
class Shelf:
    """The place of one upload in the ready bucket."""

    ready: ObjectStore
    key: RawKey
    upload: str

    def report(self) -> dict[str, Any] | None:
        """The report of the upload when its preparation is complete, else None.

        A report without the ready data it promises is the trace of an attempt that was cut short,
        and one of another schema promises what nobody reads any more.
        """
        found = _json(self.ready, self._at(REPORT))
        if found is None or found["status"] == REFUSED:
            return found
        if found.get("schema_version") != SCHEMA_VERSION:
            return None
        return found if self.has_ready_data() else None

    def has_ready_data(self) -> bool:
        """Whether ready data of some schema is there."""
        return self.ready.etag(self._at(READY)) is not None

    def is_current(self, status: str) -> bool:
        """Whether `current.json` names this upload with this outcome."""
        return _json(self.ready, self.key.current) == self._pointer(status)

    def put(self, prepared: Prepared) -> None:
        """Store everything but the report, the pointer and the ready data."""
        if prepared.cleaned:
            self.ready.write(self._at(CLEANED), prepared.cleaned)
        if prepared.rejects:
            self.ready.write(self._at(REJECTS), prepared.rejects)

    def make_current(self, status: str) -> None:
        """Let `current.json` name this upload; a pointer that already does is left alone.

        Raises `Conflict` when others keep moving it, so that the event comes again.
        """
        wanted = self._pointer(status)
        body = (json.dumps(wanted, indent=1) + "\n").encode()
        for _ in range(_MOST_CONFLICTS):
            try:
                there = self.ready.read(self.key.current)
            except NotFound:
                there = None
            if there is not None and _parsed(there.body) == wanted:
                return
            try:
                if there is None:
                    self.ready.create(self.key.current, body)
                else:
                    self.ready.replace(self.key.current, body, etag=there.etag)
            except Conflict:
                # It may be our own write whose reply was lost: look again before deciding.
                continue
            return
        raise Conflict(
            f"{self.key.current} was moved by others {_MOST_CONFLICTS} times; "
            f"expected it to name {self.upload}"
        )

    def put_report(self, report: Mapping[str, Any]) -> None:
        """Store the report alone."""
        self.ready.write(self._at(REPORT), report_json(report))

    def put_ready(self, body: bytes) -> None:
        """Store the ready data, which starts the training."""
        self.ready.write(self._at(READY), body)

    def announce_again(self) -> None:
        """Write the ready data that is there once more, so that its arrival is announced."""
        self.put_ready(self.ready.read(self._at(READY)).body)

    def _at(self, name: str) -> str:
        return self.key.prepared(self.upload, name)

    def _pointer(self, status: str) -> dict[str, Any]:
        return {
            "upload_id": self.upload,
            "file": self.key.file,
            "status": status,
            "schema_version": SCHEMA_VERSION,
        }


def _json(store: ObjectStore, key: str) -> dict[str, Any] | None:
    try:
        return _parsed(store.read(key).body)
    except NotFound:
        return None


def _parsed(body: bytes) -> dict[str, Any] | None:
    """The JSON object in `body`; what is none counts as not there and is written anew."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "status" in found else None
