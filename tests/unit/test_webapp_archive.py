"""Every run is read once, and one that cannot be read does not hide the others."""

import dataclasses

import pytest

from chartbuster import layout
from chartbuster.errors import Unreachable
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from chartbuster.report import REPORT
from tests.unit.test_registry import FILES, manifest
from tests.unit.test_webapp_serving import Clock, Moody
from tests.unit.webapp_store import published
from webapp.archive import Archive


def with_runs(store: InMemoryStore, *days: int) -> InMemoryStore:
    for day in days:
        run = dataclasses.replace(manifest(run_id=f"run{day}"), created=f"2026-03-{day:02}T12:00Z")
        Registry(store).publish(run, FILES)
    return store


def archive(store: InMemoryStore) -> tuple[Archive, Clock]:
    clock = Clock()
    return Archive(Registry(store), monotonic=clock), clock


def ids(found: Archive, seen: object = None) -> list[str]:
    return [run.run_id for run in found.runs(seen).runs]


def test_the_newest_run_comes_first() -> None:
    found, _ = archive(with_runs(InMemoryStore(), 3, 9, 5))

    assert ids(found) == ["run9", "run5", "run3"]


def test_manifests_are_read_once_and_the_list_is_asked_again_now_and_then() -> None:
    store = Moody()
    found, clock = archive(with_runs(store, 1, 2))
    ids(found)
    store.reads.clear()
    with_runs(store, 3)
    store.reads.clear()
    assert ids(found) == ["run2", "run1"]

    clock.now = 11.0

    assert ids(found) == ["run3", "run2", "run1"]
    assert store.reads == [layout.run_manifest("run3")]


def test_what_changed_elsewhere_is_asked_for_at_once() -> None:
    store = with_runs(InMemoryStore(), 1)
    found, _ = archive(store)
    ids(found, "before")
    with_runs(store, 2)

    assert ids(found, "after") == ["run2", "run1"]


def test_a_run_that_is_gone_is_forgotten() -> None:
    store = with_runs(InMemoryStore(), 1, 2)
    found, _ = archive(store)
    ids(found, "before")
    store.delete(layout.run_manifest("run2"))

    assert ids(found, "after") == ["run1"]


def test_a_damaged_manifest_is_named_and_the_others_are_there() -> None:
    store = with_runs(InMemoryStore(), 1, 2)
    store.write(layout.run_manifest("run2"), b"{cut")
    found, _ = archive(store)

    runs = found.runs()

    assert [run.run_id for run in runs.runs] == ["run1"]
    assert runs.damaged == ("run2",)


def test_while_the_store_is_away_there_is_what_was_there_before() -> None:
    store = Moody()
    with_runs(store, 1)
    found, _ = archive(store)
    store.failure = Unreachable("no answer")
    with pytest.raises(Unreachable):
        found.runs()
    store.failure = None
    ids(found, "before")
    store.failure = Unreachable("no answer")

    runs = found.runs("after")

    assert [run.run_id for run in runs.runs] == ["run1"]
    assert runs.stale


def test_a_card_is_made_once_and_its_file_is_the_one_the_run_stored() -> None:
    store = Moody()
    run = published(store)
    found, _ = archive(store)
    card = found.card(run)
    store.reads.clear()

    assert found.card(run) is card
    assert store.reads == []
    assert card.whole
    assert card.file == Registry(store).file(run, layout.CARD)
    assert {"against", "interval", "hits", "genres", "learning", "leaks", "ablation"} <= {
        section.name for section in card.sections
    }


@pytest.mark.parametrize("body", [b"{cut", b'{"model": "boosting"}', b""])
def test_a_damaged_report_leaves_a_card_of_scores(body: bytes) -> None:
    store = InMemoryStore()
    run = published(store)
    store.write(layout.attempt_prefix(run.run_id, run.attempt) + REPORT, body)

    card = archive(store)[0].card(run)

    assert not card.whole
    assert "leaks" not in {section.name for section in card.sections}
    assert card.file.startswith(b"<!doctype html>")


def test_an_older_run_without_report_or_card_has_a_card_of_scores() -> None:
    store = with_runs(InMemoryStore(), 1)
    (run,) = archive(store)[0].runs().runs

    card = archive(store)[0].card(run)

    assert card.whole
    assert [section.name for section in card.sections][:2] == ["interval", "hits"]
    assert b"left no report" in card.file
