"""The Lambda `create_data`: prepares every upload an S3 event names. See `publishing` for where.

A repeated event costs one read: the upload's digest says that everything is already there.
"""

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from chartbuster.aws import s3_store
from chartbuster.errors import ChartBusterError, NotFound, Permanent, UnreadableUpload
from chartbuster.identity import upload_id
from chartbuster.logs import JsonLines
from chartbuster.ports import ObjectStore, StoredObject
from chartbuster.preparing import REFUSED, prepare
from lambdas.create_data.publishing import PENDING, Shelf
from lambdas.create_data.settings import Settings
from lambdas.create_data.uploads import Upload, uploads_in

log = logging.getLogger("chartbuster.create_data")


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """The entry point: `handle` over S3."""
    _log_as_json()
    return handle(event, raw=_store, ready=_store(_settings().ready_bucket))


def handle(
    event: Mapping[str, Any], *, raw: Callable[[str], ObjectStore], ready: ObjectStore
) -> dict[str, int]:
    """Prepare every upload in `event`; returns how many were prepared, unchanged,
    superseded by a newer object, and gone.

    `raw` gives the store over a raw bucket. One upload's failure does not keep the others back; it
    is raised at the end, so that the event is tried again or set aside: `UnreadableUpload` for a
    file that was refused, whose report says why, before anything a repeat could mend is raised.
    """
    counts = {"prepared": 0, "unchanged": 0, "superseded": 0, "gone": 0}
    failures: list[ChartBusterError] = []
    for upload in uploads_in(event):
        try:
            counts[_handle_one(upload, raw=raw(upload.bucket), ready=ready)] += 1
        except ChartBusterError as error:
            failures.append(error)
    # A permanent failure keeps until the repeat, which finds it again; so try again first.
    failures.sort(key=lambda error: isinstance(error, Permanent))
    if failures:
        raise failures[0]
    return counts


def _handle_one(upload: Upload, *, raw: ObjectStore, ready: ObjectStore) -> str:
    """Prepare one upload; returns which of the counts it belongs to."""
    try:
        stored = raw.read(str(upload.key))
    except NotFound:
        log.info("upload_gone", extra={"key": str(upload.key)})
        return "gone"
    shelf = Shelf(ready, upload.key, upload_id(stored.body))
    report = shelf.report()
    if report is None:
        return _prepare(upload, stored, shelf, raw)
    return _repeat(upload, stored, shelf, raw, report)


def _prepare(upload: Upload, stored: StoredObject, shelf: Shelf, raw: ObjectStore) -> str:
    """An upload not seen before, one whose preparation was cut short, or one of another schema."""
    prepared = prepare(stored.body, upload.key.file)
    # Beside the ready data of another schema the new report would say that all is done.
    report_last = prepared.refused is None and shelf.has_ready_data()
    shelf.put(prepared)
    if not report_last:
        shelf.put_report(prepared.report)
    if not _make_current(upload, stored, shelf, raw, prepared.report["status"]):
        return "superseded"
    if prepared.refused is not None:
        _refuse(upload, shelf, prepared.refused)
    shelf.put_ready(prepared.ready)
    if report_last:
        shelf.put_report(prepared.report)
    log.info(
        "upload_prepared",
        extra={
            "key": str(upload.key),
            "upload": shelf.upload,
            "songs": prepared.report["songs"],
            "rejected": prepared.report["rows"]["rejected"],
        },
    )
    return "prepared"


def _repeat(
    upload: Upload, stored: StoredObject, shelf: Shelf, raw: ObjectStore, report: dict[str, Any]
) -> str:
    """An upload already prepared: a repeated event, or an older file uploaded again."""
    status = report["status"]
    announcing = bool(report.pop(PENDING, False))
    if status == REFUSED:
        if not shelf.is_current(status):
            _make_current(upload, stored, shelf, raw, status)
        _refuse(upload, shelf, report["reason"])
    if shelf.is_current(status) and not announcing:
        log.info("upload_unchanged", extra={"key": str(upload.key), "upload": shelf.upload})
        return "unchanged"
    shelf.put_report({**report, PENDING: True})
    current = _make_current(upload, stored, shelf, raw, status)
    if current:
        shelf.announce_again()
        log.info("upload_current_again", extra={"key": str(upload.key), "upload": shelf.upload})
    shelf.put_report(report)
    return "unchanged" if current else "superseded"


def _make_current(
    upload: Upload, stored: StoredObject, shelf: Shelf, raw: ObjectStore, status: str
) -> bool:
    """Move `current.json` unless the raw object has changed since it was read.

    A newer object brings its own event, and a deleted one must not become current.
    """
    if raw.etag(str(upload.key)) != stored.etag:
        log.info("upload_superseded", extra={"key": str(upload.key), "upload": shelf.upload})
        return False
    shelf.make_current(status)
    return True


def _refuse(upload: Upload, shelf: Shelf, reason: str) -> None:
    log.warning(
        "upload_refused",
        extra={"key": str(upload.key), "upload": shelf.upload, "reason": reason},
    )
    raise UnreadableUpload(reason)


@cache
def _settings() -> Settings:
    return Settings.from_env(os.environ)


@cache
def _store(bucket: str) -> ObjectStore:
    """The store over `bucket`, kept so that warm invocations reuse its connections."""
    return s3_store(bucket)


@cache
def _log_as_json() -> None:
    """Let the runtime's own handlers, which know the request's id, write JSON lines."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())
    logging.getLogger("chartbuster").setLevel(logging.INFO)
