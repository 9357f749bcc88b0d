"""A run's models, ready to say how popular songs will be."""

import threading
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.errors import NotFound
from chartbuster.learn import stored
from chartbuster.learn.dataset import matrix
from chartbuster.learn.evaluate import clipped
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
        self._loading = threading.Lock()

    @classmethod
    def load(cls, registry: Registry, run_id: str) -> Self:
        """The models of the run `run_id`; raises `NotFound` or `Corrupt`."""
        manifest = registry.manifest(run_id)
        return cls(manifest, lambda name: registry.file(manifest, name))

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
        fitted = self.model(model)
        features = matrix(table, self.manifest.columns)
        if features.empty:
            return np.empty(0)
        return clipped(np.asarray(fitted.predict(features), dtype=np.float64))
