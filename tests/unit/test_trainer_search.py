"""The search keeps to its budget, to its songs, and to what was configured unless it is beaten."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.recipes import Baseline, Boosting, Linear, Recipe
from chartbuster.learn.splits import by_artist
from tests.unit.made_up_songs import ready_songs
from trainer.configuration import Search
from trainer.fitting import Bench, bench
from trainer.search import Found, search

SONGS = merged([ready_songs(1_500, artists=300)])
FEATURES = matrix(SONGS, model_columns(SONGS))
POPULARITY = SONGS["popularity"].to_numpy(dtype=float)
BUDGET = Search(candidates=4, songs=800)
POOR = Boosting(trees=3, rate=0.01)


def clock(step: float) -> Callable[[], float]:
    """Time that goes on by `step` seconds with every look at it."""
    ticks = iter(np.arange(0.0, 1e6, step) if step else iter(lambda: 0.0, 1.0))
    return lambda: float(next(ticks))


@pytest.fixture
def fitting() -> Iterator[Bench]:
    with bench(FEATURES, POPULARITY, seed=7, jobs=2) as made:
        yield made


def found(fitting: Bench, *recipes: Recipe, budget: Search = BUDGET) -> Found:
    places = by_artist(SONGS)
    assert places is not None
    return search(fitting, recipes, places, np.flatnonzero(places.folds != 0), budget)


def test_settings_that_are_clearly_poor_give_way_to_better_ones(fitting: Bench) -> None:
    result = found(fitting, Baseline(), POOR)

    assert result.recipes[0] == Baseline()
    assert result.recipes[1] != POOR
    (chosen,) = [tried for tried in result.tried if tried.chosen]
    configured = max(
        (tried for tried in result.tried if tried.settings["rate"] == POOR.rate),
        key=lambda tried: tried.songs,
    )
    assert chosen.mae < configured.mae
    assert result.note == ""


def test_what_is_configured_stays_where_nothing_is_better_beyond_chance(fitting: Bench) -> None:
    result = found(fitting, Linear(penalty=1.0))

    assert result.recipes == (Linear(penalty=1.0),)
    assert len(result.tried) == 4
    assert [tried.settings for tried in result.tried if tried.chosen] == [{"penalty": 1.0}]


def test_half_of_the_candidates_are_fitted_on_all_songs_and_the_rest_on_a_quarter(
    fitting: Bench,
) -> None:
    result = found(fitting, POOR)

    assert sorted(tried.songs for tried in result.tried)[:1] == [200]
    assert 2 <= sum(tried.songs == 800 for tried in result.tried) <= 3


def test_the_same_songs_and_seed_find_the_same(fitting: Bench) -> None:
    assert found(fitting, POOR) == found(fitting, POOR)


def test_without_candidates_or_songs_nothing_is_searched(fitting: Bench) -> None:
    assert found(fitting, POOR, budget=replace(BUDGET, candidates=0)) == Found((POOR,), (), "")
    places = by_artist(SONGS)
    assert places is not None
    few = np.flatnonzero(places.folds != 0)[:30]
    assert search(fitting, [POOR], places, few, BUDGET).tried == ()


def test_when_time_runs_out_the_rest_stays_as_configured_and_the_report_says_so() -> None:
    with bench(FEATURES, POPULARITY, seed=7, jobs=2, monotonic=clock(40.0)) as slow:
        result = found(slow, Linear(), POOR, budget=replace(BUDGET, seconds=60.0))

    assert result.recipes[1] == POOR
    assert result.note == "the limit of 60 s was reached before Gradient boosting"


def test_a_candidate_that_is_too_large_is_not_chosen(fitting: Bench) -> None:
    result = found(fitting, POOR, budget=replace(BUDGET, megabytes=0.0))

    assert result.recipes == (POOR,)


def test_no_song_that_tests_or_calibrates_later_is_fitted_or_compared_on() -> None:
    places = by_artist(SONGS)
    assert places is not None
    allowed, groups = np.flatnonzero(places.folds != 0)[::2], places.groups
    seen: set[int] = set()
    with bench(FEATURES, POPULARITY, seed=7, jobs=2) as fitting:

        class Watching:
            seed, popularity, monotonic = fitting.seed, POPULARITY, fitting.monotonic

            def fit(self, recipe: Recipe, rows: np.ndarray, *, ask: np.ndarray) -> object:
                assert not set(groups[rows]) & set(groups[ask])
                seen.update(rows.tolist(), ask.tolist())
                return fitting.fit(recipe, rows, ask=ask)

        search(Watching(), [POOR], places, allowed, BUDGET)  # type: ignore[arg-type]

    assert seen
    assert seen <= set(allowed.tolist())
