"""What a fitted model says, straight from numbers.

A pipeline of ours picks its columns by name from a table, and each such pick costs a millisecond
however few the rows, a model's own arithmetic less. Somebody who drags a slider waits for it, and
so does everybody else. There are few kinds of steps in `models.pipeline`, so here they are done on
the columns of an array, once it is clear which ones; the numbers are those of `predict`, to the
last bit, and a test holds that for every recipe.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from chartbuster.learn.artists import ARTIST, ArtistHistory, ByArtist, history_of
from chartbuster.learn.baseline import GenreMeanFeature
from chartbuster.learn.blend import Blend

type Numbers = NDArray[np.float64]
type Ask = Callable[[Numbers], Numbers]
"""From rows of the model matrix to popularities."""
type Step = Callable[[Numbers], Numbers]


def quick(model: Any, columns: Sequence[str]) -> Ask:
    """`model.predict` for rows of the model matrix of `columns`, without their names.

    `model` is one that training makes. Raises `ValueError` where `columns` lack one it was fitted
    on, `TypeError` where it has a step of another kind.
    """
    match model:
        case ByArtist():
            return _by_artist(model, columns)
        case Blend():
            members = [quick(member, columns) for member in model.members]
            return lambda rows: np.mean([np.clip(m(rows), 0.0, 100.0) for m in members], axis=0)
        case Pipeline():
            picked, estimator = _picked(model[0], columns), _estimator(model[-1])
            return lambda rows: estimator(picked(rows))
    raise TypeError(f"{type(model).__name__} is no model of ours; expected a pipeline or several")


def _by_artist(model: ByArtist, columns: Sequence[str]) -> Ask:
    history, artist = history_of(model.known), list(columns).index(ARTIST)
    if_known, if_debut = quick(model.known, columns), quick(model.debut, columns)

    def said(rows: Numbers) -> Numbers:
        known = history.known(rows[:, artist])
        predicted = np.empty(len(rows))
        for these, ask in ((known, if_known), (~known, if_debut)):
            if these.any():
                predicted[these] = ask(rows[these])
        return predicted

    return said


def _picked(transformer: ColumnTransformer, columns: Sequence[str]) -> Step:
    places = {name: place for place, name in enumerate(columns)}
    parts = []
    for _, step, names in transformer.transformers_:
        if step == "drop" or not len(names):
            continue
        if lacking := [name for name in names if name not in places]:
            raise ValueError(f"the run's columns lack {', '.join(lacking)}, which its model needs")
        parts.append((np.array([places[name] for name in names]), _step(step)))
    return lambda rows: np.hstack([step(rows[:, these]) for these, step in parts])


def _step(step: Any) -> Step:
    match step:
        case FunctionTransformer(func=None):
            return lambda rows: rows
        case SimpleImputer():
            return lambda rows: np.where(np.isnan(rows), step.statistics_, rows)
        case StandardScaler():
            return lambda rows: (rows - step.mean_) / step.scale_
        case ArtistHistory() | GenreMeanFeature():
            return step.transform
        case Pipeline():
            first, second = (_step(inner) for _, inner in step.steps)
            return lambda rows: second(first(rows))
    raise TypeError(f"{type(step).__name__} is no step of ours")


def _estimator(estimator: Any) -> Ask:
    if not isinstance(estimator, RandomForestRegressor):
        return lambda rows: np.asarray(estimator.predict(rows), dtype=np.float64)
    trees = estimator.estimators_

    def mean(rows: Numbers) -> Numbers:
        # What a forest does, but for a pool of threads that takes longer to ask than the trees.
        narrow = np.ascontiguousarray(rows, dtype=np.float32)
        total = np.zeros(len(rows))
        for tree in trees:
            total += tree.predict(narrow, check_input=False)
        return total / len(trees)

    return mean
