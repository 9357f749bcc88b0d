"""`make card`, seen over a bucket in memory."""

import dataclasses

import pytest

from chartbuster import layout
from chartbuster.errors import Misconfigured, NotFound, UntrustedModel
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from scripts.card import card_of, chosen_run, keep
from tests.unit.made_up_run import made_up_run
from tests.unit.webapp_store import NOW


@pytest.fixture
def store():
    return InMemoryStore()


@pytest.fixture
def registry(store):
    return Registry(store)


def _published(registry, run_id, dataset="mine", card=b"<!doctype html>"):
    run = dataclasses.replace(made_up_run(), run_id=run_id, dataset=dataset, models=())
    return registry.publish(run, {layout.CARD: card} if card else {})


def test_the_champion_of_the_active_dataset_is_taken(registry):
    for run_id, dataset in (("aa1", "mine"), ("bb2", "other")):
        _published(registry, run_id, dataset)
        registry.crown(dataset, run_id, "boosting", reason="the first", now=NOW)
    registry.activate("other")

    assert chosen_run(registry, run=None, dataset=None).run_id == "bb2"
    assert chosen_run(registry, run=None, dataset="mine").run_id == "aa1"


def test_a_run_may_be_named_by_its_first_letters(registry):
    for run_id in ("aa1", "ab2", "b3"):
        _published(registry, run_id)

    assert chosen_run(registry, run="aa", dataset=None).run_id == "aa1"
    with pytest.raises(Misconfigured, match=r"RUN='a' begins 2 runs; expected .* aa1, ab2"):
        chosen_run(registry, run="a", dataset=None)


def test_a_whole_id_that_begins_another_is_the_run_itself(registry):
    for run_id in ("aa", "aa1"):
        _published(registry, run_id)

    assert chosen_run(registry, run="aa", dataset=None).run_id == "aa"


def test_a_run_or_champion_that_is_not_there_is_named_with_those_that_are(registry):
    with pytest.raises(NotFound, match="no dataset has a model yet"):
        chosen_run(registry, run=None, dataset=None)
    with pytest.raises(NotFound, match="begins with 'c'; the runs there are: none"):
        chosen_run(registry, run="c", dataset=None)
    _published(registry, "aa1")
    registry.crown("mine", "aa1", "boosting", reason="the first", now=NOW)
    with pytest.raises(NotFound, match="begins with 'c'; the runs there are: aa1"):
        chosen_run(registry, run="c", dataset=None)
    with pytest.raises(NotFound, match=r"'others' has no champion; .* mine"):
        chosen_run(registry, run=None, dataset="others")


def test_the_card_is_the_stored_one_to_the_byte(registry):
    run = _published(registry, "aa1", card=b"<!doctype html>\n<p>\xc3\xa9</p>\n")

    assert card_of(registry, run) == b"<!doctype html>\n<p>\xc3\xa9</p>\n"


def test_a_card_that_was_changed_since_is_refused(registry, store):
    run = _published(registry, "aa1")
    store.write(f"runs/aa1/{run.attempt}/{layout.CARD}", b"<script>")

    with pytest.raises(UntrustedModel):
        card_of(registry, run)


def test_a_run_from_before_there_were_cards_says_so(registry):
    run = _published(registry, "aa1", card=None)

    with pytest.raises(NotFound, match=r"run aa1 of dataset 'mine' has no card\.html"):
        card_of(registry, run)


def test_the_file_is_whole_and_nothing_else_is_left(tmp_path):
    out = tmp_path / "card.html"
    out.write_bytes(b"an older one")

    keep(b"new", out)

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [
        ("card.html", b"new")
    ]


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    with pytest.raises(Misconfigured, match="is a folder; expected the path of a file"):
        keep(b"new", tmp_path)
    with pytest.raises(Misconfigured, match=r"cannot be written .*expected the path of a file"):
        keep(b"new", tmp_path / "nowhere" / "card.html")
    assert list(tmp_path.iterdir()) == []
