"""What people do to the registry: only those who may, with a reason, and it is all on record."""

import pytest

from chartbuster.errors import Conflict, InvalidReason, NotAllowed, NotFound
from chartbuster.operations import Operations, checked_reason
from chartbuster.operators import EVERYBODY, Operators, Person
from chartbuster.registry import Registry
from chartbuster.runs import Champion
from tests.unit.test_crowns import champion_of, crown, refuse, with_runs
from tests.unit.test_registry import NOW

OPERATORS = Operators("groups", "operators")
ADA = Person("Ada", {"groups": ["operators"]})
BOB = Person("Bob", {"groups": ["listeners"]})


def crowned_twice() -> Registry:
    registry = with_runs()
    crown(registry, "run1")
    crown(registry, "run2")
    return registry


def operations(registry: Registry, operators: Operators = OPERATORS) -> Operations:
    return Operations(registry, operators, lambda: NOW)


def test_an_operator_promotes_and_the_history_says_who_and_why() -> None:
    registry = crowned_twice()

    after = operations(registry).promote(ADA, "demo", "run3", "forest", "  heard it, likes it ")

    assert (after.run_id, after.model) == ("run3", "forest")
    assert after == registry.champion("demo")
    last = after.history[-1]
    assert (last.by, last.who, last.reason) == ("person", "Ada", "heard it, likes it")
    assert last.at == NOW.isoformat(timespec="seconds")


def test_an_operator_rolls_back_and_the_history_says_from_what_who_and_why() -> None:
    registry = crowned_twice()

    after = operations(registry).rollback(ADA, "demo", "too kind to opera")

    assert after.run_id == "run1"
    last = after.history[-1]
    assert (last.by, last.who) == ("rollback", "Ada")
    assert last.reason == "rolled back from boosting of run run2: too kind to opera"


@pytest.mark.parametrize("person", [None, BOB])
def test_nobody_else_changes_anything(person: Person | None) -> None:
    registry = crowned_twice()
    before = registry.champion("demo")

    with pytest.raises(NotAllowed, match="may not promote a model of dataset 'demo'"):
        operations(registry).promote(person, "demo", "run3", "forest", "because")
    with pytest.raises(NotAllowed, match="may not roll back the champion of dataset 'demo'"):
        operations(registry).rollback(person, "demo", "because")

    assert registry.champion("demo") == before


def test_without_a_sign_in_it_is_on_record_that_somebody_did_it() -> None:
    registry = crowned_twice()

    after = operations(registry, EVERYBODY).promote(None, "demo", "run3", "forest", "because")

    assert (after.history[-1].by, after.history[-1].who) == ("person", "")


def test_pressing_rollback_twice_does_not_go_two_steps_back() -> None:
    registry = crowned_twice()
    crown(registry, "run3")
    seen = champion_of(registry)
    over = operations(registry)
    over.rollback(ADA, "demo", "too kind", against=seen)

    with pytest.raises(Conflict, match="is boosting of run 'run2' since"):
        over.rollback(ADA, "demo", "too kind", against=seen)

    assert champion_of(registry).run_id == "run2"


def test_a_challenger_refused_meanwhile_does_not_stand_in_the_way_of_a_rollback() -> None:
    registry = crowned_twice()
    seen: Champion = champion_of(registry)
    refuse(registry, "run3")

    assert operations(registry).rollback(ADA, "demo", "too kind", against=seen).run_id == "run1"


def test_what_is_not_there_is_said_and_nothing_changes() -> None:
    registry = crowned_twice()
    before = registry.champion("demo")

    with pytest.raises(NotFound, match="no model 'opera'"):
        operations(registry).promote(ADA, "demo", "run1", "opera", "because")

    assert registry.champion("demo") == before


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("", "of 0 characters"),
        ("  ok \n", "of 2 characters"),
        ("x" * 301, "of 301 characters; expected 3 to 300"),
        ("two\nlines", r"U\+000A"),
        ("nul\0", r"U\+0000"),
        ("turned \u202e round", r"U\+202E"),
        ("half \ud800 a letter", r"U\+D800"),
    ],
)
def test_a_reason_is_one_line_of_text_of_some_length(reason: str, why: str) -> None:
    registry = crowned_twice()
    before = registry.champion("demo")

    with pytest.raises(InvalidReason, match=why):
        operations(registry).promote(ADA, "demo", "run3", "forest", reason)
    with pytest.raises(InvalidReason, match=why):
        operations(registry).rollback(ADA, "demo", reason)

    assert registry.champion("demo") == before


def test_letters_of_any_script_make_a_reason() -> None:
    for reason in ("zu nett", "बहुत अच्छा", "क्‍ष है", "よかった", "🎵🎶🎵", "x" * 300):
        assert checked_reason(f" {reason} ") == reason
