"""The trainer compares each new version with the champion's songs, and trains whatever happens."""

import logging
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from chartbuster import layout
from chartbuster.errors import Unreachable
from chartbuster.memory import InMemoryStore
from chartbuster.ports import StoredObject
from chartbuster.registry import Registry
from chartbuster.runs import RunManifest
from tests.unit.made_up_songs import put_ready, ready_songs
from trainer.drifting import compare_with_champion
from trainer.train_model import run

BASELINE = "{seed: 7, folds: 1, fewest_songs: 50, models: {baseline: }}"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def made(artifacts: InMemoryStore, table: pd.DataFrame, dataset: str = "demo") -> RunManifest:
    ready = InMemoryStore()
    put_ready(ready, dataset, table)
    manifest = run(dataset, ready=ready, artifacts=artifacts, configuration_text=BASELINE, jobs=1)
    assert manifest is not None
    return manifest


def slower(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(tempo=(table["tempo"] / 3).clip(lower=20).round(1))


def drift_keys(artifacts: InMemoryStore) -> list[str]:
    return [item.key for item in artifacts.list(layout.DRIFT)]


def test_the_first_version_has_nothing_to_be_compared_with():
    artifacts = InMemoryStore()
    made(artifacts, ready_songs(300))
    assert drift_keys(artifacts) == []
    assert Registry(artifacts).drift("demo") is None
    assert Registry(artifacts).drifts() == ()


def test_a_new_version_is_compared_with_the_champions_songs():
    artifacts = InMemoryStore()
    first = made(artifacts, ready_songs(300))
    second = made(artifacts, slower(ready_songs(400, seed=2, first=200)))

    report = Registry(artifacts).drift("demo")

    assert report is not None
    assert drift_keys(artifacts) == [f"drift/demo/{second.dataset_version}.json"]
    assert (report.champion, report.version) == (first.run_id, second.dataset_version)
    assert (report.songs_before, report.songs_now, report.songs_shared) == (300, 400, 100)
    assert (report.level, report.features[0].name) == ("much", "tempo")


def test_the_report_is_there_before_the_training():
    class Watching(InMemoryStore):
        drifts_at_manifest: list[str] | None = None

        def create(self, key: str, body: bytes) -> str:
            if key.endswith("manifest.json"):
                self.drifts_at_manifest = drift_keys(self)
            return super().create(key, body)

    artifacts = Watching()
    made(artifacts, ready_songs(300))
    second = made(artifacts, ready_songs(300, seed=2))
    assert artifacts.drifts_at_manifest == [f"drift/demo/{second.dataset_version}.json"]


def test_the_same_version_again_is_the_same_bytes_whenever_it_comes():
    artifacts = InMemoryStore()
    made(artifacts, ready_songs(300))
    registry, songs = Registry(artifacts), ready_songs(300, seed=2)
    written = []
    for hours in (0, 5):
        report = compare_with_champion(
            registry, songs, dataset="demo", version="v2", now=NOW + timedelta(hours=hours)
        )
        assert report is not None
        assert report.at == "2026-03-01T12:00:00+00:00"
        written.append(artifacts.read("drift/demo/v2.json").body)
    assert written[0] == written[1]


def test_the_champions_own_version_is_no_news():
    artifacts = InMemoryStore()
    manifest = made(artifacts, ready_songs(300))
    version = manifest.dataset_version
    assert (
        compare_with_champion(
            Registry(artifacts), ready_songs(300), dataset="demo", version=version, now=NOW
        )
        is None
    )
    assert drift_keys(artifacts) == []


def test_the_newest_report_of_each_dataset_is_the_one_shown():
    artifacts = InMemoryStore()
    for dataset in ("demo", "other"):
        made(artifacts, ready_songs(300), dataset)
    registry = Registry(artifacts)
    for hours, version in ((2, "b"), (1, "c"), (0, "a")):
        for dataset in ("demo", "other"):
            at = NOW + timedelta(hours=hours)
            songs = ready_songs(300, seed=2)
            compare_with_champion(registry, songs, dataset=dataset, version=version, now=at)
    assert [(found.dataset, found.version) for found in registry.drifts()] == [
        ("demo", "b"),
        ("other", "b"),
    ]


def test_a_report_that_was_cut_short_is_made_again():
    artifacts = InMemoryStore()
    made(artifacts, ready_songs(300))
    artifacts.write("drift/demo/v2.json", b'{"dataset": "de')
    compare_with_champion(
        Registry(artifacts), ready_songs(300, seed=2), dataset="demo", version="v2", now=NOW
    )
    assert Registry(artifacts).drift("demo") is not None


class Away(InMemoryStore):
    """Answers nothing about keys that hold `word`."""

    word = "\0"

    def read(self, key: str) -> StoredObject:
        self._answer(key)
        return super().read(key)

    def write(self, key: str, body: bytes) -> str:
        self._answer(key)
        return super().write(key, body)

    def _answer(self, key: str) -> None:
        if self.word in key:
            raise Unreachable(f"no answer for {key}")


@pytest.mark.parametrize("word", [layout.DRIFT, "songs.parquet"])
def test_a_comparison_that_fails_is_logged_and_the_run_is_made(
    word: str, caplog: pytest.LogCaptureFixture
):
    artifacts = Away()
    made(artifacts, ready_songs(300))
    if word == layout.DRIFT:
        artifacts.word = word
    else:
        (key,) = (item.key for item in artifacts.list("runs/") if item.key.endswith(word))
        artifacts.write(key, b"no parquet")

    with caplog.at_level(logging.ERROR):
        second = made(artifacts, ready_songs(300, seed=2))

    assert Registry(artifacts).manifest(second.run_id) == second
    assert [record.message for record in caplog.records] == ["drift_not_compared"]
    artifacts.word = "\0"
    assert drift_keys(artifacts) == []
