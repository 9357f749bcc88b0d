"""Whatever order people and trainings decide in, a rollback goes one crown back and stays there."""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster import layout
from chartbuster.errors import Conflict, Corrupt, NotFound, UntrustedModel
from chartbuster.memory import InMemoryStore
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from chartbuster.runs import Champion, Decision, crowns, former
from tests.unit.test_registry import NOW, OneFaster, entry, manifest

RUNS = ("run1", "run2", "run3", "run4")
MODELS = ("boosting", "forest")

type Crown = tuple[str, str]


def with_runs(store: ObjectStore | None = None, *, dataset: str = "demo") -> Registry:
    """A registry with four runs of two models each, and no champion."""
    registry = Registry(store or InMemoryStore())
    for run_id in RUNS:
        run = dataclasses.replace(
            manifest(run_id=run_id), dataset=dataset, models=tuple(entry(name) for name in MODELS)
        )
        registry.publish(run, {f"models/{name}.skops": name.encode() for name in MODELS})
    return registry


def crown(registry: Registry, run_id: str, model: str = "boosting") -> Champion:
    return registry.crown("demo", run_id, model, reason="better", now=NOW)


def refuse(registry: Registry, run_id: str) -> Champion:
    return registry.refuse("demo", run_id, "boosting", reason="worse", now=NOW)


def promote(registry: Registry, run_id: str, model: str = "boosting") -> Champion:
    return registry.promote("demo", run_id, model, reason="chosen", now=NOW)


def train(registry: Registry, run_id: str, *, better: bool = True) -> None:
    """What the trainer does when the data of a run is announced."""
    champion = registry.champion("demo")
    if champion is None:
        crown(registry, run_id)
    elif not champion.has_met(run_id):
        (crown if better else refuse)(registry, run_id)


def champion_of(registry: Registry) -> Champion:
    champion = registry.champion("demo")
    assert champion is not None
    return champion


def rolled_back(registry: Registry) -> str:
    return registry.rollback("demo", now=NOW).run_id


def test_two_rollbacks_go_two_steps_back_and_not_to_and_fro() -> None:
    registry = with_runs()
    for run_id in ("run1", "run2", "run3"):
        crown(registry, run_id)

    assert [rolled_back(registry), rolled_back(registry)] == ["run2", "run1"]

    with pytest.raises(NotFound, match="no champion before boosting of run run1"):
        registry.rollback("demo", now=NOW)
    assert champion_of(registry).run_id == "run1"


def test_a_rollback_after_a_promotion_returns_to_the_one_before_it() -> None:
    registry = with_runs()
    crown(registry, "run1")
    crown(registry, "run2")
    promote(registry, "run1")

    assert [rolled_back(registry), rolled_back(registry)] == ["run2", "run1"]


def test_a_promotion_after_a_rollback_undoes_it() -> None:
    registry = with_runs()
    for run_id in ("run1", "run2", "run3"):
        crown(registry, run_id)
    rolled_back(registry)

    promote(registry, "run3")

    assert former(champion_of(registry)).run_id == "run2"


def test_a_rollback_is_a_decision_with_who_when_why_and_the_models_figures() -> None:
    registry = with_runs()
    crown(registry, "run1")
    crown(registry, "run2")

    champion = registry.rollback("demo", now=NOW + timedelta(hours=1))

    assert (champion.since, champion.reason) == (
        "2026-03-01T13:00:00+00:00",
        "rolled back from boosting of run run2",
    )
    assert champion.history[-1] == Decision(
        "run1",
        "boosting",
        champion.since,
        crowned=True,
        reason=champion.reason,
        by="rollback",
        figures={"r2_new_artists": 0.6, "mae_new_artists": 7.0},
    )
    assert [decision.by for decision in champion.history] == ["training", "training", "rollback"]


def test_without_a_champion_there_is_nothing_to_roll_back() -> None:
    with pytest.raises(NotFound, match="'demo' has no champion"):
        with_runs().rollback("demo", now=NOW)


def test_a_rollback_to_a_model_that_is_not_what_its_run_vouches_for_changes_nothing() -> None:
    store = InMemoryStore()
    registry = with_runs(store)
    crown(registry, "run1")
    before = crown(registry, "run2")
    store.write("runs/run1/first/models/boosting.skops", b"changed")

    with pytest.raises(UntrustedModel, match="SHA-256"):
        registry.rollback("demo", now=NOW)

    assert registry.champion("demo") == before


def test_a_history_that_does_not_lead_to_the_champion_is_not_followed() -> None:
    registry = with_runs()
    crown(registry, "run1")
    champion = dataclasses.replace(crown(registry, "run2"), run_id="run3")

    with pytest.raises(Corrupt, match="does not lead to boosting of run run3"):
        former(champion)
    with pytest.raises(Corrupt):
        former(dataclasses.replace(champion, history=()))


