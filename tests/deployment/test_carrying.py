"""A run that is carried along arrives whole, to the byte, or not at all."""

import dataclasses
from datetime import UTC, datetime

import pytest

from chartbuster import layout
from chartbuster.errors import Conflict, Corrupt, NotFound, Unreachable, UntrustedModel
from chartbuster.memory import InMemoryStore
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from chartbuster.runs import RunManifest
from scripts.aws.carrying import carry
from tests.unit.made_up_run import made_up_run

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
RUN = made_up_run().run_id


def files_of(manifest: RunManifest) -> dict[str, bytes]:
    models = {model.file: model.name.encode() for model in manifest.models}
    return {**models, "card.html": b"<p>a card</p>"}


@pytest.fixture
def source() -> InMemoryStore:
    store = InMemoryStore()
    Registry(store).publish(made_up_run(), files_of(made_up_run()))
    return store


def objects(store: ObjectStore, prefix: str = "") -> dict[str, bytes]:
    return {item.key: store.read(item.key).body for item in store.list(prefix)}


def gone() -> ObjectStore:
    raise NotFound("no local stack is up")


def test_every_file_and_the_manifest_arrive_to_the_byte(source):
    target = InMemoryStore()

    carried = carry(RUN, lambda: source, target, now=NOW)

    assert objects(target, layout.RUNS) == objects(source, layout.RUNS)
    assert carried.changed
    assert carried.sent == len(files_of(made_up_run())) + 1


def test_the_app_over_there_has_a_champion_and_a_dataset_to_show(source):
    target = InMemoryStore()

    carry(RUN, lambda: source, target, now=NOW)

    champion = Registry(target).champion("spotify-2019")
    assert champion is not None
    assert champion.is_model(RUN, "boosting")
    assert champion.reason == "carried along from the local stack"
    assert Registry(target).active() == "spotify-2019"


def test_the_model_that_is_champion_at_home_is_champion_over_there(source):
    Registry(source).promote("spotify-2019", RUN, "forest", reason="by hand", now=NOW)
    target = InMemoryStore()

    assert carry(RUN, lambda: source, target, now=NOW).champion.model == "forest"


def test_a_champion_that_is_there_stays_and_so_does_the_dataset_shown_first(source):
    target = InMemoryStore()
    other = dataclasses.replace(made_up_run(), run_id="other")
    Registry(target).publish(other, files_of(other))
    Registry(target).promote("spotify-2019", "other", "linear", reason="theirs", now=NOW)
    Registry(target).activate("demo")

    carried = carry(RUN, lambda: source, target, now=NOW)

    assert not carried.crowned
    assert carried.champion.is_model("other", "linear")
    assert Registry(target).active() == "demo"
    assert RUN in Registry(target).runs()


def test_a_repeat_changes_nothing_and_needs_no_local_stack(source):
    target = InMemoryStore()
    carry(RUN, lambda: source, target, now=NOW)
    before = objects(target)

    carried = carry(RUN, gone, target, now=NOW)

    assert not carried.changed
    assert objects(target) == before


class StopsAfter(InMemoryStore):
    """Goes away once so many objects have been made."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def create(self, key: str, body: bytes) -> str:
        if not self.left:
            raise Unreachable(f"no answer for {key}")
        self.left -= 1
        return super().create(key, body)


@pytest.mark.parametrize("after", range(8))
def test_stopped_anywhere_it_is_no_run_or_the_whole_run_and_a_repeat_ends_it(source, after):
    target = StopsAfter(after)

    with pytest.raises(Unreachable):
        carry(RUN, lambda: source, target, now=NOW)
    there = Registry(target).runs()
    assert there == (() if after < 7 else (RUN,))
    target.left = 100

    carry(RUN, lambda: source, target, now=NOW)

    assert objects(target, layout.RUNS) == objects(source, layout.RUNS)
    assert Registry(target).champion("spotify-2019") is not None


def test_the_manifest_is_the_last_of_the_run_to_arrive(source):
    made: list[str] = []

    class Listening(InMemoryStore):
        def create(self, key: str, body: bytes) -> str:
            made.append(key)
            return super().create(key, body)

    carry(RUN, lambda: source, Listening(), now=NOW)

    assert [key for key in made if key.startswith(layout.RUNS)][-1] == layout.run_manifest(RUN)


def test_a_lost_answer_to_ones_own_write_is_no_conflict(source):
    class ReplyLost(InMemoryStore):
        def create(self, key: str, body: bytes) -> str:
            super().create(key, body)
            raise Conflict(key)

    target = ReplyLost()

    carry(RUN, lambda: source, target, now=NOW)

    assert objects(target, layout.RUNS) == objects(source, layout.RUNS)


def test_a_file_that_is_not_what_its_manifest_expects_is_not_carried(source):
    key = layout.attempt_prefix(RUN, "first") + "models/forest.skops"
    source.write(key, b"somebody else's")
    target = InMemoryStore()

    with pytest.raises(UntrustedModel, match=r"forest\.skops"):
        carry(RUN, lambda: source, target, now=NOW)

    assert Registry(target).runs() == ()


def test_other_bytes_under_the_same_key_are_never_overwritten(source):
    target = InMemoryStore()
    key = layout.attempt_prefix(RUN, "first") + "models/forest.skops"
    target.write(key, b"theirs")

    with pytest.raises(Corrupt, match=r"forest\.skops is there with SHA-256"):
        carry(RUN, lambda: source, target, now=NOW)

    assert target.read(key).body == b"theirs"


def test_a_run_there_is_none_of_is_said_to_be_missing(source):
    with pytest.raises(NotFound):
        carry("nothing", lambda: source, InMemoryStore(), now=NOW)
