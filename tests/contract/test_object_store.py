"""What every `ObjectStore` promises, held against each implementation."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from chartbuster.errors import Conflict, NotFound
from chartbuster.ports import ObjectStore


def test_what_was_written_can_be_read_with_its_etag(store: ObjectStore):
    etag = store.write("songs/a b+ü.csv", b"\x00song")

    found = store.read("songs/a b+ü.csv")

    assert (found.body, found.etag) == (b"\x00song", etag)
    assert store.etag("songs/a b+ü.csv") == etag


def test_reading_what_is_not_there_says_which_key(store: ObjectStore):
    with pytest.raises(NotFound, match="nothing/here"):
        store.read("nothing/here")
    assert store.etag("nothing/here") is None


def test_writing_again_replaces_and_changes_the_etag(store: ObjectStore):
    first = store.write("key", b"one")
    second = store.write("key", b"two")

    assert first != second
    assert store.read("key").body == b"two"


def test_only_the_first_creation_succeeds(store: ObjectStore):
    store.create("run/manifest.json", b"mine")

    with pytest.raises(Conflict):
        store.create("run/manifest.json", b"theirs")
    assert store.read("run/manifest.json").body == b"mine"


def test_a_replacement_needs_the_version_that_is_there(store: ObjectStore):
    old = store.write("champion", b"first")
    new = store.replace("champion", b"second", etag=old)

    with pytest.raises(Conflict):
        store.replace("champion", b"third", etag=old)
    assert store.read("champion").body == b"second"
    assert store.etag("champion") == new


def test_replacing_what_is_not_there_is_a_conflict(store: ObjectStore):
    with pytest.raises(Conflict):
        store.replace("nothing/here", b"x", etag='"0123456789abcdef0123456789abcdef"')
    assert store.etag("nothing/here") is None


def test_a_listing_holds_the_prefix_in_the_order_of_the_keys(store: ObjectStore):
    for key in ("runs/b", "runs/a/1", "other", "runs/a/0"):
        store.write(key, key.encode())

    listed = list(store.list("runs/"))

    assert [item.key for item in listed] == ["runs/a/0", "runs/a/1", "runs/b"]
    assert [item.size for item in listed] == [8, 8, 6]
    assert [item.etag for item in listed] == [store.etag(item.key) for item in listed]
    assert list(store.list("nothing/")) == []


def test_a_listing_says_when_each_object_was_last_written(store: ObjectStore):
    before = datetime.now(UTC) - timedelta(seconds=2)
    store.write("old", b"1")
    (first,) = store.list("old")

    # Real stores keep whole seconds.
    time.sleep(1.1)
    store.write("old", b"1")

    (second,) = store.list("old")
    assert before < first.modified < second.modified < datetime.now(UTC) + timedelta(seconds=2)
    assert second.modified.utcoffset() == timedelta(0)


def test_a_listing_goes_past_the_first_thousand(store: ObjectStore):
    for number in range(1_003):
        store.write(f"many/{number:04}", b"")

    assert sum(1 for _ in store.list("many/")) == 1_003


def test_deleting_removes_and_may_be_repeated(store: ObjectStore):
    store.write("key", b"x")

    store.delete("key")
    store.delete("key")

    assert store.etag("key") is None
