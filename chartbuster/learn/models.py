"""From a recipe to a pipeline that holds every fitted step.

A pipeline takes the whole model matrix (`dataset.matrix`) and picks its own columns by name, so
what is stored can be handed a song's features and gives a number.
"""

from collections.abc import Sequence
from typing import Any

from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from chartbuster.features import GENRE_PREFIX
from chartbuster.learn.artists import ARTIST, ArtistHistory
from chartbuster.learn.baseline import GenreMeanFeature, GenreMeanRegressor
from chartbuster.learn.recipes import Baseline, Boosting, Forest, Linear, Network, Recipe


def pipeline(
    recipe: Recipe, columns: Sequence[str], *, seed: int, history: bool = False
) -> Pipeline:
    """The unfitted model of `recipe` for a matrix of `columns`.

    With `history` it also sees what is known of a song's artist, where the recipe can use it.
    """
    steps, model = _parts(recipe, [name for name in columns if name != ARTIST], seed)
    if history and takes_history(recipe):
        known = ArtistHistory(seed=seed)
        scaled = isinstance(recipe, Linear | Network)
        step = make_pipeline(known, StandardScaler()) if scaled else known
        steps.transformers = [*steps.transformers, ("history", step, [ARTIST])]
    return Pipeline([("columns", steps), ("model", model)])


def takes_history(recipe: Recipe) -> bool:
    """Whether the model can use what is known of an artist; the baseline goes by genre alone."""
    return not isinstance(recipe, Baseline)


def _parts(recipe: Recipe, columns: Sequence[str], seed: int) -> tuple[ColumnTransformer, Any]:
    match recipe:
        case Baseline():
            pick = ColumnTransformer([("genres", "passthrough", _genres(columns))])
            return pick, GenreMeanRegressor(strength=recipe.strength)
        case Linear():
            return _scaled(columns), Ridge(alpha=recipe.penalty)
        case Forest():
            fill = SimpleImputer(strategy="median", keep_empty_features=True)
            return _for_trees(columns, fill), RandomForestRegressor(
                n_estimators=recipe.trees,
                max_depth=recipe.depth,
                max_features=recipe.features,
                max_samples=recipe.songs,
                min_samples_leaf=recipe.leaf,
                random_state=seed,
            )
        case Network():
            network = MLPRegressor(
                hidden_layer_sizes=(recipe.units,),
                alpha=recipe.penalty,
                learning_rate_init=recipe.rate,
                max_iter=recipe.epochs,
                n_iter_no_change=recipe.patience,
                early_stopping=True,
                random_state=seed,
            )
            # Popularity is scaled as well, so that learning rates mean the same for every dataset.
            return _scaled(columns), TransformedTargetRegressor(
                network, transformer=StandardScaler()
            )
        case Boosting():
            return _for_trees(columns, "passthrough"), HistGradientBoostingRegressor(
                max_iter=recipe.trees,
                learning_rate=recipe.rate,
                max_leaf_nodes=recipe.leaves,
                min_samples_leaf=recipe.leaf,
                l2_regularization=recipe.penalty,
                max_features=recipe.features,
                early_stopping=False,
                random_state=seed,
            )


def _genres(columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name.startswith(GENRE_PREFIX)]


def _scaled(columns: Sequence[str]) -> ColumnTransformer:
    """Features filled with their median and scaled; genres are 0 or 1 already."""
    features = [name for name in columns if not name.startswith(GENRE_PREFIX)]
    fill = SimpleImputer(strategy="median", keep_empty_features=True)
    return ColumnTransformer(
        [
            ("features", make_pipeline(fill, StandardScaler()), features),
            ("genres", "passthrough", _genres(columns)),
        ]
    )


def _for_trees(columns: Sequence[str], fill: Any) -> ColumnTransformer:
    """Features without their logarithms, which split trees in the same places, and genres twice.

    The mean of the genres lets one split part the popular from the rest; the 0/1 columns let
    further ones tell genres apart that are equally popular.
    """
    features = [
        name
        for name in columns
        if not name.startswith(GENRE_PREFIX) and not name.startswith("log_")
    ]
    genres = _genres(columns)
    return ColumnTransformer(
        [
            ("features", fill, features),
            ("genre mean", GenreMeanFeature(), genres),
            ("genres", "passthrough", genres),
        ]
    )
