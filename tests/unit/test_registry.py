"""Runs become visible in one step, champions move in one step, nothing unvouched is believed."""

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from chartbuster import layout
from chartbuster.errors import Conflict, Corrupt, NotFound, Unreachable, UntrustedModel
from chartbuster.memory import InMemoryStore
from chartbuster.registry import (
    AttributeRange,
    Inputs,
    ModelEntry,
    Registry,
    RunManifest,
    Scores,
    best_model,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
FILES = {"models/boosting.skops": b"a model", "metrics.json": b"{}"}


def entry(name: str = "boosting", mae: float = 7.0) -> ModelEntry:
    scores = Scores(r2=0.6, mae=mae, rmse=9.5, spearman=None, songs=20)
    return ModelEntry(name, name.title(), f"models/{name}.skops", 7, 1.5, scores, None)


def manifest(attempt: str = "first", run_id: str = "run1") -> RunManifest:
    return RunManifest(
        run_id=run_id,
        attempt=attempt,
        dataset="demo",
        dataset_version="v",
        uploads=("u1",),
        created=NOW.isoformat(),
        seconds=2.0,
        songs=100,
        artists=10,
        code="c",
        lock="l",
        schema_version=1,
        configuration={"seed": 7, "models": ["boosting"]},
        columns=("energy", "genre=Pop"),
        inputs=Inputs(
            audio={"energy": AttributeRange(0.1, 0.9, 0.5)},
            release_year=None,
            key="C",
            mode=None,
            time_signature="4/4",
            genres=("Pop",),
            genre_defaults={"Pop": {"energy": 0.6, "key": "D"}},
        ),
        models=(entry(),),
        best="boosting",
        files={},
    )


class ReplyLost(InMemoryStore):
    """Creates the object, then answers as the SDK's own repeat is answered: it is there already."""

    def create(self, key: str, body: bytes) -> str:
        super().create(key, body)
        raise Conflict(f"{key} is there")


class Dies(InMemoryStore):
    """Goes away when `key` is to be created."""

    def create(self, key: str, body: bytes) -> str:
        raise Unreachable(f"no answer for {key}")


class OneFaster(InMemoryStore):
    """Lets somebody else's version in, once, just before our conditional write."""

    def __init__(self, key: str, theirs: bytes) -> None:
        super().__init__()
        self._theirs: tuple[str, bytes] | None = (key, theirs)

    def create(self, key: str, body: bytes) -> str:
        self._let_in(key)
        return super().create(key, body)

    def replace(self, key: str, body: bytes, *, etag: str) -> str:
        self._let_in(key)
        return super().replace(key, body, etag=etag)

    def _let_in(self, key: str) -> None:
        if self._theirs and self._theirs[0] == key:
            self.write(*self._theirs)
            self._theirs = None


def test_a_published_run_is_read_back_equal_and_its_files_to_the_byte() -> None:
    registry = Registry(InMemoryStore())

    published = registry.publish(manifest(), FILES)

    assert registry.manifest("run1") == published
    assert registry.runs() == ("run1",)
    assert registry.file(published, "models/boosting.skops") == b"a model"


def test_a_run_that_died_before_its_manifest_is_not_there_and_the_next_attempt_clears_it_away() -> (
    None
):
    dying = Dies()
    with pytest.raises(Unreachable):
        Registry(dying).publish(manifest("dead"), FILES)
    store = InMemoryStore()
    for item in dying.list(""):
        store.write(item.key, dying.read(item.key).body)
    registry = Registry(store)
    assert registry.runs() == ()

    registry.publish(manifest("second"), FILES)

    assert registry.manifest("run1").attempt == "second"
    assert not list(store.list(layout.attempt_prefix("run1", "dead")))


def test_the_loser_of_a_race_removes_its_files_and_is_told_the_winner() -> None:
    store = InMemoryStore()
    registry = Registry(store)
    registry.publish(manifest("winner"), FILES)

    told = registry.publish(manifest("loser"), FILES)

    assert told.attempt == "winner"
    assert not list(store.list(layout.attempt_prefix("run1", "loser")))
    assert registry.file(told, "metrics.json") == b"{}"


def test_a_lost_reply_to_the_manifest_is_recognised_as_our_own_success() -> None:
    registry = Registry(ReplyLost())

    assert registry.publish(manifest("mine"), FILES).attempt == "mine"

    assert registry.file(registry.manifest("run1"), "metrics.json") == b"{}"


def test_another_runs_files_survive_a_publish() -> None:
    registry = Registry(InMemoryStore())
    first = registry.publish(manifest(run_id="run1"), FILES)
    registry.publish(manifest(run_id="run2"), FILES)

    assert registry.file(first, "metrics.json") == b"{}"
    assert registry.runs() == ("run1", "run2")


def test_a_manifest_cannot_name_a_model_whose_file_is_not_published() -> None:
    with pytest.raises(ValueError, match=r"boosting\.skops"):
        Registry(InMemoryStore()).publish(manifest(), {"metrics.json": b"{}"})


def test_a_file_changed_after_publishing_is_not_trusted() -> None:
    store = InMemoryStore()
    registry = Registry(store)
    published = registry.publish(manifest(), FILES)
    store.write("runs/run1/first/models/boosting.skops", b"A model")

    with pytest.raises(UntrustedModel, match="SHA-256"):
        registry.file(published, "models/boosting.skops")


def test_a_file_the_manifest_does_not_name_is_not_trusted() -> None:
    store = InMemoryStore()
    registry = Registry(store)
    published = registry.publish(manifest(), FILES)
    store.write("runs/run1/first/models/other.skops", b"smuggled")

    with pytest.raises(UntrustedModel, match="has no file"):
        registry.file(published, "models/other.skops")


def test_a_run_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        Registry(InMemoryStore()).manifest("nobody")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{cut", "not readable JSON"),
        (b"[]", "expected an object"),
        (b'{"run_id": "run1"}', "lacks attempt"),
        (b"[" * 100_000, "not readable JSON"),
    ],
)
def test_a_manifest_that_is_no_manifest_says_what_is_wrong(body: bytes, says: str) -> None:
    store = InMemoryStore()
    store.write(layout.run_manifest("run1"), body)

    with pytest.raises(Corrupt, match=says):
        Registry(store).manifest("run1")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("songs", "many", r"manifest.json.songs is 'many'; expected int"),
        ("seconds", True, r"seconds is True; expected float"),
        ("uploads", [1], r"uploads\[0\] is 1; expected text"),
        ("models", [{"name": "x"}], r"models\[0\] lacks title"),
        ("files", {"a": {"sha256": "x", "bytes": 1.5}}, r"files.a.bytes is 1.5"),
        ("run_id", "other", r"is the manifest of run 'other'"),
    ],
)
def test_a_manifest_with_a_wrong_field_names_it(field: str, value: object, says: str) -> None:
    store = InMemoryStore()
    registry = Registry(store)
    registry.publish(manifest(), FILES)
    key = layout.run_manifest("run1")
    store.write(key, json.dumps(json.loads(store.read(key).body) | {field: value}).encode())

    with pytest.raises(Corrupt, match=says):
        registry.manifest("run1")


