"""What became of uploads: a dataset's files now, how well they were read, what was left out.

The Lambda's records, read back. They lie in a bucket, so each is checked before it is believed, and
one that is damaged does not hide the others.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from chartbuster import layout
from chartbuster.errors import Corrupt, InvalidName, NotFound
from chartbuster.layout import RawKey
from chartbuster.pointers import READY, REFUSED, pointer_of
from chartbuster.ports import ObjectInfo, ObjectStore
from chartbuster.records import from_json

WAITING, DAMAGED = "waiting", "damaged"
"""Beside READY and REFUSED: nothing was made of an upload yet; its records cannot be believed."""

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


@dataclass(frozen=True)
class Rows:
    """How many rows a file has, and how many of them were rejected or more of a song known."""

    read: int
    rejected: int
    merged: int


@dataclass(frozen=True)
class Text:
    """How a file is written."""

    encoding: str
    delimiter: str


@dataclass(frozen=True)
class Taken:
    """A column of the file and the field it was taken for, in the unit its values have."""

    field: str
    column: str
    unit: str | None = None


@dataclass(frozen=True)
class Columns:
    """What became of a file's columns; `notes` say how ambiguities were settled."""

    understood: tuple[Taken, ...] = ()
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lost:
    """The cells of an attribute that hold nothing, and those that cannot be read, with examples."""

    missing: int
    unreadable: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Popularities:
    """The popularities of a file's songs in five figures; `zeros` counts songs nobody plays."""

    min: float
    median: float
    mean: float
    max: float
    zeros: int


