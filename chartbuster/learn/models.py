"""The models: their settings with bounds, and the pipelines that hold every fitted step.

A pipeline takes the whole model matrix (`dataset.matrix`) and picks its own columns by name, so
what is stored can be handed a song's features and gives a number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from chartbuster.features import GENRE_PREFIX
from chartbuster.learn.baseline import GenreMeanFeature, GenreMeanRegressor
from chartbuster.runs import BASELINE


def bounded(default: float, low: float, high: float) -> Any:
    """A setting with its default; a configuration may choose anything from `low` to `high`."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Baseline:
    """The mean popularity of the song's genres."""

    name: ClassVar[str] = BASELINE
    title: ClassVar[str] = "Genre mean"
    strength: float = bounded(20.0, 0.0, 10_000.0)

    def pipeline(self, columns: Sequence[str], *, seed: int, jobs: int) -> Pipeline:  # noqa: ARG002
        pick = ColumnTransformer([("genres", "passthrough", _genres(columns))])
        return Pipeline([("columns", pick), ("model", GenreMeanRegressor(strength=self.strength))])


@dataclass(frozen=True)
class Linear:
    """Ridge regression over filled and scaled features."""

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "Linear (ridge)"
    penalty: float = bounded(10.0, 0.0, 1e6)

    def pipeline(self, columns: Sequence[str], *, seed: int, jobs: int) -> Pipeline:  # noqa: ARG002
        return Pipeline([("columns", _scaled(columns)), ("model", Ridge(alpha=self.penalty))])


@dataclass(frozen=True)
class Forest:
    """A random forest; `features` and `samples` are the shares each split and tree sees."""

    name: ClassVar[str] = "forest"
    title: ClassVar[str] = "Random forest"
    trees: int = bounded(100, 1, 2_000)
    depth: int = bounded(15, 1, 60)
    features: float = bounded(0.33, 0.01, 1.0)
    samples: float = bounded(0.5, 0.01, 1.0)
    leaf: int = bounded(3, 1, 1_000)

    def pipeline(self, columns: Sequence[str], *, seed: int, jobs: int) -> Pipeline:
        model = RandomForestRegressor(
            n_estimators=self.trees,
            max_depth=self.depth,
            max_features=self.features,
            max_samples=self.samples,
            min_samples_leaf=self.leaf,
            random_state=seed,
            n_jobs=jobs,
        )
        steps = _for_trees(columns, SimpleImputer(strategy="median", keep_empty_features=True))
        return Pipeline([("columns", steps), ("model", model)])


@dataclass(frozen=True)
class Network:
    """A neural network with one hidden layer, stopped when unseen songs stop getting better."""

    name: ClassVar[str] = "network"
    title: ClassVar[str] = "Neural network"
    units: int = bounded(100, 1, 2_000)
    penalty: float = bounded(1.0, 0.0, 1e4)
    rate: float = bounded(0.002, 1e-6, 1.0)
    epochs: int = bounded(40, 1, 2_000)
    patience: int = bounded(5, 1, 500)

    def pipeline(self, columns: Sequence[str], *, seed: int, jobs: int) -> Pipeline:  # noqa: ARG002
        network = MLPRegressor(
            hidden_layer_sizes=(self.units,),
            alpha=self.penalty,
            learning_rate_init=self.rate,
            max_iter=self.epochs,
            n_iter_no_change=self.patience,
            early_stopping=True,
            random_state=seed,
        )
        model = TransformedTargetRegressor(network, transformer=StandardScaler())
        return Pipeline([("columns", _scaled(columns)), ("model", model)])


@dataclass(frozen=True)
class Boosting:
    """Histogram gradient boosting, which takes missing attributes as they are."""

    name: ClassVar[str] = "boosting"
    title: ClassVar[str] = "Gradient boosting"
    trees: int = bounded(250, 1, 5_000)
    rate: float = bounded(0.06, 1e-4, 1.0)
    leaves: int = bounded(24, 2, 1_000)
    leaf: int = bounded(30, 1, 10_000)
    penalty: float = bounded(5.0, 0.0, 1e6)
    features: float = bounded(0.4, 0.01, 1.0)

    def pipeline(self, columns: Sequence[str], *, seed: int, jobs: int) -> Pipeline:  # noqa: ARG002
        model = HistGradientBoostingRegressor(
            max_iter=self.trees,
            learning_rate=self.rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.leaf,
            l2_regularization=self.penalty,
            max_features=self.features,
            early_stopping=False,
            random_state=seed,
        )
        return Pipeline([("columns", _for_trees(columns, "passthrough")), ("model", model)])


type Model = Baseline | Linear | Forest | Network | Boosting

MODELS: tuple[type[Model], ...] = (Baseline, Linear, Forest, Network, Boosting)
"""Every kind of model, the baseline first."""


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