def test_a_newer_manifest_with_fields_we_do_not_know_is_read() -> None:
    store = InMemoryStore()
    published = Registry(store).publish(manifest(), FILES)
    key = layout.run_manifest("run1")
    store.write(key, json.dumps(json.loads(store.read(key).body) | {"mood": "new"}).encode())

    assert Registry(store).manifest("run1") == published


def test_the_best_model_is_the_one_with_the_smallest_error_and_the_baseline_loses_ties() -> None:
    assert best_model([entry("baseline", 7.0), entry("forest", 7.0), entry("linear", 8.0)]) == (
        "forest"
    )
    assert best_model([entry("baseline", 6.0), entry("forest", 7.0)]) == "baseline"


def test_without_new_artist_scores_known_artists_decide() -> None:
    def known_only(name: str, mae: float) -> ModelEntry:
        scored = entry(name, mae)
        return dataclasses.replace(scored, new_artists=None, known_artists=scored.new_artists)

    assert best_model([known_only("linear", 8.0), known_only("forest", 7.0)]) == "forest"


def test_a_dataset_without_a_champion_has_none_and_crowning_gives_it_one() -> None:
    registry = Registry(InMemoryStore())
    assert registry.champion("demo") is None

    registry.crown("demo", "run1", "boosting", reason="the first", now=NOW)

    champion = registry.champion("demo")
    assert champion is not None
    assert (champion.run_id, champion.model, champion.reason) == ("run1", "boosting", "the first")
    assert registry.champions() == (champion,)


