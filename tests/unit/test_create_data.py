"""The Lambda over stores in memory: what it writes, in which order, and what a repeat does."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import pytest

from chartbuster.errors import (
    ChartBusterError,
    Conflict,
    InvalidName,
    Misconfigured,
    UnreadableUpload,
)
from chartbuster.features import read_ready
from chartbuster.identity import upload_id
from chartbuster.layout import SCHEMA_VERSION, RawKey
from chartbuster.memory import InMemoryStore
from chartbuster.ports import StoredObject
from lambdas.create_data.handler import handle
from lambdas.create_data.settings import Settings
from lambdas.create_data.uploads import uploads_in

KEY = RawKey("spotify", "songs.csv")
SONGS = b"track_id,artist_name,track_name,popularity,genre\na,A,One,50,Pop\nb,B,Two,60,Rock\n"
MORE_SONGS = SONGS + b"c,C,Three,70,Jazz\n"
NO_SONGS = b"artist,title\nA,One\n"


class Recorded(InMemoryStore):
    """A store that remembers which keys were written, and can fail at the write numbered so."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        self.written: list[str] = []
        self.fail_at = fail_at

    def write(self, key: str, body: bytes) -> str:
        self._note(key)
        return super().write(key, body)

    def create(self, key: str, body: bytes) -> str:
        self._note(key)
        return super().create(key, body)

    def replace(self, key: str, body: bytes, *, etag: str) -> str:
        self._note(key)
        return super().replace(key, body, etag=etag)

    def _note(self, key: str) -> None:
        if self.fail_at == len(self.written):
            self.fail_at = None
            raise Conflict("the world ended here")
        self.written.append(key)

    def names(self) -> list[str]:
        return [key.rsplit("/", 1)[-1] for key in self.written]


def event(*keys: str, bucket: str = "raw", name: str = "ObjectCreated:Put") -> dict[str, Any]:
    return {
        "Records": [
            {"eventName": name, "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
            for key in keys
        ]
    }


def run(raw: InMemoryStore, ready: InMemoryStore, key: RawKey = KEY) -> Mapping[str, int]:
    return handle(event(quote_plus(str(key), safe="/")), raw=lambda _bucket: raw, ready=ready)


def raw_with(body: bytes, key: RawKey = KEY) -> InMemoryStore:
    raw = InMemoryStore()
    raw.write(str(key), body)
    return raw


def current(ready: InMemoryStore, key: RawKey = KEY) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ready.read(key.current).body)
    return found


def everything(store: InMemoryStore) -> dict[str, bytes]:
    return {info.key: store.read(info.key).body for info in store.list("")}


def test_ready_data_is_written_last_and_the_pointer_just_before_it():
    ready = Recorded()

    assert run(raw_with(SONGS + b"d,D,Four,,Pop\n"), ready)["prepared"] == 1

    assert ready.names() == [
        "cleaned_data.csv",
        "rejects.csv",
        "report.json",
        "current.json",
        "ready_data.csv",
    ]


def test_the_pointer_names_the_upload_its_file_and_the_schema():
    ready = InMemoryStore()
    run(raw_with(SONGS), ready)
    assert current(ready) == {
        "upload_id": upload_id(SONGS),
        "file": "songs.csv",
        "status": "ready",
        "schema_version": SCHEMA_VERSION,
    }
    assert len(read_ready(ready.read(KEY.prepared(upload_id(SONGS), "ready_data.csv")).body)) == 2


def test_a_repeated_event_writes_nothing():
    raw, ready = raw_with(SONGS), Recorded()
    run(raw, ready)
    ready.written.clear()

    assert run(raw, ready)["unchanged"] == 1
    assert ready.written == []


def test_a_newer_upload_moves_the_pointer_and_keeps_the_older_one():
    raw, ready = raw_with(SONGS), InMemoryStore()
    run(raw, ready)
    raw.write(str(KEY), MORE_SONGS)
    run(raw, ready)
    assert current(ready)["upload_id"] == upload_id(MORE_SONGS)
    assert ready.etag(KEY.prepared(upload_id(SONGS), "ready_data.csv")) is not None


def test_an_older_file_uploaded_again_becomes_current_and_is_announced_again():
    raw, ready = raw_with(SONGS), Recorded()
    run(raw, ready)
    before = everything(ready)
    raw.write(str(KEY), MORE_SONGS)
    run(raw, ready)
    raw.write(str(KEY), SONGS)
    ready.written.clear()

    run(raw, ready)

    assert current(ready)["upload_id"] == upload_id(SONGS)
    assert "cleaned_data.csv" not in ready.names()
    assert ready.names().index("current.json") < ready.names().index("ready_data.csv")
    assert before.items() <= everything(ready).items()


