"""What was uploaded or prepared but never finished, and how to announce it again.

What was prepared by an older release counts as unfinished when its tables are no longer read.

An event can be lost: a queue forgets, a service is away for longer than it is retried. The objects
say what is missing, and putting one again, unchanged, sends its event again.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster.errors import Corrupt, InvalidName, NotFound
from chartbuster.identity import dataset_version, upload_id
from chartbuster.layout import DATASETS, REPORT, SCHEMA_VERSION, RawKey, ReadyKey
from chartbuster.pipeline import put_again
from chartbuster.pointers import file_of, pointer_of
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry


@dataclass(frozen=True)
class Buckets:
    """The three buckets of a stack."""

    raw: ObjectStore
    ready: ObjectStore
    artifacts: ObjectStore


@dataclass(frozen=True)
class Announcement:
    """One object to put again: `bucket` is raw or ready, `why` what is missing without it."""

    bucket: str
    key: str
    why: str


def plan(buckets: Buckets) -> list[Announcement]:
    """Every upload without its outcome, and every dataset version without a run and a decision.

    A refused upload has its outcome. A dataset that has uploads to announce is not announced
    itself: preparing them does that.
    """
    uploads = list(_uploads(buckets))
    waiting = {RawKey.parse(announcement.key).dataset for announcement in uploads}
    return [
        *uploads,
        *(
            announcement
            for dataset, keys in sorted(_ready_uploads(buckets.ready).items())
            if dataset not in waiting
            for announcement in _version(buckets, dataset, keys)
        ),
    ]


def of_dataset(ready: ObjectStore, dataset: str) -> Announcement:
    """What announces `dataset` as it is now, whatever became of it; raises `NotFound`."""
    known = _ready_uploads(ready)
    if dataset not in known:
        raise NotFound(
            f"dataset {dataset!r} has no prepared data; expected one of: "
            f"{', '.join(sorted(known)) or 'none yet'}"
        )
    return Announcement("ready", str(known[dataset][0]), f"dataset {dataset} was asked for")


def announce(buckets: Buckets, announcement: Announcement) -> bool:
    """Put the object again, unchanged; False when it has changed and so announced itself."""
    return put_again(
        buckets.raw if announcement.bucket == "raw" else buckets.ready, announcement.key
    )


def of_another_schema(ready: ObjectStore) -> list[Announcement]:
    """The current uploads whose ready data is of another schema, which nobody reads any more."""
    return [
        _of_another_schema(key.raw)
        for keys in _ready_uploads(ready).values()
        for key in keys
        if not _is_of_this_schema(ready, key.raw, key.upload)
    ]


def _of_another_schema(raw: RawKey) -> Announcement:
    return Announcement("raw", str(raw), "was prepared by another release, in another schema")


def _uploads(buckets: Buckets) -> Iterator[Announcement]:
    for item in buckets.raw.list(DATASETS):
        try:
            raw = RawKey.parse(item.key)
        except InvalidName:
            continue  # create_data can only refuse it again
        try:
            upload = upload_id(buckets.raw.read(item.key).body)
        except NotFound:
            continue
        current = _json(buckets.ready, raw.current)
        if current.get("upload_id") != upload:
            yield Announcement("raw", item.key, "was never prepared")
        elif current.get("status") != "refused" and not _is_ready(buckets.ready, raw, upload):
            yield Announcement("raw", item.key, "was prepared only in part")
        elif current.get("status") != "refused" and not _is_of_this_schema(
            buckets.ready, raw, upload
        ):
            yield _of_another_schema(raw)


def _ready_uploads(ready: ObjectStore) -> dict[str, list[ReadyKey]]:
    """The current uploads of each dataset, as the trainer would find them."""
    found: dict[str, list[ReadyKey]] = {}
    for item in list(ready.list(DATASETS)):
        raw = file_of(item.key)
        if raw is None:
            continue
        try:
            key = pointer_of(raw, ready.read(item.key).body).ready
        except (Corrupt, NotFound):
            continue
        if key is not None and _is_ready(ready, raw, key.upload):
            found.setdefault(raw.dataset, []).append(key)
    return found


def _version(buckets: Buckets, dataset: str, keys: list[ReadyKey]) -> Iterator[Announcement]:
    registry = Registry(buckets.artifacts)
    version = dataset_version(key.upload for key in keys)
    manifests = (registry.manifest(run) for run in registry.runs())
    runs = [m.run_id for m in manifests if (m.dataset, m.dataset_version) == (dataset, version)]
    champion = registry.champion(dataset)
    # One message is enough: it names the dataset, not the file.
    announced = str(keys[0])
    if not runs:
        yield Announcement("ready", announced, f"dataset {dataset} was never trained as it is now")
    elif champion is None or not any(champion.has_met(run) for run in runs):
        yield Announcement("ready", announced, f"run {runs[-1]} never met the champion")


def _is_ready(ready: ObjectStore, raw: RawKey, upload: str) -> bool:
    return ready.etag(str(ReadyKey(raw, upload))) is not None


def _is_of_this_schema(ready: ObjectStore, raw: RawKey, upload: str) -> bool:
    """As the report says, which is written after ready data of another schema is replaced."""
    return _json(ready, raw.prepared(upload, REPORT)).get("schema_version") == SCHEMA_VERSION


def _json(store: ObjectStore, key: str) -> Mapping[str, Any]:
    """The object as a mapping; empty where there is none, or it is no JSON object."""
    try:
        found = json.loads(store.read(key).body)
    except (NotFound, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def training_is_expected(buckets: Buckets) -> bool:
    """Whether some upload will become, or became, a run: there is one that was not refused."""
    for item in buckets.raw.list(DATASETS):
        try:
            raw = RawKey.parse(item.key)
        except InvalidName:
            continue
        if _json(buckets.ready, raw.current).get("status") != "refused":
            return True
    return False