def test_every_decision_stays_on_record_and_repeating_one_changes_nothing() -> None:
    registry = Registry(InMemoryStore())
    registry.crown("demo", "run1", "boosting", reason="the first", now=NOW)
    registry.refuse("demo", "run2", "forest", reason="worse", now=NOW)
    registry.crown("demo", "run3", "boosting", reason="better", now=NOW)
    once = registry.champion("demo")

    registry.crown("demo", "run3", "boosting", reason="again", now=NOW)
    registry.refuse("demo", "run3", "boosting", reason="again", now=NOW)

    champion = registry.champion("demo")
    assert champion == once
    assert champion is not None
    assert [(d.run_id, d.crowned) for d in champion.history] == [
        ("run1", True),
        ("run2", False),
        ("run3", True),
    ]
    assert champion.has_met("run3")
    assert not champion.has_met("run2"), "run2 has not met the present champion"


def test_a_refused_run_is_remembered_until_the_champion_changes() -> None:
    registry = Registry(InMemoryStore())
    registry.crown("demo", "run1", "boosting", reason="the first", now=NOW)

    assert registry.refuse("demo", "run2", "forest", reason="worse", now=NOW).has_met("run2")


def test_a_champion_moved_by_somebody_else_in_between_stays_in_the_history() -> None:
    key = layout.champion("demo")
    theirs = InMemoryStore()
    Registry(theirs).crown("demo", "run2", "forest", reason="theirs", now=NOW)
    registry = Registry(OneFaster(key, theirs.read(key).body))

    registry.crown("demo", "run3", "boosting", reason="ours", now=NOW)

    champion = registry.champion("demo")
    assert champion is not None
    assert [decision.run_id for decision in champion.history] == ["run2", "run3"]


def test_a_lost_reply_to_the_first_crowning_is_recognised_as_our_own() -> None:
    registry = Registry(ReplyLost())

    champion = registry.crown("demo", "run1", "boosting", reason="the first", now=NOW)

    assert registry.champion("demo") == champion
    assert len(champion.history) == 1


def test_a_champion_file_that_is_no_champion_is_not_taken_for_none() -> None:
    store = InMemoryStore()
    store.write(layout.champion("demo"), b"{}")

    with pytest.raises(Corrupt, match="lacks dataset"):
        Registry(store).champion("demo")


def test_the_first_dataset_to_get_a_champion_is_shown_until_somebody_chooses() -> None:
    registry = Registry(InMemoryStore())
    assert registry.active() is None
    registry.activate_first("demo")
    registry.activate_first("mine")
    assert registry.active() == "demo"

    registry.activate("mine")

    assert registry.active() == "mine"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"dataset": "../x"}', b'{"dataset": 3}'])
def test_an_active_file_that_names_no_dataset_says_what_it_should_hold(body: bytes) -> None:
    store = InMemoryStore()
    store.write(layout.ACTIVE, body)

    with pytest.raises(Corrupt, match="expected"):
        Registry(store).active()
