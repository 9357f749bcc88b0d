"""`make models`, `promote` and `rollback`, seen over a registry in memory."""

import dataclasses
import io
import json

import pytest
from rich.console import Console

from chartbuster import layout
from chartbuster.errors import InvalidName, Misconfigured, NotFound
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from scripts.champions import the_dataset, the_run
from scripts.models import Holdings, as_json, holdings, show
from scripts.promote import promote
from scripts.rollback import rollback
from tests.unit.test_crowns import crown, with_runs
from tests.unit.test_registry import NOW, entry, manifest


def shown(found: Holdings, *, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    show(found, console)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def with_another_dataset(registry: Registry) -> Registry:
    """Adds the run abc of the dataset mine, crowned; without new artists."""
    alone = dataclasses.replace(entry(), new_artists=None)
    run = dataclasses.replace(manifest(run_id="abc"), dataset="mine", models=(alone,))
    registry.publish(run, {"models/boosting.skops": b"x"})
    registry.crown("mine", "abc", "boosting", reason="the first", now=NOW)
    return registry


def test_a_run_may_be_named_by_how_it_begins():
    assert the_run("ab", ["abc", "acd"]) == "abc"
    assert the_run("ab", ["ab", "abc"]) == "ab", "a whole id is never ambiguous"


def test_a_beginning_of_no_run_or_of_several_says_what_would_be_right():
    with pytest.raises(NotFound, match="no run begins with 'x'; `make models`"):
        the_run("x", ["abc"])
    with pytest.raises(Misconfigured, match="2 runs begin with 'a'; expected one of abc, acd"):
        the_run("a", ["acd", "abc"])


def test_the_dataset_may_be_left_out_where_there_is_only_one():
    assert the_dataset(None, ["demo", "demo"], command="make rollback") == "demo"
    assert the_dataset("mine", ["demo"], command="make rollback") == "mine"
    with pytest.raises(Misconfigured, match=r"one of demo, mine; .*: make rollback DATASET=demo"):
        the_dataset(None, ["mine", "demo"], command="make rollback")
    with pytest.raises(NotFound, match="make demo"):
        the_dataset("", [], command="make rollback")
    with pytest.raises(InvalidName):
        the_dataset("../x", [], command="make rollback")


def test_a_promotion_says_what_was_what_is_and_how_to_undo_it():
    registry = with_runs()
    crown(registry, "run1")

    assert promote(registry, "run2", "forest", None, now=NOW) == [
        "dataset  demo",
        "before   boosting of run run1 (new artists: R2 0.600, MAE 7.00)",
        "now      forest of run run2 (new artists: R2 0.600, MAE 7.00)",
        "undo     make rollback DATASET=demo",
        "The app follows within seconds.",
    ]

    champion = registry.champion("demo")
    assert champion is not None
    assert champion.is_model("run2", "forest")
    assert champion.history[-1].by == "person"


def test_a_rollback_says_what_was_what_is_and_a_command_that_undoes_it():
    registry = with_runs()
    crown(registry, "run1")
    before = crown(registry, "run2", "forest")

    lines = rollback(registry, None, now=NOW)

    assert lines[1].startswith("before   forest of run run2 (")
    assert lines[2].startswith("now      boosting of run run1 (")
    assert lines[3] == "undo     make promote RUN=run2 MODEL=forest DATASET=demo"
    promote(registry, "run2", "forest", "demo", now=NOW)
    after = registry.champion("demo")
    assert after is not None
    assert after.is_model(before.run_id, before.model)


def test_a_promotion_without_a_model_takes_the_runs_best():
    registry = with_runs()

    lines = promote(registry, "run3", None, None, now=NOW)

    assert lines[1:3] == [
        "before   no champion",
        "now      boosting of run run3 (new artists: R2 0.600, MAE 7.00)",
    ]
    assert not [line for line in lines if line.startswith("undo")]


def test_promoting_the_champion_says_that_nothing_changed():
    registry = with_runs()
    crown(registry, "run1")

    (line,) = promote(registry, "run1", None, None, now=NOW)

    assert line.startswith("nothing changed: the champion of demo is boosting of run run1 (")


def test_a_run_tells_its_dataset_even_where_there_are_several():
    registry = with_another_dataset(with_runs())

    assert promote(registry, "run2", None, None, now=NOW)[0] == "dataset  demo"


def test_a_rollback_among_several_datasets_wants_to_know_which():
    registry = with_another_dataset(with_runs())
    crown(registry, "run1")
    crown(registry, "run2")

    with pytest.raises(Misconfigured, match="demo, mine"):
        rollback(registry, None, now=NOW)

    assert rollback(registry, "demo", now=NOW)[0] == "dataset  demo"


def test_a_former_champion_whose_run_was_lost_is_still_named():
    store = InMemoryStore()
    registry = with_runs(store)
    crown(registry, "run1")
    store.delete(layout.run_manifest("run1"))

    assert promote(registry, "run2", None, None, now=NOW)[1] == "before   boosting of run run1"


def test_the_table_shows_runs_models_scores_the_champion_and_every_decision():
    registry = with_runs()
    crown(registry, "run1")
    registry.refuse(
        "demo", "run2", "forest", reason="worse", now=NOW, figures={"mae": 7.123456, "gain": -0.5}
    )
    promote(registry, "run3", "forest", None, now=NOW)
    rollback(registry, None, now=NOW)

    text = shown(holdings(registry))

    assert text.count("(champion)") == 1
    lines = text.splitlines()
    run1 = lines.index(" run1  2026-03-01 12:00")
    assert " ".join(lines[run1 + 1].split()) == "boosting (champion) 0.600 7.00 not available"
    assert lines[lines.index("Decisions about demo, oldest first") + 1 :] == [
        "2026-03-01 12:00  crowned boosting of run run1: better",
        "2026-03-01 12:00  refused forest of run run2: worse",
        "                  gain -0.5, mae 7.123",
        "2026-03-01 12:00  promoted forest of run run3: promoted by a person",
        "                  mae_new_artists 7, r2_new_artists 0.6",
        "2026-03-01 12:00  returned to boosting of run run1: rolled back from forest of run run3",
        "                  mae_new_artists 7, r2_new_artists 0.6",
    ]


def test_the_table_fits_into_eighty_columns_with_ids_of_full_length():
    registry = Registry(InMemoryStore())
    run = dataclasses.replace(manifest(run_id="0123456789abcdef"), models=(entry("neighbours"),))
    registry.publish(run, {"models/neighbours.skops": b"x"})
    registry.crown("demo", "0123456789abcdef", "neighbours", reason="the first", now=NOW)

    lines = shown(holdings(registry), width=80).splitlines()

    assert " 0123456789abcdef  2026-03-01 12:00" in lines
    assert [line.split()[1] for line in lines if "neighbours (" in line] == ["(champion)"]


def test_one_dataset_can_be_asked_for_and_an_unknown_one_is_named():
    registry = with_another_dataset(with_runs())

    assert [shelf.dataset for shelf in holdings(registry).shelves] == ["demo", "mine"]
    assert [shelf.dataset for shelf in holdings(registry, "mine").shelves] == ["mine"]
    with pytest.raises(NotFound, match="'none' has no runs; expected one of: demo, mine"):
        holdings(registry, "none")


def test_the_newest_run_comes_first():
    registry = with_runs()
    newest = dataclasses.replace(manifest(run_id="a"), created="2026-04-01T00:00:00+00:00")
    registry.publish(newest, {"models/boosting.skops": b"x"})

    (shelf,) = holdings(registry).shelves

    assert [run.run_id for run in shelf.runs] == ["a", "run4", "run3", "run2", "run1"]


def test_a_damaged_run_is_named_and_hides_no_other():
    store = InMemoryStore()
    registry = with_runs(store)
    store.write(layout.run_manifest("run2"), b"{cut")

    found = holdings(registry)

    assert [run.run_id for run in found.shelves[0].runs] == ["run4", "run3", "run1"]
    assert "not readable: runs/run2/manifest.json is not readable JSON" in shown(found)


def test_without_runs_it_says_how_to_get_one():
    assert "make demo DATA=" in shown(holdings(Registry(InMemoryStore())))


def test_programs_get_everything_as_json():
    registry = with_another_dataset(with_runs())
    crown(registry, "run1")
    promote(registry, "run2", "forest", None, now=NOW)

    demo, mine = json.loads(as_json(holdings(registry)))["datasets"]

    assert demo["champion"] == {
        "run_id": "run2",
        "model": "forest",
        "since": NOW.isoformat(),
        "reason": "promoted by a person",
    }
    (run2,) = [run for run in demo["runs"] if run["run_id"] == "run2"]
    assert [(model["name"], model["champion"]) for model in run2["models"]] == [
        ("boosting", False),
        ("forest", True),
    ]
    assert run2["models"][1]["mae_new_artists"] == 7.0
    assert [(each["by"], each["crowned"]) for each in demo["decisions"]] == [
        ("training", True),
        ("person", True),
    ]
    assert "mae_new_artists" not in mine["runs"][0]["models"][0]