@pytest.mark.parametrize("fail_at", range(5))
def test_an_announcement_cut_short_is_made_by_the_repeat(fail_at):
    """The fifth write never comes, so its case is the undisturbed one."""
    raw, undisturbed, disturbed = raw_with(SONGS), Recorded(), Recorded()
    for ready in (undisturbed, disturbed):
        raw.write(str(KEY), SONGS)
        run(raw, ready)
        raw.write(str(KEY), MORE_SONGS)
        run(raw, ready)
        ready.written.clear()
    raw.write(str(KEY), SONGS)
    run(raw, undisturbed)
    disturbed.fail_at = fail_at
    try:
        run(raw, disturbed)
    except Conflict:
        run(raw, disturbed)
    assert KEY.prepared(upload_id(SONGS), "ready_data.csv") in disturbed.written
    assert everything(disturbed) == everything(undisturbed)


@pytest.mark.parametrize("fail_at", range(5))
def test_a_first_attempt_cut_short_is_finished_by_the_repeat(fail_at):
    raw, undisturbed, disturbed = raw_with(SONGS), Recorded(), Recorded(fail_at)
    run(raw, undisturbed)
    try:
        run(raw, disturbed)
    except Conflict:
        run(raw, disturbed)
    assert everything(disturbed) == everything(undisturbed)


REPORT = KEY.prepared(upload_id(SONGS), "report.json")
READY = KEY.prepared(upload_id(SONGS), "ready_data.csv")


def prepared_by_an_older_release(ready: InMemoryStore) -> None:
    """What an older release left of SONGS, in a schema of which the report and pointer speak."""
    run(raw_with(SONGS), ready)
    for key in (REPORT, KEY.current):
        older = json.loads(ready.read(key).body) | {"schema_version": SCHEMA_VERSION - 1}
        ready.write(key, json.dumps(older).encode())
    ready.write(READY, b"song_id,artist,title\n")


def test_an_upload_prepared_in_another_schema_is_prepared_again_and_announced():
    ready, fresh = Recorded(), InMemoryStore()
    prepared_by_an_older_release(ready)
    run(raw_with(SONGS), fresh)
    ready.written.clear()

    assert run(raw_with(SONGS), ready)["prepared"] == 1

    assert everything(ready) == everything(fresh)
    assert ready.names() == ["cleaned_data.csv", "current.json", "ready_data.csv", "report.json"]
    assert run(raw_with(SONGS), ready)["unchanged"] == 1


@pytest.mark.parametrize("fail_at", range(5))
def test_a_change_of_schema_cut_short_is_finished_by_the_repeat(fail_at):
    """The fifth write never comes, so its case is the undisturbed one."""
    raw, undisturbed, disturbed = raw_with(SONGS), InMemoryStore(), Recorded()
    run(raw, undisturbed)
    prepared_by_an_older_release(disturbed)
    disturbed.written.clear()
    disturbed.fail_at = fail_at
    try:
        run(raw, disturbed)
    except Conflict:
        run(raw, disturbed)
    assert READY in disturbed.written
    assert everything(disturbed) == everything(undisturbed)


class ChangesMeanwhile(InMemoryStore):
    """A raw bucket whose object is replaced as soon as it has been read."""

    def __init__(self, first: bytes, then: bytes | None) -> None:
        super().__init__()
        self.write(str(KEY), first)
        self._then = then

    def read(self, key: str) -> StoredObject:
        found = super().read(key)
        if self._then is None:
            self.delete(key)
        else:
            self.write(key, self._then)
        return found


@pytest.mark.parametrize("then", [MORE_SONGS, None])
@pytest.mark.parametrize("first", [SONGS, NO_SONGS])
def test_an_object_that_changes_meanwhile_moves_no_pointer_and_starts_no_training(first, then):
    ready = Recorded()
    assert run(ChangesMeanwhile(first, then), ready)["superseded"] == 1
    assert "current.json" not in ready.names()
    assert "ready_data.csv" not in ready.names()


def test_a_deleted_upload_is_skipped():
    ready = Recorded()
    assert run(InMemoryStore(), ready)["gone"] == 1
    assert ready.written == []


def test_a_refused_file_leaves_a_report_and_a_pointer_and_raises():
    ready = Recorded()
    with pytest.raises(UnreadableUpload, match="popularity"):
        run(raw_with(NO_SONGS), ready)
    report = json.loads(ready.read(KEY.prepared(upload_id(NO_SONGS), "report.json")).body)
    assert report["status"] == "refused"
    assert "'artist', 'title'" in report["reason"]
    assert current(ready)["status"] == "refused"
    assert ready.names() == ["report.json", "current.json"]