def test_a_promotion_is_recorded_as_a_persons_and_repeating_it_changes_nothing() -> None:
    registry = with_runs()
    crown(registry, "run1")

    promoted = promote(registry, "run1", "forest")

    assert (promoted.run_id, promoted.model) == ("run1", "forest")
    assert (promoted.history[-1].by, promoted.reason) == ("person", "chosen")
    assert promote(registry, "run1", "forest") == promoted


@pytest.mark.parametrize(
    ("run_id", "model", "says"),
    [("run9", "boosting", "run9"), ("run2", "oracle", "no model 'oracle'; expected one of")],
)
def test_what_is_not_there_cannot_be_promoted(run_id: str, model: str, says: str) -> None:
    registry = with_runs()
    before = crown(registry, "run1")

    with pytest.raises(NotFound, match=says):
        promote(registry, run_id, model)

    assert registry.champion("demo") == before


def test_a_run_of_another_dataset_cannot_be_promoted() -> None:
    registry = with_runs(dataset="mine")

    with pytest.raises(NotFound, match="'demo' has no run 'run1'; it is of 'mine'"):
        promote(registry, "run1")


def test_a_run_under_another_name_that_this_dataset_decided_on_can_be_promoted() -> None:
    registry = with_runs(dataset="mine")
    crown(registry, "run1")
    refuse(registry, "run2")

    assert promote(registry, "run2").run_id == "run2"


def test_a_model_file_that_was_changed_cannot_be_promoted() -> None:
    store = InMemoryStore()
    registry = with_runs(store)
    store.write("runs/run2/first/models/forest.skops", b"changed")

    with pytest.raises(UntrustedModel):
        promote(registry, "run2", "forest")

    assert promote(registry, "run2", "boosting").model == "boosting"


def test_training_the_same_data_does_not_bring_back_what_a_person_rolled_back() -> None:
    registry = with_runs()
    train(registry, "run1")
    train(registry, "run2")
    rolled_back(registry)

    train(registry, "run2")

    assert champion_of(registry).run_id == "run1"


def test_a_run_refused_by_what_was_rolled_back_does_not_take_its_place_by_itself() -> None:
    registry = with_runs()
    train(registry, "run1")
    train(registry, "run2")
    train(registry, "run3", better=False)
    rolled_back(registry)

    train(registry, "run3")

    assert champion_of(registry).run_id == "run1"


def test_training_the_same_data_does_not_take_the_champion_from_a_promoted_model() -> None:
    registry = with_runs()
    train(registry, "run1")
    train(registry, "run2")
    promote(registry, "run1", "forest")

    train(registry, "run2")

    champion = champion_of(registry)
    assert (champion.run_id, champion.model) == ("run1", "forest")


def test_new_data_is_judged_after_a_rollback_as_always() -> None:
    registry = with_runs()
    train(registry, "run1")
    train(registry, "run2")
    rolled_back(registry)

    train(registry, "run3")

    champion = champion_of(registry)
    assert champion.run_id == "run3"
    assert not champion.has_met("run2"), "run2 has not met the present champion"


def test_a_verdict_about_a_champion_that_was_rolled_back_meanwhile_is_none() -> None:
    registry = with_runs()
    crown(registry, "run1")
    judged = crown(registry, "run2")
    rolled_back(registry)

    for move in (registry.crown, registry.refuse):
        with pytest.raises(Conflict, match="champion is boosting of run 'run1' by now"):
            move("demo", "run3", "boosting", reason="", now=NOW, against=judged)

    assert not champion_of(registry).has_met("run3")


def test_a_slow_verdict_does_not_crown_again_what_was_crowned_and_rolled_back_meanwhile() -> None:
    registry = with_runs()
    judged = crown(registry, "run1")
    crown(registry, "run2")
    rolled_back(registry)

    registry.crown("demo", "run2", "boosting", reason="better", now=NOW, against=judged)

    assert champion_of(registry).run_id == "run1"


def test_the_figures_of_a_decision_are_kept() -> None:
    registry = with_runs()
    first = registry.crown(
        "demo", "run1", "boosting", reason="first", now=NOW, figures={"mae": 7.25}
    )
    registry.refuse(
        "demo", "run2", "boosting", reason="no", now=NOW, figures={"gain": -1}, against=first
    )

    assert [dict(each.figures) for each in champion_of(registry).history] == [
        {"mae": 7.25},
        {"gain": -1.0},
    ]


def test_a_history_written_before_there_were_people_in_it_is_read_as_training() -> None:
    store = InMemoryStore()
    registry = with_runs(store)
    crown(registry, "run1")
    expected = crown(registry, "run2")
    key = layout.champion("demo")
    old = json.loads(store.read(key).body)
    for decision in old["history"]:
        del decision["by"], decision["figures"]
    store.write(key, json.dumps(old).encode())

    assert registry.champion("demo") == expected
    assert rolled_back(registry) == "run1"


