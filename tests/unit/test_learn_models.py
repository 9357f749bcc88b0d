"""Every model learns what there is to learn, the same way each time, and survives being stored."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from chartbuster.learn import stored
from chartbuster.learn.baseline import GenreMeanFeature, GenreMeanRegressor
from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import (
    RECIPES,
    Baseline,
    Boosting,
    Forest,
    Linear,
    Network,
    Recipe,
    sized,
)
from tests.unit.made_up_songs import ready_songs

QUICK: tuple[Recipe, ...] = (
    Baseline(),
    Linear(),
    Forest(trees=10, depth=6, songs=150),
    Network(units=8, epochs=10),
    Boosting(trees=30, leaf=5),
)
SONGS = merged([ready_songs(300)])
COLUMNS = model_columns(SONGS)
FEATURES = matrix(SONGS, COLUMNS)
POPULARITY = SONGS["popularity"].to_numpy(dtype=float)


def fitted(recipe: Recipe, *, seed: int = 7) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return pipeline(recipe, COLUMNS, seed=seed).fit(FEATURES, POPULARITY)


def error_of(model: Any) -> float:
    return float(np.abs(POPULARITY - model.predict(FEATURES)).mean())


def test_every_recipe_is_tested_here() -> None:
    assert [type(recipe) for recipe in QUICK] == list(RECIPES)


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_a_stored_model_predicts_what_the_fitted_one_did(recipe: Recipe) -> None:
    model = fitted(recipe)

    loaded = stored.load(stored.dump(model))

    np.testing.assert_array_equal(loaded.predict(FEATURES), model.predict(FEATURES))


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_the_same_songs_settings_and_seed_give_the_same_bytes(recipe: Recipe) -> None:
    assert stored.dump(fitted(recipe)) == stored.dump(fitted(recipe))


def test_another_seed_gives_another_forest() -> None:
    forest = Forest(trees=5, songs=150)
    assert stored.dump(fitted(forest)) != stored.dump(fitted(forest, seed=8))


@pytest.mark.parametrize("recipe", QUICK[1:], ids=lambda recipe: recipe.name)
def test_every_model_learns_more_than_the_genres_tell(recipe: Recipe) -> None:
    baseline = error_of(fitted(Baseline()))
    longer = Network(units=20, epochs=200, rate=0.01) if recipe.name == "network" else recipe

    assert error_of(fitted(longer)) < baseline


@pytest.mark.parametrize("recipe", QUICK[1:], ids=lambda recipe: recipe.name)
def test_only_a_model_with_history_sees_artists(recipe: Recipe) -> None:
    other = FEATURES.assign(artist=FEATURES["artist"].to_numpy()[::-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        known = pipeline(recipe, COLUMNS, seed=7, history=True).fit(FEATURES, POPULARITY)

    np.testing.assert_array_equal(fitted(recipe).predict(other), fitted(recipe).predict(FEATURES))
    assert not np.array_equal(known.predict(other), known.predict(FEATURES))
    np.testing.assert_array_equal(
        stored.load(stored.dump(known)).predict(FEATURES), known.predict(FEATURES)
    )


def test_no_tree_draws_more_songs_than_there_are() -> None:
    assert sized(Forest(songs=5_000), 300) == Forest(songs=300)
    assert sized(Forest(songs=100), 300) == Forest(songs=100)
    assert sized(Linear(), 300) == Linear()


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_a_song_that_lacks_attributes_still_gets_a_number(recipe: Recipe) -> None:
    bare = FEATURES.iloc[:1].copy()
    bare.loc[:, [name for name in COLUMNS if not name.startswith("genre=")]] = np.nan

    assert np.isfinite(fitted(recipe).predict(bare)).all()


@pytest.mark.parametrize("recipe", QUICK, ids=lambda recipe: recipe.name)
def test_songs_without_any_genre_column_can_be_learnt_from(recipe: Recipe) -> None:
    columns = tuple(name for name in COLUMNS if not name.startswith("genre="))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = pipeline(recipe, columns, seed=7).fit(FEATURES[list(columns)], POPULARITY)

    assert len(stored.load(stored.dump(model)).predict(FEATURES[list(columns)])) == 300


def test_columns_in_another_order_are_found_by_their_names() -> None:
    model = fitted(Linear())

    np.testing.assert_array_equal(
        model.predict(FEATURES[FEATURES.columns[::-1]]), model.predict(FEATURES)
    )


def test_the_baseline_says_the_mean_of_a_songs_genres_and_else_the_overall_mean() -> None:
    genres = np.array([[1, 0], [1, 0], [0, 1], [0, 0]])
    model = GenreMeanRegressor(strength=0.0).fit(genres, [10, 20, 60, 30])

    said = model.predict([[1, 0], [0, 1], [1, 1], [0, 0]])

    assert said.tolist() == [15, 60, 37.5, 30]


def test_a_rare_genre_is_pulled_towards_the_overall_mean() -> None:
    model = GenreMeanRegressor(strength=1.0).fit([[1], [0], [0]], [90, 0, 0])

    assert model.predict([[1]]).tolist() == [60.0]


def test_without_genres_the_baseline_is_the_mean() -> None:
    model = GenreMeanRegressor().fit(np.empty((3, 0)), [1, 2, 6])

    assert model.predict(np.empty((2, 0))).tolist() == [3, 3]


def test_the_baseline_refuses_what_it_was_not_fitted_for() -> None:
    feature = GenreMeanFeature().fit([[1, 0], [0, 1]], [1, 2])

    assert feature.transform([[0, 1]]).shape == (1, 1)
    with pytest.raises(ValueError, match="3 genre columns; expected 2"):
        feature.transform([[1, 0, 0]])
    with pytest.raises(ValueError, match="popularities"):
        GenreMeanRegressor().fit([[1]], [1, 2])
    with pytest.raises(ValueError, match="dimensions"):
        GenreMeanRegressor().fit([1.0], [1])
