"""Asked straight from numbers, a model says what its pipeline says, to the last bit."""

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from chartbuster.learn import stored
from chartbuster.learn.artists import ARTIST, ByArtist
from chartbuster.learn.blend import Blend
from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.models import pipeline
from chartbuster.learn.quick import quick
from chartbuster.learn.recipes import (
    RECIPES,
    Baseline,
    Boosting,
    Forest,
    Linear,
    Network,
    Recipe,
)
from tests.unit.made_up_songs import ready_songs

SMALL: tuple[Recipe, ...] = (
    Baseline(),
    Linear(),
    Forest(trees=5, depth=6, songs=150),
    Network(units=8, epochs=4),
    Boosting(trees=10, leaf=5),
)
SONGS = merged([ready_songs(300)])
COLUMNS = model_columns(SONGS)
FEATURES = matrix(SONGS, COLUMNS)
POPULARITY = SONGS["popularity"].to_numpy(dtype=float)


def asked() -> Any:
    """Songs of which much is missing, half of them of artists nobody knows."""
    draw = np.random.default_rng(5)
    features = FEATURES.copy()
    gaps = draw.uniform(size=features.shape) < 0.2
    gaps[:, [name.startswith("genre=") for name in COLUMNS]] = False
    features[gaps] = np.nan
    features.loc[draw.uniform(size=len(features)) < 0.5, ARTIST] = 12345.0
    return features


def fitted(model: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return stored.load(stored.dump(model.fit(FEATURES, POPULARITY)))


def by_artist(*recipes: Recipe) -> ByArtist:
    def blend(*, history: bool) -> Any:
        members = [pipeline(recipe, COLUMNS, seed=1, history=history) for recipe in recipes]
        return members[0] if len(members) == 1 else Blend(members)

    return ByArtist(debut=blend(history=False), known=blend(history=True))


def same(model: Any) -> None:
    features = asked()
    expected = model.predict(features)

    ask = quick(model, COLUMNS)

    np.testing.assert_array_equal(ask(features.to_numpy()), expected)
    np.testing.assert_array_equal(ask(features.to_numpy()[:1]), model.predict(features[:1]))
    assert np.ptp(expected) > 1


def test_every_recipe_is_tested_here() -> None:
    assert [type(recipe) for recipe in SMALL] == list(RECIPES)


@pytest.mark.parametrize("recipe", SMALL, ids=lambda recipe: recipe.name)
def test_every_recipe_says_the_same(recipe: Recipe) -> None:
    same(fitted(pipeline(recipe, COLUMNS, seed=7)))


@pytest.mark.parametrize("recipe", SMALL[1:], ids=lambda recipe: recipe.name)
def test_every_recipe_that_knows_artists_says_the_same(recipe: Recipe) -> None:
    same(fitted(by_artist(recipe)))


def test_a_blend_says_the_same() -> None:
    same(fitted(by_artist(Linear(), Boosting(trees=10, leaf=5))))


def test_songs_without_genres_are_no_exception() -> None:
    columns = [name for name in COLUMNS if not name.startswith("genre=")]
    model = pipeline(Boosting(trees=5, leaf=5), columns, seed=1).fit(FEATURES[columns], POPULARITY)

    said = quick(model, columns)(FEATURES[columns].to_numpy())

    np.testing.assert_array_equal(said, model.predict(FEATURES[columns]))


def test_columns_may_come_in_another_order_but_must_all_be_there() -> None:
    model = fitted(pipeline(Linear(), COLUMNS, seed=1))
    turned = COLUMNS[::-1]

    said = quick(model, turned)(FEATURES[list(turned)].to_numpy())

    np.testing.assert_array_equal(said, model.predict(FEATURES))
    with pytest.raises(ValueError, match="lack energy"):
        quick(model, [name for name in COLUMNS if name != "energy"])


def test_a_step_of_another_kind_is_named() -> None:
    other = make_pipeline(ColumnTransformer([("scaled", MinMaxScaler(), ["energy"])]), Ridge())

    with pytest.raises(TypeError, match="MinMaxScaler"):
        quick(other.fit(FEATURES, POPULARITY), COLUMNS)
    with pytest.raises(TypeError, match="Ridge"):
        quick(Ridge(), COLUMNS)
