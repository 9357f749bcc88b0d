"""What is known of an artist, and models that part those they know from those they do not.

An artist is a number here, so that the model matrix stays a matrix of numbers: see `artist_codes`.
"""

import hashlib
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import TargetEncoder
from sklearn.utils.validation import check_is_fitted

from chartbuster.learn.blend import Blend
from chartbuster.learn.splits import grouped_under

type Numbers = NDArray[np.float64]

ARTIST = "artist"
"""The column of the model matrix that holds artist codes."""

_CODE_BYTES = 6


def artist_codes(artists: "pd.Series[Any]") -> Numbers:
    """A number per artist: 48 bits of the hash of the name the artist is grouped under.

    A float holds 48 bits exactly, and of 100,000 artists two share a number in one case of 50,000.
    NaN where no artist is named.
    """
    numbers, names = pd.factorize(artists.astype(object))
    codes = np.array([*(artist_code(str(name)) for name in names), np.nan], dtype=np.float64)
    return codes[numbers]


def artist_code(artist: str) -> float:
    """The number of one artist; NaN for a name of nothing but white space."""
    if not artist.strip():
        return np.nan
    digest = hashlib.sha256(f"artist {grouped_under(artist)}".encode()).digest()
    return float(int.from_bytes(digest[:_CODE_BYTES]))


class ArtistHistory(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # no types in sklearn
    """Turns an artist code into the artist's mean popularity and how many songs it comes from.

    Two columns: scikit-learn's TargetEncoder, which shrinks the means of artists with few songs,
    and the logarithm of one plus the number of *other* songs. Fitting and transforming in one, as a
    pipeline does, encodes each song from songs of other parts only (`parts` of them), so a model
    never sees a song's own popularity in its artist's mean. An artist it never met has the overall
    mean and 0 songs.
    """

    def __init__(self, parts: int = 10, seed: int = 0) -> None:
        self.parts = parts
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803  # scikit-learn's own name
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: ArrayLike, y: ArrayLike) -> Numbers:  # noqa: N803
        codes, popularity = _one_column(X), np.asarray(y, dtype=np.float64)
        parts = KFold(self.parts, shuffle=True, random_state=self.seed)
        encoder = TargetEncoder(target_type="continuous", cv=parts)
        means = encoder.fit_transform(np.nan_to_num(codes, nan=-1.0).reshape(-1, 1), popularity)
        self.artists_, songs = np.unique(codes[~np.isnan(codes)], return_counts=True)
        self.songs_ = songs.astype(np.float64)
        self.mean_ = float(encoder.target_mean_)
        self.means_ = np.empty(0)
        if len(self.artists_):
            self.means_ = encoder.transform(self.artists_.reshape(-1, 1)).ravel()
        place, known = self._found(codes)
        others = np.zeros(len(codes))
        others[known] = self.songs_[place[known]] - 1
        return np.column_stack([np.where(known, means.ravel(), self.mean_), np.log1p(others)])

    def transform(self, X: ArrayLike) -> Numbers:  # noqa: N803
        check_is_fitted(self)
        place, known = self._found(_one_column(X))
        means = np.full(len(place), self.mean_)
        songs = np.zeros(len(place))
        means[known], songs[known] = self.means_[place[known]], self.songs_[place[known]]
        return np.column_stack([means, np.log1p(songs)])

    def known(self, codes: Numbers) -> NDArray[np.bool_]:
        """Of each code, whether it is an artist whose songs this was fitted on."""
        return self._found(codes)[1]

    def _found(self, codes: Numbers) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        place = np.searchsorted(self.artists_, codes)
        place[place == len(self.artists_)] = 0
        if not len(self.artists_):
            return place, np.zeros(len(codes), dtype=bool)
        return place, self.artists_[place] == codes

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:  # noqa: ARG002
        return np.asarray(["artist_mean", "artist_songs"], dtype=object)


class ByArtist(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """One model for artists with a history, another for those without.

    A single model that is told "unknown" learns what that means from artists with one song, who are
    not like artists with none yet. `debut` never sees an artist; `known` does, through the
    ArtistHistory in its pipeline.
    """

    def __init__(self, debut: Any, known: Any) -> None:
        self.debut = debut
        self.known = known

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:  # noqa: N803
        self.debut.fit(X, y)
        self.known.fit(X, y)
        return self

    def predict(self, X: pd.DataFrame) -> Numbers:  # noqa: N803
        known = self.knows(X)
        predicted = np.empty(len(X))
        for rows, model in ((known, self.known), (~known, self.debut)):
            if rows.any():
                predicted[rows] = model.predict(X if rows.all() else X[rows])
        return predicted

    def knows(self, X: pd.DataFrame) -> NDArray[np.bool_]:  # noqa: N803
        """Of each song, whether its artist is one whose songs `known` was fitted on."""
        return knows(self, _one_column(X[[ARTIST]]))


def knows(model: Any, codes: Numbers) -> NDArray[np.bool_]:
    """Of each artist code, whether the fitted `model` has a history of the artist."""
    if isinstance(model, ByArtist):
        return history_of(model.known).known(codes)
    return np.zeros(len(codes), dtype=bool)


def history_of(model: Any) -> ArtistHistory:
    """The fitted ArtistHistory of a pipeline, or of a blend of pipelines, that has one."""
    pipeline = model.members[0] if isinstance(model, Blend) else model
    found = pipeline.named_steps["columns"].named_transformers_["history"]
    if isinstance(found, Pipeline):
        found = found[0]
    if not isinstance(found, ArtistHistory):
        raise TypeError(f"{type(found).__name__} is no history of artists")
    return found


def _one_column(X: ArrayLike) -> Numbers:  # noqa: N803
    codes = np.asarray(X, dtype=np.float64)
    if codes.ndim != 2 or codes.shape[1] != 1:
        raise ValueError(f"artist codes of shape {codes.shape}; expected one column")
    return codes[:, 0]
