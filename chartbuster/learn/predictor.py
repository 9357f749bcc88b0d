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
from chartbuster.learn.artists import ARTIST, knows
from chartbuster.learn.dataset import matrix
from chartbuster.learn.evaluate import clipped
from chartbuster.learn.ground import Ground
from chartbuster.learn.quick import Ask, quick
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
        self._models: dict[str, tuple[Any, Ask]] = {}
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
        return self._loaded(name)[0]

    def _loaded(self, name: str) -> tuple[Any, Ask]:
        """The fitted pipeline and the quick way to ask it."""
        with self._loading:
            if name not in self._models:
                try:
                    entry = self.manifest.model(name)
                except KeyError as error:
                    raise NotFound(error.args[0]) from error
                fitted = stored.load(self._read(entry.file))
                self._models[name] = (fitted, quick(fitted, self.manifest.columns))
            return self._models[name]

    def predict(self, model: str, table: pd.DataFrame) -> NDArray[np.float64]:
        """Popularity, 0 to 100, of each row of a ready table.

        Raises `InvalidSong` when the table lacks a column the models need.
        """
        return self.said(model, self._rows(table))

    def outlook(self, model: str, table: pd.DataFrame) -> Outlook:
        """What `model` says of each row of a ready table, and how sure it is of it.

        Raises `InvalidSong` as `predict` does, and `NotFound` for a run that was made before models
        said how sure they are.
        """
        outlooks = self.outlooks()
        rows = self._rows(table)
        return outlook_of(
            outlooks,
            model,
            self.manifest.columns,
            rows,
            predicted=self.said(model, rows),
            known=self.knows(model, rows),
        )

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

    def said(self, model: str, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Popularity, 0 to 100, of each of `rows` of the model matrix, as `dataset.matrix` has it.

        Much quicker than the model's own `predict` where rows are few, and the same to the bit.
        """
        ask = self._loaded(model)[1]
        return clipped(ask(rows)) if len(rows) else np.empty(0)

    def knows(self, model: str, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Of each of `rows` of the model matrix, whether the model has met the song's artist."""
        columns = self.manifest.columns
        nobody = np.full(len(rows), np.nan)
        return knows(
            self.model(model), rows[:, columns.index(ARTIST)] if ARTIST in columns else nobody
        )

    def _rows(self, table: pd.DataFrame) -> NDArray[np.float64]:
        return matrix(table, self.manifest.columns).to_numpy()
