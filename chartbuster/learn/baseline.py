"""The genre-mean baseline: what anybody could say who knows a song's genres and nothing else."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

type Numbers = NDArray[np.float64]


class _GenreMeans(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Mean popularity per genre, over 0/1 genre columns.

    `strength` is how many songs of overall mean each genre starts with, so that a genre seen
    twice does not get a mean of its own from two songs.
    """

    def __init__(self, strength: float = 20.0) -> None:
        self.strength = strength

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803  # scikit-learn's own name
        genres, popularity = _matrix(X), np.asarray(y, dtype=np.float64)
        if len(genres) != len(popularity) or len(popularity) == 0:
            raise ValueError(
                f"{len(genres)} songs and {len(popularity)} popularities; expected as many, not 0"
            )
        self.n_features_in_ = genres.shape[1]
        self.mean_ = float(popularity.mean())
        songs = genres.sum(axis=0)
        total = popularity @ genres
        self.means_ = (total + self.strength * self.mean_) / (songs + self.strength)
        return self

    def _said(self, X: ArrayLike) -> Numbers:  # noqa: N803
        """The mean over each song's genres; the overall mean for a song without any."""
        check_is_fitted(self)
        genres = _matrix(X)
        if genres.shape[1] != self.n_features_in_:
            raise ValueError(f"{genres.shape[1]} genre columns; expected {self.n_features_in_}")
        count = genres.sum(axis=1)
        said: Numbers = np.full(len(genres), self.mean_)
        known = count > 0
        said[known] = (genres[known] @ self.means_) / count[known]
        return said


class GenreMeanRegressor(RegressorMixin, _GenreMeans):  # type: ignore[misc]
    """Predicts a song's popularity as the mean of its genres."""

    def predict(self, X: ArrayLike) -> Numbers:  # noqa: N803
        return self._said(X)


class GenreMeanFeature(TransformerMixin, _GenreMeans):  # type: ignore[misc]
    """Turns the genre columns into one: the mean popularity of the song's genres.

    A tree splits on it as it would on a category in the best order, in a single step.
    """

    def transform(self, X: ArrayLike) -> Numbers:  # noqa: N803
        return self._said(X).reshape(-1, 1)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # noqa: ARG002
        return np.asarray(["genre_mean"], dtype=object)


def _matrix(X: ArrayLike) -> Numbers:  # noqa: N803
    genres = np.asarray(X, dtype=np.float64)
    if genres.ndim != 2:
        raise ValueError(f"genre columns of {genres.ndim} dimensions; expected 2")
    return genres
