"""The mean of several models, which errs less than each where their errors differ."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin

BLEND = "blend"
TITLE = "Blend"


class Blend(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Says the plain mean of what its `members` say, each clipped to 0 to 100.

    Weights that are fitted would need songs of their own, and gain less than those songs are worth.
    """

    def __init__(self, members: Sequence[Any]) -> None:
        self.members = members

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803  # scikit-learn's own name
        for member in self.members:
            member.fit(X, y)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        said = [np.clip(member.predict(X), 0.0, 100.0) for member in self.members]
        mean: NDArray[np.float64] = np.mean(said, axis=0)
        return mean