def test_a_refusal_that_comes_again_raises_again_without_a_write():
    raw, ready = raw_with(NO_SONGS), Recorded()
    with pytest.raises(UnreadableUpload) as first:
        run(raw, ready)
    ready.written.clear()
    with pytest.raises(UnreadableUpload) as second:
        run(raw, ready)
    assert str(first.value) == str(second.value)
    assert ready.written == []


def test_a_refused_file_leaves_its_rejects_where_it_has_any():
    ready = Recorded()
    with pytest.raises(UnreadableUpload):
        run(raw_with(NO_SONGS + b"only one field\n"), ready)
    assert "rejects.csv" in ready.names()


def test_a_failure_of_one_upload_does_not_keep_the_next_back():
    raw, ready = raw_with(NO_SONGS), InMemoryStore()
    other = RawKey("spotify", "other.csv")
    raw.write(str(other), SONGS)
    with pytest.raises(UnreadableUpload):
        handle(event(str(KEY), str(other)), raw=lambda _bucket: raw, ready=ready)
    assert current(ready, other)["status"] == "ready"


def test_something_to_try_again_is_raised_before_what_can_never_succeed():
    class Away(InMemoryStore):
        def read(self, key: str) -> StoredObject:
            if key.endswith("other.csv"):
                raise Conflict("not now")
            return super().read(key)

    raw = Away()
    raw.write(str(KEY), NO_SONGS)
    with pytest.raises(Conflict):
        handle(
            event(str(KEY), "datasets/spotify/other.csv"),
            raw=lambda _bucket: raw,
            ready=InMemoryStore(),
        )


def test_a_pointer_that_keeps_moving_is_a_conflict_to_try_again():
    class Contended(InMemoryStore):
        def create(self, key: str, body: bytes) -> str:
            raise Conflict(key)

    with pytest.raises(Conflict, match="moved by others"):
        run(raw_with(SONGS), Contended())


def test_a_pointer_of_ours_whose_reply_was_lost_is_found_and_left():
    class LosesTheReply(InMemoryStore):
        def create(self, key: str, body: bytes) -> str:
            super().create(key, body)
            raise Conflict(key)

    ready = LosesTheReply()
    assert run(raw_with(SONGS), ready)["prepared"] == 1
    assert current(ready)["upload_id"] == upload_id(SONGS)


def test_a_damaged_pointer_is_written_anew():
    ready = InMemoryStore()
    ready.write(KEY.current, b"not json")
    run(raw_with(SONGS), ready)
    assert current(ready)["status"] == "ready"


def test_keys_are_decoded_as_s3_encodes_them():
    key = RawKey("spotify", "my songs (ü) + more.csv")
    ready = InMemoryStore()
    assert run(raw_with(SONGS, key), ready, key)["prepared"] == 1
    assert current(ready, key)["file"] == "my songs (ü) + more.csv"


def test_the_raw_bucket_is_the_one_the_event_names():
    asked: list[str] = []

    def raw(bucket: str) -> InMemoryStore:
        asked.append(bucket)
        return raw_with(SONGS)

    handle(event(str(KEY), bucket="somewhere"), raw=raw, ready=InMemoryStore())
    assert asked == ["somewhere"]


def test_the_test_event_and_other_events_name_no_upload():
    assert uploads_in({"Service": "Amazon S3", "Event": "s3:TestEvent"}) == []
    assert uploads_in(event(str(KEY), name="ObjectRemoved:Delete")) == []


def test_an_upload_named_twice_is_one():
    assert len(uploads_in(event(str(KEY), str(KEY)))) == 1


@pytest.mark.parametrize(
    "key", ["songs.csv", "datasets/Spotify/songs.csv", "datasets/a/b.txt", "datasets/a/b/c.csv"]
)
def test_a_key_that_is_no_raw_key_is_an_invalid_name(key):
    with pytest.raises(InvalidName, match="expected"):
        uploads_in(event(key))


def test_settings_name_what_is_missing():
    assert Settings.from_env({"READY_BUCKET": "ready"}).ready_bucket == "ready"
    with pytest.raises(Misconfigured, match="READY_BUCKET"):
        Settings.from_env({})


def test_every_error_of_the_handler_is_in_the_tree():
    with pytest.raises(ChartBusterError):
        run(raw_with(b""), InMemoryStore())