@dataclass(frozen=True)
class UploadReport:
    """What was made of an upload: the file `report.json` the Lambda leaves beside it.

    `status` is READY or REFUSED, and `reason` says why it was refused. Then only the rows may be
    known. `attributes` and `genres` are by name, the latter with how many songs have each.
    """

    status: str
    reason: str | None
    file: str
    rows: Rows
    songs: int
    text: Text | None = None
    columns: Columns = field(default_factory=Columns)
    attributes: Mapping[str, Lost] = field(default_factory=dict)
    genres: Mapping[str, int] = field(default_factory=dict)
    popularity: Popularities | None = None

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The attributes that have a column but lack a value in some row."""
        fields = self._fields
        return tuple(
            name
            for name, lost in self.attributes.items()
            if name in fields and (lost.missing or lost.unreadable)
        )

    @property
    def absent(self) -> tuple[str, ...]:
        """The attributes without a column."""
        return tuple(name for name in self.attributes if name not in self._fields)

    @property
    def _fields(self) -> set[str]:
        return {each.field for each in self.columns.understood}


@dataclass(frozen=True)
class Upload:
    """One file of a dataset as the buckets hold it now.

    `upload` is its upload id, empty while nothing was made of it. `status` is READY, REFUSED,
    WAITING or DAMAGED, and `why` says what is wrong with the records of a damaged one. `bytes` is
    the size of what was uploaded, None once that is gone from the raw bucket. `report` and
    `rejects` are the records beside it, None where there are none; their ETags name their content.
    """

    key: RawKey
    status: str
    upload: str = ""
    why: str = ""
    bytes: int | None = None
    report: ObjectInfo | None = None
    rejects: ObjectInfo | None = None


@dataclass(frozen=True)
class Rejected:
    """A row that was left out: the line of the file it begins on, why, and its text."""

    line: int
    reason: str
    row: str


def datasets(raw: ObjectStore, ready: ObjectStore) -> tuple[str, ...]:
    """Every dataset with a file in one of the two buckets, in alphabetical order.

    Raises `Unreachable`.
    """
    keys = (item.key for store in (raw, ready) for item in store.list(layout.DATASETS))
    return tuple(sorted({found.dataset for key in keys if (found := _file_of(key)) is not None}))


def uploads(raw: ObjectStore, ready: ObjectStore, dataset: str) -> tuple[Upload, ...]:
    """The files of `dataset` in the order of their names; empty where it has none.

    Two listings, and one small read per file. Raises `InvalidName`, `Unreachable`.
    """
    prefix = layout.dataset_prefix(dataset)
    sizes = {item.key: item.size for item in raw.list(prefix)}
    prepared = {item.key: item for item in ready.list(prefix)}
    keys = {found for key in (*sizes, *prepared) if (found := _file_of(key)) is not None}
    return tuple(
        replace(_upload(key, prepared, ready), bytes=sizes.get(str(key)))
        for key in sorted(keys, key=str)
        if str(key) in sizes or key.current in prepared
    )


def report(ready: ObjectStore, upload: Upload) -> UploadReport:
    """What was made of `upload`; raises `NotFound`, `Corrupt`, `Unreachable`."""
    if upload.report is None:
        raise NotFound(f"{upload.key} has no {layout.REPORT} beside it; upload the file again")
    return read_report(ready.read(upload.report.key).body, where=upload.report.key)


def read_report(body: bytes, *, where: str) -> UploadReport:
    """The report in `body`; raises `Corrupt` naming `where` and what is wrong."""
    found = from_json(UploadReport, body, where=where)
    if found.status not in (READY, REFUSED) or (found.status == REFUSED and not found.reason):
        raise Corrupt(
            f"{where} has the status {found.status!r} and the reason {found.reason!r}; "
            f"expected {READY!r}, or {REFUSED!r} with a reason"
        )
    counts = (found.songs, *vars(found.rows).values(), *found.genres.values())
    if min(counts) < 0:
        raise Corrupt(f"{where} counts {min(counts)} songs or rows; expected none below 0")
    return found


def rejects_page(body: bytes, *, start: int, size: int, where: str) -> tuple[Rejected, ...]:
    """At most `size` rows of the `rejects.csv` in `body`, from row `start` (counted from 0) on.

    Raises `Corrupt`.
    """
    return tuple(islice(_rejected(body, where), start, start + size))


def reasons(body: bytes, *, where: str) -> Mapping[str, int]:
    """How many rows of the `rejects.csv` in `body` were left out for which kind of reason.

    The commonest first. Reasons that differ only in the value they quote are of one kind. Raises
    `Corrupt`.
    """
    counts = Counter(_QUOTED.sub("…", each.reason) for each in _rejected(body, where))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _file_of(key: str) -> RawKey | None:
    """The file an object of the raw or the ready bucket belongs to, if any."""
    try:
        return RawKey.parse("/".join(key.split("/")[:3]))
    except InvalidName:
        return None


def _upload(key: RawKey, prepared: Mapping[str, ObjectInfo], ready: ObjectStore) -> Upload:
    if key.current not in prepared:
        return Upload(key, WAITING)
    try:
        pointer = pointer_of(key, ready.read(key.current).body)
    except NotFound:
        return Upload(key, WAITING)
    except Corrupt as error:
        return Upload(key, DAMAGED, why=str(error))
    if pointer.status not in (READY, REFUSED):
        return Upload(
            key,
            DAMAGED,
            why=f"{key.current} names upload {pointer.upload!r} with status {pointer.status!r}; "
            f"expected a SHA-256 with {READY!r} or {REFUSED!r}",
        )
    return Upload(
        key,
        pointer.status,
        pointer.upload,
        report=prepared.get(key.prepared(pointer.upload, layout.REPORT)),
        rejects=prepared.get(key.prepared(pointer.upload, layout.REJECTS)),
    )


def _rejected(body: bytes, where: str) -> Iterator[Rejected]:
    # Rows of the file are kept as they were written, line ends inside quotes included.
    lines = csv.reader(io.StringIO(body.decode(errors="replace"), newline=""))
    try:
        if next(lines, None) != ["line", "reason", "row"]:
            raise Corrupt(f"{where} begins with {body[:40]!r}; expected line,reason,row")
        for number, cells in enumerate(lines, start=1):
            yield _reject(cells, number, where)
    except csv.Error as error:
        raise Corrupt(f"{where} is not readable CSV: {error}") from error


def _reject(cells: list[Any], number: int, where: str) -> Rejected:
    try:
        line, reason, row = cells
        return Rejected(int(line), reason, row)
    except ValueError as error:
        raise Corrupt(
            f"row {number} of {where} is {cells!r:.80}; expected a line number, a reason, a row"
        ) from error
