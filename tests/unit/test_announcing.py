import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chartbuster.errors import NotFound
from chartbuster.identity import dataset_version, upload_id
from chartbuster.layout import REPORT, SCHEMA_VERSION, RawKey, ReadyKey
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from compose.announcing import (
    Announcement,
    Buckets,
    announce,
    of_another_schema,
    of_dataset,
    plan,
    training_is_expected,
)
from tests.unit.test_registry import manifest

MINE = RawKey("mine", "songs.csv")
BODY = b"title,popularity\n"


@pytest.fixture
def buckets() -> Buckets:
    return Buckets(InMemoryStore(), InMemoryStore(), InMemoryStore())


def uploaded(buckets: Buckets, raw: RawKey = MINE, body: bytes = BODY) -> ReadyKey:
    buckets.raw.write(str(raw), body)
    return ReadyKey(raw, upload_id(body))


def prepared(
    buckets: Buckets, ready: ReadyKey, status: str = "ready", schema: int = SCHEMA_VERSION
) -> None:
    current = {"upload_id": ready.upload, "status": status}
    report = {"status": status, "schema_version": schema}
    buckets.ready.write(ready.raw.prepared(ready.upload, REPORT), json.dumps(report).encode())
    buckets.ready.write(ready.raw.current, json.dumps(current).encode())
    if status == "ready":
        buckets.ready.write(str(ready), b"ready")


def test_an_upload_that_was_never_prepared_is_announced(buckets: Buckets):
    uploaded(buckets)
    assert plan(buckets) == [Announcement("raw", str(MINE), "was never prepared")]


def test_an_upload_over_a_prepared_one_is_announced(buckets: Buckets):
    prepared(buckets, uploaded(buckets))
    uploaded(buckets, body=b"newer")
    assert [each.key for each in plan(buckets)] == [str(MINE)]


def test_an_upload_whose_preparation_was_cut_off_is_announced(buckets: Buckets):
    ready = uploaded(buckets)
    prepared(buckets, ready)
    buckets.ready.delete(str(ready))
    assert plan(buckets) == [Announcement("raw", str(MINE), "was prepared only in part")]


def test_an_upload_prepared_in_another_schema_is_announced(buckets: Buckets):
    ready = uploaded(buckets)
    prepared(buckets, ready, schema=SCHEMA_VERSION - 1)
    expected = [
        Announcement("raw", str(MINE), "was prepared by another release, in another schema")
    ]
    assert plan(buckets) == expected
    assert of_another_schema(buckets.ready) == expected
    prepared(buckets, ready)
    assert [each.bucket for each in plan(buckets)] == ["ready"]
    assert of_another_schema(buckets.ready) == []


def test_a_pointer_that_is_nobodys_is_left_alone(buckets: Buckets):
    buckets.ready.write("datasets/not a file of songs/current.json", b"{}")
    assert plan(buckets) == of_another_schema(buckets.ready) == []


def test_a_refused_upload_has_its_outcome(buckets: Buckets):
    prepared(buckets, uploaded(buckets), status="refused")
    assert plan(buckets) == []
    assert not training_is_expected(buckets)


def test_a_dataset_that_was_never_trained_is_announced_once(buckets: Buckets):
    for name in ("a.csv", "b.csv"):
        prepared(buckets, uploaded(buckets, RawKey("mine", name), name.encode()))
    (announcement,) = plan(buckets)
    assert announcement.bucket == "ready"
    assert announcement.key.endswith("/ready_data.csv")
    assert "mine was never trained" in announcement.why


def test_a_dataset_with_uploads_to_prepare_waits_for_them(buckets: Buckets):
    prepared(buckets, uploaded(buckets, RawKey("mine", "a.csv"), b"a"))
    uploaded(buckets, RawKey("mine", "b.csv"), b"b")
    assert [each.bucket for each in plan(buckets)] == ["raw"]


def test_a_key_that_create_data_can_only_refuse_is_left_alone(buckets: Buckets):
    buckets.raw.write("datasets/no file of songs.txt", b"")
    assert plan(buckets) == []
    assert not training_is_expected(buckets)


def test_announcing_puts_the_same_bytes_again(buckets: Buckets):
    uploaded(buckets)
    (announcement,) = plan(buckets)
    assert announce(buckets, announcement)
    assert buckets.raw.read(str(MINE)).body == BODY


def test_a_dataset_is_announced_whatever_became_of_it(buckets: Buckets):
    ready = uploaded(buckets)
    prepared(buckets, ready)
    trained(buckets, ready)

    assert of_dataset(buckets.ready, MINE.dataset).key == str(ready)


def test_a_dataset_without_prepared_data_is_told_from_those_there_are(buckets: Buckets):
    prepared(buckets, uploaded(buckets))

    with pytest.raises(NotFound, match=f"expected one of: {MINE.dataset}"):
        of_dataset(buckets.ready, "other")
    with pytest.raises(NotFound, match="expected one of: none yet"):
        of_dataset(InMemoryStore(), MINE.dataset)


def test_what_is_gone_meanwhile_is_not_announced(buckets: Buckets):
    uploaded(buckets)
    (announcement,) = plan(buckets)
    buckets.raw.delete(str(MINE))
    assert not announce(buckets, announcement)
    assert list(buckets.raw.list("")) == []


def test_an_upload_still_on_its_way_is_worth_waiting_for(buckets: Buckets):
    uploaded(buckets)
    assert training_is_expected(buckets)


def trained(buckets: Buckets, ready: ReadyKey) -> Registry:
    """A run over exactly this upload, without a decision about the champion."""
    of_upload = replace(manifest(), dataset="mine", dataset_version=dataset_version([ready.upload]))
    registry = Registry(buckets.artifacts)
    registry.publish(of_upload, {model.file: b"model" for model in of_upload.models})
    return registry


def test_a_run_that_never_met_the_champion_is_announced(buckets: Buckets):
    ready = uploaded(buckets)
    prepared(buckets, ready)
    trained(buckets, ready)
    assert plan(buckets) == [Announcement("ready", str(ready), "run run1 never met the champion")]


def test_a_dataset_whose_run_is_champion_is_finished(buckets: Buckets):
    ready = uploaded(buckets)
    prepared(buckets, ready)
    registry = trained(buckets, ready)
    registry.crown("mine", "run1", "boosting", reason="the only one", now=datetime.now(UTC))
    assert plan(buckets) == []


def test_a_dataset_with_a_newer_upload_than_its_run_is_announced(buckets: Buckets):
    trained(buckets, uploaded(buckets, body=b"older"))
    prepared(buckets, uploaded(buckets))
    (announcement,) = plan(buckets)
    assert "was never trained as it is now" in announcement.why
