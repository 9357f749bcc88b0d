"""The champion's memory over every store: no decision is lost, and the way back is the same."""

from concurrent.futures import ThreadPoolExecutor

from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from tests.unit.test_crowns import RUNS, crown, promote, refuse, rolled_back, with_runs
from tests.unit.test_registry import NOW


def test_crowns_promotions_and_rollbacks_are_read_back_as_they_were_decided(store: ObjectStore):
    registry = with_runs(store)
    crown(registry, "run1")
    refuse(registry, "run2")
    promote(registry, "run2", "forest")

    back = registry.rollback("demo", now=NOW)

    assert Registry(store).champion("demo") == back
    assert [(each.run_id, each.crowned, each.by) for each in back.history] == [
        ("run1", True, "training"),
        ("run2", False, "training"),
        ("run2", True, "person"),
        ("run1", True, "rollback"),
    ]
    assert back.has_met("run2")


def test_of_people_who_decide_at_once_nobody_is_forgotten(store: ObjectStore):
    registry = with_runs(store)
    crown(registry, "run1", "forest")

    with ThreadPoolExecutor(len(RUNS)) as people:
        list(people.map(lambda run_id: promote(registry, run_id), RUNS))

    champion = registry.champion("demo")
    assert champion is not None
    order = [decision.run_id for decision in champion.history[1:]]
    assert sorted(order) == sorted(RUNS)
    assert [rolled_back(registry) for _ in order] == [*reversed(order[:-1]), "run1"]
