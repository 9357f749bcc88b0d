"""From the songs of a dataset to fitted models, their held-out scores and the files of a run."""

import json
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from chartbuster.errors import JobUnusable
from chartbuster.learn import stored
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.dataset import inputs_of, matrix, model_columns
from chartbuster.learn.evaluate import Split, over_folds, predictions_table, splits
from chartbuster.learn.splits import artist_folds, count_artists, song_folds
from chartbuster.runs import Inputs, ModelEntry, best_model
from chartbuster.tables import to_csv
from trainer.configuration import Configuration
from trainer.fitting import bench

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

    `jobs` models are fitted at a time, which changes nothing about them. Raises `JobUnusable` when
    the songs are too few to test anything on.
    """
    exams = _exams(songs, configuration)
    columns = model_columns(songs)
    features = matrix(songs, columns)
    popularity = songs["popularity"].to_numpy(dtype=np.float64)
    entries, files, tables = [], {}, []
    step = (0.95 - READ_SHARE) / len(configuration.models)
    with bench(
        features, popularity, seed=configuration.seed, jobs=jobs, monotonic=monotonic
    ) as fitting:
        fits = {
            (model.name, protocol, split.fold): fitting.fit(model, split)
            for model in configuration.models
            for protocol, parts in exams.items()
            for split in parts
        }
        for number, model in enumerate(configuration.models):
            tell(f"fitting {model.title}", READ_SHARE + step * number)
            done = {key: fit.result() for key, fit in fits.items() if key[0] == model.name}
            scored = {}
            for protocol, parts in exams.items():
                predicted = [
                    done[model.name, split.protocol, split.fold].predicted for split in parts
                ]
                scored[protocol] = over_folds(songs, parts, predicted)
                tables += [
                    predictions_table(songs, split, model.name, values)
                    for split, values in zip(parts, predicted, strict=True)
                ]
            # The first: it never saw the test songs every later challenger meets it on.
            kept = next(iter(done.values()))
            name = f"models/{model.name}.skops"
            files[name] = stored.dump(kept.model)
            # For notebooks; nothing of ours ever loads it.
            files[f"models/{model.name}/model.pkl"] = pickle.dumps(kept.model)
            entries.append(
                ModelEntry(
                    name=model.name,
                    title=model.title,
                    file=name,
                    bytes=len(files[name]),
                    fit_seconds=round(kept.seconds, 3),
                    new_artists=scored["new artists"],
                    known_artists=scored["known artists"],
                )
            )
            for key in done:
                del fits[key]
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
