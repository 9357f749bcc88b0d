"""`make demo`, seen over buckets in memory."""

import json
from pathlib import Path

import pytest

from chartbuster import layout
from chartbuster.errors import InvalidName, Misconfigured, UnreadableUpload
from chartbuster.identity import dataset_version
from chartbuster.memory import InMemoryStore
from scripts.demo import Journey, Upload, named, read_upload

_UPLOAD = Upload(layout.RawKey("mine", "songs.csv"), b"popularity\n1\n")


@pytest.fixture
def ready():
    return InMemoryStore()


@pytest.fixture
def artifacts():
    return InMemoryStore()


@pytest.fixture
def journey(ready, artifacts):
    return Journey(_UPLOAD, ready=ready, artifacts=artifacts, ready_bucket="ready")


def _reported(ready, **report):
    ready.write(_UPLOAD.key.prepared(_UPLOAD.identity, layout.REPORT), json.dumps(report).encode())


def _current(ready, key, upload, status="ready"):
    ready.write(key.current, json.dumps({"upload_id": upload, "status": status}).encode())


@pytest.mark.parametrize(
    ("file", "dataset"),
    [
        ("songs.csv", "songs"),
        ("Spotify Features (1).CSV.GZ", "spotify-features-1"),
        ("spotify_songs_2020.csv", "spotify-songs-2020"),
    ],
)
def test_a_dataset_is_named_after_its_file(file, dataset):
    assert named(Path(file), None) == layout.RawKey(dataset, file)


def test_a_given_name_wins_and_must_be_one():
    assert named(Path("songs.csv"), "mine").dataset == "mine"
    with pytest.raises(InvalidName, match="'My Songs'"):
        named(Path("songs.csv"), "My Songs")


def test_a_file_that_is_not_there_is_named_with_what_would_be_right(tmp_path):
    with pytest.raises(Misconfigured, match=r"none\.csv.*expected the path of a \.csv"):
        read_upload(tmp_path / "none.csv", None)


def test_nothing_is_reported_before_the_lambda_did(journey):
    assert journey.report() is None


def test_a_refused_file_ends_in_the_reason_and_where_the_rejects_are(journey, ready):
    rejects = _UPLOAD.key.prepared(_UPLOAD.identity, layout.REJECTS)
    ready.write(rejects, b"line,reason\n")
    _reported(ready, status="refused", reason="no popularity column")

    with pytest.raises(UnreadableUpload, match=f"(?s)no popularity column.*s3://ready/{rejects}"):
        journey.report()


def test_a_dataset_version_counts_every_file_once_this_upload_is_current(journey, ready):
    other = layout.RawKey("mine", "more.csv")
    refused = layout.RawKey("mine", "bad.csv")
    _current(ready, other, "b" * 64)
    _current(ready, refused, "c" * 64, status="refused")
    assert journey.current_version() is None

    _current(ready, _UPLOAD.key, _UPLOAD.identity)

    assert journey.current_version() == dataset_version([_UPLOAD.identity, "b" * 64])


def test_the_stage_is_what_the_trainer_last_said(journey, artifacts):
    assert journey.stage() == ("waiting for the trainer", 0.0)

    note = {"stage": "fitting Random forest", "fraction": 0.4}
    artifacts.write(layout.progress("mine"), json.dumps(note).encode())

    assert journey.stage() == ("fitting Random forest", 0.4)


def test_a_version_without_a_run_has_none(journey):
    assert journey.run("0" * 64) is None
