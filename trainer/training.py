"""From the songs of a dataset to fitted models, their held-out scores and the files of a run."""

import json
import pickle
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from chartbuster.errors import JobUnusable
from chartbuster.learn import stored
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.dataset import inputs_of, matrix, model_columns
from chartbuster.learn.evaluate import Numbers, Split, over_folds, predictions_table, splits
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import Recipe
from chartbuster.learn.splits import artist_folds, count_artists, song_folds
from chartbuster.runs import Inputs, ModelEntry, best_model
from chartbuster.tables import to_csv
from trainer.configuration import Configuration

type Tell = Callable[[str, float], None]

READ_SHARE = 0.05
"""The part of a run's work that is done once its songs are read."""


@dataclass(frozen=True)
class Trained:
    """Everything a run is made of, before it has a name and a place."""

    models: tuple[ModelEntry, ...]
    best: str
    columns: tuple[str, ...]
    inputs: Inputs
    songs: int
    artists: int
    files: Mapping[str, bytes]


def train(
    songs: pd.DataFrame,
    configuration: Configuration,
    *,
    jobs: int,
    tell: Tell,
    monotonic: Callable[[], float] = time.monotonic,
) -> Trained:
    """Fit and test every model on `songs`, one row per song as `dataset.merged` gives them.

    Raises `JobUnusable` when the songs are too few to test anything on.
    """
    exams = _exams(songs, configuration)
    columns = model_columns(songs)
    features = matrix(songs, columns)
    popularity = songs["popularity"].to_numpy(dtype=np.float64)
    entries, files, tables = [], {}, []
    step = (0.95 - READ_SHARE) / len(configuration.models)
    for number, model in enumerate(configuration.models):
        tell(f"fitting {model.title}", READ_SHARE + step * number)
        desk = _Desk(model, features, popularity, configuration.seed, jobs, monotonic)
        results = {
            protocol: over_folds(songs, parts, desk.predict) for protocol, parts in exams.items()
        }
        for protocol, parts in exams.items():
            for split, predicted in zip(parts, results[protocol][1], strict=True):
                tables.append(predictions_table(songs, split, {model.name: predicted}))
        kept = desk.kept
        name = f"models/{model.name}.skops"
        files[name] = stored.dump(kept)
        # For notebooks; nothing of ours ever loads it.
        files[f"models/{model.name}/model.pkl"] = pickle.dumps(kept)
        entries.append(
            ModelEntry(
                name=model.name,
                title=model.title,
                file=name,
                bytes=len(files[name]),
                fit_seconds=round(desk.fit_seconds, 3),
                new_artists=results["new artists"][0],
                known_artists=results["known artists"][0],
            )
        )
    tell("writing the run", 0.95)
    best = best_model(entries)
    files["metrics.json"] = _metrics(entries, best)
    files["scores.csv"] = to_csv(pd.concat(tables, ignore_index=True))
    files["songs.parquet"] = catalogue(songs)
    files["configuration.yaml"] = configuration.text.encode()
    return Trained(
        models=tuple(entries),
        best=best,
        columns=columns,
        inputs=inputs_of(songs),
        songs=len(songs),
        artists=count_artists(songs),
        files=files,
    )


class _Desk:
    """Fits one model on one split after the other, and keeps the one that is to be stored.

    Which is the first: the one that never saw the test songs every later challenger meets it on.
    """

    def __init__(
        self,
        model: Recipe,
        features: pd.DataFrame,
        popularity: Numbers,
        seed: int,
        jobs: int,
        monotonic: Callable[[], float],
    ) -> None:
        self._model = model
        self._features = features
        self._popularity = popularity
        self._seed = seed
        self._jobs = jobs
        self._monotonic = monotonic
        self._kept: Pipeline | None = None
        self.fit_seconds = 0.0

    @property
    def kept(self) -> Pipeline:
        """The model fitted on the first split."""
        if self._kept is None:
            raise RuntimeError("no split was fitted, so there is no model to keep")
        return self._kept

    def predict(self, split: Split) -> Numbers:
        """Predictions for the split's test songs by the model fitted on its other songs."""
        started = self._monotonic()
        # A fixed number of threads adds in a fixed order, so a repeat gives the same model. The
        # network's matrices are too small for more than one: two would mostly wait for each other.
        with threadpool_limits({"openmp": self._jobs, "blas": 1}), warnings.catch_warnings():
            # The number of epochs is a setting; reaching it is not a fault.
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = pipeline(
                self._model, tuple(self._features.columns), seed=self._seed, jobs=self._jobs
            ).fit(self._features.iloc[split.fit], self._popularity[split.fit])
        seconds = self._monotonic() - started
        if "n_jobs" in fitted[-1].get_params():
            # One song is answered sooner without threads, and sums keep their order.
            fitted[-1].set_params(n_jobs=None)
        if self._kept is None:
            self._kept, self.fit_seconds = fitted, seconds
        predicted: Numbers = fitted.predict(self._features.iloc[split.test])
        return predicted


def _exams(songs: pd.DataFrame, configuration: Configuration) -> dict[str, tuple[Split, ...]]:
    """The splits of both protocols, new artists first; raises `JobUnusable` without any."""
    if len(songs) < configuration.fewest_songs:
        raise JobUnusable(
            f"the dataset has {len(songs)} songs; expected at least {configuration.fewest_songs} "
            "to fit and test models on"
        )
    exams = {
        "new artists": splits("new artists", artist_folds(songs), count=configuration.folds),
        "known artists": splits("known artists", song_folds(songs), count=configuration.folds),
    }
    if not any(exams.values()):
        raise JobUnusable(
            f"no part of the dataset's {len(songs)} songs is large enough to test models on"
        )
    return exams


def _metrics(entries: Sequence[ModelEntry], best: str) -> bytes:
    models: list[dict[str, Any]] = []
    for entry in entries:
        fields = asdict(entry)
        models.append({key: fields[key] for key in fields if key not in {"file", "bytes"}})
    return (json.dumps({"best": best, "models": models}, indent=1) + "\n").encode()
