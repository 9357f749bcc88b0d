"""A store with a small run in it that was really trained, for the tests of the app."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

import numpy as np

from chartbuster import layout
from chartbuster.card import model_card
from chartbuster.demo import as_csv, generate
from chartbuster.features import GENRE_PREFIX, genre_columns, read_ready
from chartbuster.layout import SCHEMA_VERSION
from chartbuster.learn import stored
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.dataset import inputs_of, matrix, merged, model_columns
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import Baseline, Boosting, Linear, Recipe
from chartbuster.learn.uncertainty import quantiles, spread_of
from chartbuster.memory import InMemoryDeadLetters, InMemoryQueue, InMemoryStore
from chartbuster.outlooks import OUTLOOK, Outlooks, Spreads
from chartbuster.preparing import prepare
from chartbuster.records import to_json
from chartbuster.registry import ModelEntry, Registry, RunManifest, Scores, best_model
from chartbuster.report import REPORT
from tests.unit.made_up_run import made_up_report
from webapp.edges import Edges
from webapp.serving import Serving

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

_RECIPES: Sequence[Recipe] = (Baseline(), Linear(), Boosting(trees=20, rate=0.06))


@cache
def _trained(pop: str) -> tuple[RunManifest, dict[str, bytes]]:
    songs = merged([read_ready(prepare(as_csv(generate(600, seed=3)), "songs.csv").ready)])
    songs = songs.rename(columns={"genre=Pop": f"genre={pop}"})
    columns = model_columns(songs)
    features, popularity = matrix(songs, columns), songs["popularity"].to_numpy(dtype=float)
    entries, files, spreads = [], {}, {}
    for recipe in _RECIPES:
        fitted = pipeline(recipe, columns, seed=7).fit(features, popularity)
        predicted = np.asarray(fitted.predict(features), dtype=float)
        error = float(np.abs(predicted - popularity).mean())
        spread = spread_of(predicted, popularity)
        spreads[recipe.name] = Spreads(debut=spread, known=spread)
        scores = Scores(r2=0.5, mae=error, rmse=error * 1.3, spearman=0.6, songs=len(songs))
        file = f"models/{recipe.name}.skops"
        files[file] = stored.dump(fitted)
        size = len(files[file])
        entries.append(ModelEntry(recipe.name, recipe.title, file, size, 0.1, scores, scores))
    run = RunManifest(
        run_id="run1",
        attempt="first",
        dataset="demo",
        dataset_version="v1",
        uploads=("u1",),
        created=NOW.isoformat(),
        seconds=3.0,
        songs=len(songs),
        artists=len(songs["artist"].unique()),
        code="c",
        lock="l",
        schema_version=SCHEMA_VERSION,
        configuration={"seed": 7},
        columns=columns,
        inputs=inputs_of(songs),
        models=tuple(entries),
        best=best_model(entries),
        files={},
    )
    genres = {
        column.removeprefix(GENRE_PREFIX): quantiles(popularity[songs[column].to_numpy() == 1])
        for column in genre_columns(songs)
    }
    hit_from = float(np.quantile(popularity, 0.95))
    outlooks = Outlooks(0.9, hit_from, spreads, genres, quantiles(popularity))
    report = dataclasses.replace(made_up_report(), model=run.best)
    files[OUTLOOK] = to_json(outlooks)
    files[REPORT] = to_json(report)
    files["songs.parquet"] = catalogue(songs)
    files[layout.CARD] = model_card(run, report).encode()
    return run, files


def published(
    store: InMemoryStore,
    *,
    dataset: str = "demo",
    run_id: str = "run1",
    model: str | None = None,
    genre: str = "Pop",
    without: Sequence[str] = (),
) -> RunManifest:
    """The small run in `store` as run `run_id` of `dataset`, with its champion crowned.

    Pop goes by the name `genre` in it. Files `without` which older runs were made are left out.
    """
    run, files = _trained(genre)
    files = {name: body for name, body in files.items() if name not in without}
    registry = Registry(store)
    run = dataclasses.replace(run, run_id=run_id, dataset=dataset)
    run = registry.publish(run, files)
    registry.crown(dataset, run_id, model or run.best, reason="the first", now=NOW)
    registry.activate_first(dataset)
    return run


def model_key(run: RunManifest, model: str) -> str:
    """The key of a model's file in the store."""
    return f"runs/{run.run_id}/{run.attempt}/{run.model(model).file}"


def edges_over(
    artifacts: InMemoryStore,
    *,
    raw: InMemoryStore | None = None,
    ready: InMemoryStore | None = None,
    queue: InMemoryQueue | None = None,
    upload_letters: InMemoryDeadLetters | None = None,
    training_letters: InMemoryDeadLetters | None = None,
) -> Edges:
    """The app's edges over stores in memory; what is not given is empty. Looks once."""
    serving = Serving(artifacts)
    serving.refresh()
    return Edges(
        raw=raw or InMemoryStore(),
        ready=ready or InMemoryStore(),
        artifacts=artifacts,
        queue=queue or InMemoryQueue(),
        upload_letters=upload_letters or InMemoryDeadLetters(),
        training_letters=training_letters or InMemoryDeadLetters(),
        serving=serving,
    )