def test_a_rollback_that_somebody_overtakes_starts_from_their_champion() -> None:
    key, theirs = layout.champion("demo"), InMemoryStore()
    elsewhere = with_runs(theirs)
    crown(elsewhere, "run1")
    crown(elsewhere, "run2")
    at_first = theirs.read(key).body
    crown(elsewhere, "run3")
    store = OneFaster(key, theirs.read(key).body)
    registry = with_runs(store)
    store.write(key, at_first)

    assert rolled_back(registry) == "run2"


class ReplyLost(InMemoryStore):
    """Replaces the object, then answers as the SDK's own repeat is answered: it has changed."""

    def replace(self, key: str, body: bytes, *, etag: str) -> str:
        super().replace(key, body, etag=etag)
        raise Conflict(f"{key} has changed")


def test_a_rollback_whose_reply_was_lost_is_one_step_and_not_two() -> None:
    whole = with_runs(theirs := InMemoryStore())
    for run_id in ("run1", "run2", "run3"):
        crown(whole, run_id)
    store = ReplyLost()
    registry = with_runs(store)
    store.write(layout.champion("demo"), theirs.read(layout.champion("demo")).body)

    assert rolled_back(registry) == "run2"
    assert champion_of(registry).run_id == "run2"


# --- any order of decisions ---------------------------------------------------------------------

_runs, _models = st.sampled_from(RUNS), st.sampled_from(MODELS)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("crown"), _runs, _models),
        st.tuples(st.just("refuse"), _runs, _models),
        st.tuples(st.just("promote"), _runs, _models),
        st.tuples(st.just("rollback"), _runs, _models),
    ),
    max_size=25,
)
_STORE = InMemoryStore()
with_runs(_STORE)


def after(steps: list[tuple[str, str, str]]) -> tuple[Registry, list[Crown]]:
    """A registry that went through `steps`, and the crowns that should stand, as a plain pile."""
    registry, pile = Registry(_STORE), list[Crown]()
    _STORE.delete(layout.champion("demo"))
    moves: dict[str, Callable[[str, str], object]] = {
        "crown": lambda run_id, model: crown(registry, run_id, model),
        "promote": lambda run_id, model: promote(registry, run_id, model),
        "refuse": lambda run_id, _model: refuse(registry, run_id),
        "rollback": lambda _run_id, _model: rolled_back(registry),
    }
    for what, run_id, model in steps:
        possible = {"refuse": len(pile) > 0, "rollback": len(pile) > 1}.get(what, True)
        if not possible:
            with pytest.raises(NotFound):
                moves[what](run_id, model)
            continue
        moves[what](run_id, model)
        if what == "rollback":
            pile.pop()
        elif what != "refuse" and pile[-1:] != [(run_id, model)]:
            pile.append((run_id, model))
    return registry, pile


@given(_steps)
def test_the_champion_and_the_way_back_are_always_those_of_a_pile(
    steps: list[tuple[str, str, str]],
) -> None:
    registry, pile = after(steps)
    champion = registry.champion("demo")

    assert [(each.run_id, each.model) for each in crowns(champion.history if champion else ())] == (
        pile
    )
    if champion is not None:
        assert champion.is_model(*pile[-1])
        for expected in reversed(pile[:-1]):
            assert registry.rollback("demo", now=NOW).is_model(*expected)


@given(_steps, _runs, _models)
def test_a_rollback_undoes_any_promotion_and_a_promotion_any_rollback(
    steps: list[tuple[str, str, str]], run_id: str, model: str
) -> None:
    registry, pile = after([("crown", "run1", "boosting"), *steps])
    was = pile[-1]
    if was != (run_id, model):
        promote(registry, run_id, model)
        assert registry.rollback("demo", now=NOW).is_model(*was)
    if len(pile) > 1:
        registry.rollback("demo", now=NOW)
        promote(registry, *was)
    standing = crowns(champion_of(registry).history)
    assert [(each.run_id, each.model) for each in standing] == pile


@given(_steps, st.sampled_from(["promote", "rollback"]), _runs)
def test_after_a_persons_decision_no_run_on_record_comes_back_by_itself(
    steps: list[tuple[str, str, str]], last: str, run_id: str
) -> None:
    registry, pile = after([("crown", "run1", "boosting"), *steps])
    if last == "rollback" and len(pile) < 2:
        return
    before = champion_of(registry)
    chosen = promote(registry, run_id) if last == "promote" else registry.rollback("demo", now=NOW)
    if chosen == before:
        return

    for decision in chosen.history:
        train(registry, decision.run_id)

    assert champion_of(registry) == chosen


@given(_steps)
def test_no_run_is_judged_twice_against_the_same_champion(
    steps: list[tuple[str, str, str]],
) -> None:
    registry, _ = after([("crown", "run1", "boosting"), *steps])
    for run_id in RUNS:
        train(registry, run_id, better=False)
    settled = champion_of(registry)

    for run_id in RUNS:
        train(registry, run_id)

    assert champion_of(registry) == settled
