"""A run's models, ready to say how popular songs will be."""

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.errors import NotFound
from chartbuster.learn import stored
from chartbuster.learn.artists import knows
from chartbuster.learn.dataset import matrix
from chartbuster.learn.evaluate import clipped
from chartbuster.learn.ground import Ground
from chartbuster.learn.uncertainty import outlook_of
from chartbuster.outlook import Outlook
from chartbuster.outlooks import OUTLOOK, Outlooks
from chartbuster.records import from_json
from chartbuster.registry import Registry
from chartbuster.runs import RunManifest


class Predictor:
    """The models of one run, each read and checked when it is first asked.

    Safe to share between threads: a model is never changed once it is loaded.
    """

    def __init__(self, manifest: RunManifest, read: Callable[[str], bytes]) -> None:
        self.manifest = manifest
        self._read = read
        self._models: dict[str, Any] = {}
        self._outlooks: Outlooks | None = None
        self._loading = threading.Lock()

    @classmethod
    def load(cls, registry: Registry, run_id: str) -> Self:
        """The models of the run `run_id`; raises `NotFound` or `Corrupt`."""
        manifest = registry.manifest(run_id)
        return cls(manifest, lambda name: registry.file(manifest, name))

    @cached_property
    def ground(self) -> Ground:
        """What studies of songs are put together from; raises `InvalidSong` as `predict` does."""
        return Ground.of(self.manifest)

    def model(self, name: str) -> Any:
        """The fitted pipeline `name`; raises `NotFound` or `UntrustedModel`."""
        with self._loading:
            if name not in self._models:
                try:
                    entry = self.manifest.model(name)
                except KeyError as error:
                    raise NotFound(error.args[0]) from error
                self._models[name] = stored.load(self._read(entry.file))
            return self._models[name]

    def predict(self, model: str, table: pd.DataFrame) -> NDArray[np.float64]:
        """Popularity, 0 to 100, of each row of a ready table.

        Raises `InvalidSong` when the table lacks a column the models need.
        """
        return self.said(model, matrix(table, self.manifest.columns))

    def outlook(self, model: str, table: pd.DataFrame) -> Outlook:
        """What `model` says of each row of a ready table, and how sure it is of it.

        Raises `InvalidSong` as `predict` does, and `NotFound` for a run that was made before models
        said how sure they are.
        """
        outlooks = self.outlooks()
        features = matrix(table, self.manifest.columns)
        predicted = self.said(model, features)
        return outlook_of(outlooks, model, features, predicted, knows(self.model(model), features))

    def outlooks(self) -> Outlooks:
        """What the run knows of its models' errors; raises `NotFound` where it says nothing."""
        with self._loading:
            if self._outlooks is None:
                if OUTLOOK not in self.manifest.files:
                    raise NotFound(
                        f"run {self.manifest.run_id} has no {OUTLOOK}, so it cannot say how sure "
                        "its models are; put the dataset's file in again to train it anew"
                    )
                self._outlooks = from_json(Outlooks, self._read(OUTLOOK), where=OUTLOOK)
            return self._outlooks

    def said(self, model: str, features: pd.DataFrame) -> NDArray[np.float64]:
        """Popularity, 0 to 100, of each row of the model matrix, as `dataset.matrix` makes it."""
        fitted = self.model(model)
        if features.empty:
            return np.empty(0)
        return clipped(np.asarray(fitted.predict(features), dtype=np.float64))
