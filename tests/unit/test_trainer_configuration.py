"""A configuration says what a run is made with, or what is wrong and what would be right."""

import pytest

from chartbuster.errors import Misconfigured
from chartbuster.learn.recipes import RECIPES, Boosting, Forest
from trainer.configuration import default_text, read_configuration
from trainer.settings import Buckets, Settings, jobs_from

SMALL = "{seed: 1, folds: 1, fewest_songs: 50, models: {baseline: {}}}"


def changed(old: str, new: str) -> str:
    text = default_text()
    assert old in text
    return text.replace(old, new)


def test_the_configuration_that_comes_with_the_trainer_says_what_the_recipes_say() -> None:
    configuration = read_configuration(default_text())

    assert configuration.models == tuple(recipe() for recipe in RECIPES)
    assert configuration.text == default_text()


def test_a_setting_left_out_has_its_default_and_a_model_left_out_is_not_trained() -> None:
    configuration = read_configuration(
        "{seed: 1, folds: 2, fewest_songs: 60, models: {forest: {trees: 9}, baseline: }}"
    )

    assert [model.name for model in configuration.models] == ["baseline", "forest"]
    assert configuration.models[1] == Forest(trees=9)
    assert (configuration.seed, configuration.folds, configuration.fewest_songs) == (1, 2, 60)


def test_what_is_not_said_of_search_hits_and_report_has_the_defaults_of_the_file() -> None:
    full, small = read_configuration(default_text()), read_configuration(SMALL)

    assert (full.search, full.hits, full.report) == (small.search, small.hits, small.report)
    assert (full.calibration, full.interval) == (small.calibration, small.interval)
    assert (small.blend, full.blend) == ((), ("forest", "boosting"))


def test_comments_change_the_text_but_not_the_values_a_run_is_named_after() -> None:
    commented = read_configuration(f"# a remark\n{default_text()}")

    assert commented.values() == read_configuration(default_text()).values()
    assert read_configuration(changed("seed: 7", "seed: 8")).values() != commented.values()


def test_whole_numbers_do_for_fractions_and_give_the_same_values() -> None:
    one = read_configuration(changed("penalty: 5.0", "penalty: 5"))

    assert one.values() == read_configuration(default_text()).values()
    assert isinstance(one.models[-1], Boosting)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (changed("folds: 5", "folds: 6"), "folds is 6; expected a whole number from 1 to 5"),
        (changed("folds: 5", "folds: 1.5"), "folds is 1.5; expected a whole number"),
        (changed("seed: 7", "seed: yes"), "seed is True; expected a whole number"),
        (changed("seed: 7", "sead: 7"), "has the unknown key 'sead'; expected only seed, folds"),
        (changed("seed: 7", ""), "the configuration lacks seed"),
        (changed("depth: 15", "depth: deep"), "models.forest.depth is 'deep'; expected a whole"),
        (changed("depth: 15", "dept: 15"), "models.forest has the unknown key 'dept'"),
        (changed("rate: 0.12", "rate: .nan"), "models.boosting.rate is nan; expected a number"),
        (changed("rate: 0.12", "rate: 2"), "models.boosting.rate is 2; expected a number from"),
        (changed("  boosting:", "  bosting:"), "models has the unknown key 'bosting'"),
        (changed("  baseline:", "  linear:"), "models lacks baseline"),
        (changed("fewest_songs: 50", "fewest_songs: 3"), "fewest_songs is 3; expected"),
        (changed("calibration: 0.05", "calibration: 0.3"), "calibration is 0.3; expected a number"),
        (changed("interval: 0.9", "interval: 90"), "interval is 90; expected a number from 0.5"),
        (changed("top: 0.1", "top: 0.9"), "hits.top is 0.9; expected a number from 0.001 to 0.5"),
        (changed("candidates: 4", "candidates: -1"), "search.candidates is -1; expected a whole"),
        (changed("seconds: 120", "second: 9"), "search has the unknown key 'second'"),
        (changed("[forest, boosting]", "[forest, forest]"), "blend is ['forest', 'forest']"),
        (changed("[forest, boosting]", "[baseline, forest]"), "two or more of linear, forest"),
        (changed("[forest, boosting]", "[forest]"), "blend is ['forest']; expected no models, or"),
        (changed("[forest, boosting]", "forest"), "blend is 'forest'; expected no models, or two"),
        (SMALL.replace("{baseline: {}}", "[baseline]"), "models is ['baseline']; expected"),
        (SMALL.replace("{baseline: {}}", "{baseline: 3}"), "models.baseline is 3; expected"),
        ("- a list", "the configuration is ['a list']; expected the keys seed"),
        ("", "the configuration is None"),
        ("{cut", "no readable YAML"),
        ("!!python/object/apply:os.system ['true']", "no readable YAML"),
    ],
)
def test_a_wrong_configuration_names_key_value_and_what_is_right(text: str, says: str) -> None:
    with pytest.raises(Misconfigured) as error:
        read_configuration(text)

    assert says in str(error.value)


ENVIRONMENT = {
    "READY_BUCKET": "ready",
    "ARTIFACTS_BUCKET": "artifacts",
    "TRAIN_QUEUE_URL": "queue",
    "TRAIN_DEAD_LETTER_QUEUE_URL": "dead-letters",
}


def test_settings_come_from_the_environment_with_defaults_where_they_suit() -> None:
    assert Settings.from_env(ENVIRONMENT) == Settings(
        Buckets("ready", "artifacts"), "queue", "dead-letters", visibility=30, jobs=2
    )
    assert Settings.from_env(ENVIRONMENT | {"TRAINER_VISIBILITY_SECONDS": "90"}).visibility == 90


def test_the_ecs_agent_is_where_ecs_says_and_else_there_is_none() -> None:
    uri = "http://169.254.170.2/api/made-up"

    assert Settings.from_env(ENVIRONMENT).agent == ""
    assert Settings.from_env(ENVIRONMENT | {"ECS_AGENT_URI": uri}).agent == uri


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(Misconfigured, match="lacks ARTIFACTS_BUCKET, TRAIN_QUEUE_URL, TRAIN_DEAD"):
        Settings.from_env({"READY_BUCKET": "ready", "TRAIN_QUEUE_URL": ""})


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "²", "1000"])
def test_a_number_that_makes_no_sense_is_named_with_its_bounds(text: str) -> None:
    with pytest.raises(Misconfigured, match=r"TRAINER_JOBS is .*; expected a whole number from 1"):
        jobs_from({"TRAINER_JOBS": text})
