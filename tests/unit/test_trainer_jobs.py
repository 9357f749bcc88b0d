"""What a message asks for, and which uploads a dataset consists of."""

import json
from typing import Any

import pytest

from chartbuster.errors import Corrupt, JobUnusable
from chartbuster.identity import dataset_version
from chartbuster.memory import InMemoryStore
from tests.unit.made_up_songs import put_ready, ready_songs
from trainer.jobs import datasets_in
from trainer.uploads import current_dataset


def announcing(*keys: Any) -> str:
    """An S3 notification as S3 sends it to a queue."""
    records = [
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key}}}
        for key in keys
    ]
    return json.dumps({"Records": records})


def test_a_notification_names_its_dataset_also_when_its_key_is_encoded() -> None:
    body = announcing("datasets/demo/my+songs%20%26%20yours%2B.csv/abc/ready_data.csv")

    assert datasets_in(body) == {"demo"}


def test_a_notification_may_name_several_datasets() -> None:
    body = announcing("datasets/one/a.csv/u/ready_data.csv", "datasets/two/a.csv/u/ready_data.csv")

    assert datasets_in(body) == {"one", "two"}


def test_the_message_s3_tries_a_queue_with_asks_for_nothing() -> None:
    assert datasets_in(json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})) == set()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("hello", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "expected an S3 notification"),
        ("{}", "expected an S3 notification's Records"),
        ('{"Records": []}', "Records"),
        ('{"Records": [7]}', "expected s3.object.key"),
        ('{"Records": [{"s3": null}]}', "expected s3.object.key"),
        (announcing(7), "expected s3.object.key"),
        (announcing("%ff"), "expected s3.object.key"),
        (announcing("datasets/demo/a.csv/u/report.json"), "expected datasets/<dataset>/<file>"),
        (announcing("datasets/Not%20A%20Name/a.csv/u/ready_data.csv"), "'Not A Name'"),
    ],
)
def test_what_can_never_be_a_job_says_why(body: str, says: str) -> None:
    with pytest.raises(JobUnusable) as error:
        datasets_in(body)

    assert says in str(error.value)


def test_a_dataset_is_the_current_upload_of_each_of_its_files() -> None:
    ready = InMemoryStore()
    put_ready(ready, "demo", ready_songs(5, seed=1), file="a.csv")
    newer = put_ready(ready, "demo", ready_songs(5, seed=2), file="a.csv")
    other = put_ready(ready, "demo", ready_songs(5, seed=3), file="b.csv.gz")
    put_ready(ready, "demo-2", ready_songs(5, seed=4))

    dataset = current_dataset(ready, "demo")

    assert [str(key) for key in dataset.uploads] == [newer, other]
    assert dataset.version == dataset_version(key.split("/")[3] for key in (other, newer))


def test_an_upload_that_was_refused_or_is_not_prepared_yet_does_not_count() -> None:
    ready = InMemoryStore()
    put_ready(ready, "demo", ready_songs(5, seed=1), file="a.csv", status="refused")
    ready.delete(put_ready(ready, "demo", ready_songs(5, seed=2), file="b.csv"))

    assert current_dataset(ready, "demo").uploads == ()


@pytest.mark.parametrize(
    "body", [b"{cut", b"[]", b"{}", b'{"status": "ready"}', b'{"status": "ready", "upload_id": 7}']
)
def test_a_pointer_that_is_none_is_an_error_and_not_an_empty_dataset(body: bytes) -> None:
    ready = InMemoryStore()
    ready.write("datasets/demo/a.csv/current.json", body)

    with pytest.raises(Corrupt, match=r"current\.json"):
        current_dataset(ready, "demo")
