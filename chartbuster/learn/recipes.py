"""Which models there are, with their settings and the bounds a configuration must keep.

Plain values without scikit-learn, so that a configuration is read in no time; `models` makes
pipelines of them.
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from chartbuster.runs import BASELINE

FOLDS = 5
"""Into how many parts songs and artists are split for testing."""


def bounded(default: float, low: float, high: float) -> Any:
    """A setting with its default; a configuration may choose anything from `low` to `high`."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Baseline:
    """The mean popularity of the song's genres."""

    name: ClassVar[str] = BASELINE
    title: ClassVar[str] = "Genre mean"
    strength: float = bounded(20.0, 0.0, 10_000.0)


@dataclass(frozen=True)
class Linear:
    """Ridge regression over filled and scaled features."""

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "Linear (ridge)"
    penalty: float = bounded(10.0, 0.0, 1e6)


@dataclass(frozen=True)
class Forest:
    """A random forest; a split sees the share `features` of them, a tree at most `songs` songs."""

    name: ClassVar[str] = "forest"
    title: ClassVar[str] = "Random forest"
    trees: int = bounded(60, 1, 2_000)
    depth: int = bounded(15, 1, 60)
    features: float = bounded(0.33, 0.01, 1.0)
    songs: int = bounded(5_000, 10, 10_000_000)
    leaf: int = bounded(3, 1, 1_000)


@dataclass(frozen=True)
class Network:
    """A neural network with one hidden layer, stopped when unseen songs stop getting better."""

    name: ClassVar[str] = "network"
    title: ClassVar[str] = "Neural network"
    units: int = bounded(64, 1, 2_000)
    penalty: float = bounded(1.0, 0.0, 1e4)
    rate: float = bounded(0.002, 1e-6, 1.0)
    epochs: int = bounded(15, 1, 2_000)
    patience: int = bounded(3, 1, 500)


@dataclass(frozen=True)
class Boosting:
    """Histogram gradient boosting, which takes missing attributes as they are."""

    name: ClassVar[str] = "boosting"
    title: ClassVar[str] = "Gradient boosting"
    trees: int = bounded(120, 1, 5_000)
    rate: float = bounded(0.12, 1e-4, 1.0)
    leaves: int = bounded(24, 2, 1_000)
    leaf: int = bounded(30, 1, 10_000)
    penalty: float = bounded(5.0, 0.0, 1e6)
    features: float = bounded(0.4, 0.01, 1.0)


type Recipe = Baseline | Linear | Forest | Network | Boosting

RECIPES: tuple[type[Recipe], ...] = (Baseline, Linear, Forest, Network, Boosting)
"""Every kind of model, the baseline first."""


def sized(recipe: Recipe, songs: int) -> Recipe:
    """`recipe` for a fit on `songs` songs: no tree of a forest draws more songs than there are."""
    if isinstance(recipe, Forest) and recipe.songs > songs:
        return replace(recipe, songs=songs)
    return recipe
