"""From the stored bytes of an upload to everything the ready bucket holds of it.

Pure and repeatable: the same bytes under the same name give the same four results, byte for byte.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster.cleaning import Cleaned, clean
from chartbuster.errors import UnreadableUpload
from chartbuster.features import add_features
from chartbuster.layout import SCHEMA_VERSION
from chartbuster.measuring import Loss
from chartbuster.pointers import READY as READY
from chartbuster.pointers import REFUSED as REFUSED
from chartbuster.reading import Reject, read_table
from chartbuster.songs import AUDIO_NAMES
from chartbuster.tables import safe_csv, to_csv
from chartbuster.unpacking import MOST_UNPACKED

_REPORT_SCHEMA = 1
_REJECT_COLUMNS = ("line", "reason", "row")
# A file of nothing but rejects must not become a larger file of rejects; the report counts all.
_MOST_REJECTS = 100_000


@dataclass(frozen=True)
class Prepared:
    """The results for one upload; `cleaned` and `ready` are empty where the file was refused.

    `report` says what was read, understood, rejected and missing, and `rejects` is a CSV file of
    the rows left out: the line each begins on, the reason, its text.
    """

    cleaned: bytes
    rejects: bytes
    report: Mapping[str, Any]
    ready: bytes

    @property
    def refused(self) -> str | None:
        """Why nothing could be made of the file, or None."""
        return self.report["reason"] if self.report["status"] == REFUSED else None


def prepare(stored: bytes, file: str, *, most: int = MOST_UNPACKED) -> Prepared:
    """Everything made of the upload `stored`, called `file`; never raises for what it holds."""
    try:
        table = read_table(stored, most=most)
    except UnreadableUpload as error:
        return _refused(str(error), file, rows=0, rejects=())
    text = {"encoding": table.encoding, "delimiter": table.delimiter}
    try:
        cleaned = clean(table)
    except UnreadableUpload as error:
        rows = len(table) + len(table.rejects)
        return _refused(str(error), file, rows=rows, rejects=table.rejects)
    # The table is the largest thing in memory, and nothing below needs it.
    del table
    return Prepared(
        cleaned=to_csv(cleaned.songs),
        rejects=_rejects(cleaned.rejects),
        report=_report(cleaned, text, file),
        ready=to_csv(add_features(cleaned.songs, row_genres=cleaned.row_genres)),
    )


def report_json(report: Mapping[str, Any]) -> bytes:
    """`report` as it is stored; reading it and storing it again changes no byte."""
    text = json.dumps(report, ensure_ascii=False, indent=1)
    # A lone surrogate cannot come from the readers, but must not be the end of a report either.
    return (text + "\n").encode(errors="replace")


def _refused(reason: str, file: str, *, rows: int, rejects: tuple[Reject, ...]) -> Prepared:
    report = {
        "schema": _REPORT_SCHEMA,
        "status": REFUSED,
        "reason": f"{file}: {reason}",
        "file": file,
        "rows": {"read": rows, "rejected": len(rejects), "merged": 0},
        "songs": 0,
    }
    return Prepared(b"", _rejects(rejects), report, b"")


def _rejects(rejects: tuple[Reject, ...]) -> bytes:
    if not rejects:
        return b""
    rows = ((reject.line, reject.reason, reject.text) for reject in rejects[:_MOST_REJECTS])
    return safe_csv(_REJECT_COLUMNS, rows)


def _report(cleaned: Cleaned, text: dict[str, str], file: str) -> dict[str, Any]:
    popularity = cleaned.songs["popularity"]
    recognised = cleaned.recognised
    return {
        "schema": _REPORT_SCHEMA,
        "status": READY,
        "reason": None,
        "file": file,
        "schema_version": SCHEMA_VERSION,
        "rows": {
            "read": cleaned.rows,
            "rejected": len(cleaned.rejects),
            "merged": cleaned.merged,
        },
        "songs": len(cleaned.songs),
        "text": text,
        "columns": {
            "understood": [
                {
                    "field": understood.field,
                    "column": understood.column,
                    "unit": _unit(cleaned.losses.get(understood.field), understood.unit),
                }
                for understood in recognised.fields.values()
            ],
            "ignored": list(recognised.ignored),
            "notes": list(cleaned.notes),
        },
        "attributes": {
            name: {
                "missing": found.missing,
                "unreadable": found.unreadable,
                "examples": list(found.examples),
            }
            for name in (*AUDIO_NAMES, "key", "mode", "time_signature", "release_year")
            for found in [cleaned.losses[name]]
        },
        "genres": dict(cleaned.genres),
        "popularity": {
            "min": float(popularity.min()),
            "median": float(popularity.median()),
            "mean": round(float(popularity.mean()), 3),
            "max": float(popularity.max()),
            "zeros": int((popularity == 0).sum()),
        },
    }


def _unit(found: Loss | None, named: str | None) -> str | None:
    return found.unit if found and found.unit else named
