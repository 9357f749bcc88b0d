"""From the songs of a dataset to fitted models, their held-out scores and the files of a run."""

import json
import pickle
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from chartbuster.features import GENRE_PREFIX, genre_columns
from chartbuster.layout import SONGS
from chartbuster.learn import bootstrap, explain, stored
from chartbuster.learn.blend import BLEND, TITLE
from chartbuster.learn.bootstrap import Numbers
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.dataset import inputs_of, matrix, model_columns
from chartbuster.learn.evaluate import (
    KNOWN,
    NEW,
    Held,
    Protocol,
    Yardstick,
    clipped,
    predictions_table,
)
from chartbuster.learn.hits import reliability
from chartbuster.learn.recipes import Boosting, Forest, Recipe
from chartbuster.learn.splits import count_artists
from chartbuster.learn.uncertainty import quantiles
from chartbuster.outlooks import OUTLOOK, Outlooks
from chartbuster.records import to_json
from chartbuster.report import REPORT, Report
from chartbuster.runs import BASELINE, Inputs, ModelEntry, best_model
from chartbuster.tables import to_csv
from trainer import exams as taking
from trainer import reporting
from trainer.configuration import Configuration
from trainer.exams import Candidate, Examined, Exams
from trainer.fitting import Bench, bench
from trainer.search import Found, search

type Tell = Callable[[str, float], None]

READ_SHARE = 0.05
"""The part of a run's work that is done once its songs are read."""
_SEARCH_SHARE = 0.15
_REPORT_SHARE = 0.85
"""Where in a run's work its search ends and its report begins."""


@dataclass(frozen=True)
class Trained:
    """Everything a run is made of, before it has a name and a place."""

    models: tuple[ModelEntry, ...]
    best: str
    columns: tuple[str, ...]
    inputs: Inputs
    songs: int
    artists: int
    report: Report
    held: Mapping[str, Mapping[Protocol, Held]]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class _Work:
    """What every step of a run looks at."""

    songs: pd.DataFrame
    configuration: Configuration
    inputs: Inputs
    exams: Exams
    stick: Yardstick
    fitting: Bench
    tell: Tell


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
    columns = model_columns(songs)
    features = matrix(songs, columns)
    exams = taking.exams_of(songs, features, configuration)
    stick = taking.yardstick(songs, exams, configuration)
    entries: list[ModelEntry] = []
    files: dict[str, bytes] = {}
    with bench(
        features, stick.popularity, seed=configuration.seed, jobs=jobs, monotonic=monotonic
    ) as fitting:
        work = _Work(songs, configuration, inputs_of(songs), exams, stick, fitting, tell)
        tell("looking for good settings", READ_SHARE)
        found = _search(work)
        examined = _examine(work, found.recipes)
        titles = {recipe.name: recipe.title for recipe in found.recipes} | {BLEND: TITLE}
        listed = [
            fitting.later(partial(_entry, work, name, titles[name], result))
            for name, result in examined.items()
        ]
        for entry, stored_files in (future.result() for future in listed):
            entries.append(entry)
            files |= stored_files
        best = _best(entries, configuration.search.megabytes)
        tell("writing the report", _REPORT_SHARE)
        report = _report(work, found, examined, best)
    tell("writing the run", 0.95)
    files["metrics.json"] = _metrics(entries, best)
    files["scores.csv"] = _predictions(work, examined)
    files[OUTLOOK] = to_json(_outlooks(work, examined))
    files[REPORT] = to_json(report)
    files[SONGS] = catalogue(songs)
    files["configuration.yaml"] = configuration.text.encode()
    return Trained(
        models=tuple(entries),
        best=best,
        columns=columns,
        inputs=work.inputs,
        songs=len(songs),
        artists=count_artists(songs),
        report=report,
        held={name: result.held for name, result in examined.items()},
        files=files,
    )


def _search(work: _Work) -> Found:
    places = work.exams.artists or work.exams.songs
    return search(
        work.fitting,
        work.configuration.models,
        places,
        taking.searchable(work.exams),
        work.configuration.search,
    )


def _examine(work: _Work, recipes: Sequence[Recipe]) -> dict[str, Examined]:
    """Every model's results. All fits are asked for at once, so that none waits for another's."""
    begun = {recipe.name: taking.begin(work.fitting, recipe, work.exams) for recipe in recipes}
    members = work.configuration.blend
    blended: list[Candidate] = []
    examined = {}
    step = (_REPORT_SHARE - _SEARCH_SHARE) / len(begun)
    for number, recipe in enumerate(recipes):
        work.tell(f"fitting {recipe.title}", _SEARCH_SHARE + step * number)
        # Dropped from `begun`, because a model that was tested is not needed any more.
        candidate = begun.pop(recipe.name)
        examined[recipe.name] = _examined(work, candidate)
        if recipe.name in members:
            blended.append(candidate)
    if blended:
        blend = _examined(work, taking.mixed(blended))
        if _earns_its_place(work, blend, examined.values()):
            examined[BLEND] = blend
    return examined


def _examined(work: _Work, candidate: Candidate) -> Examined:
    return taking.examined(candidate, work.exams, work.stick, interval=work.configuration.interval)


def _earns_its_place(work: _Work, blend: Examined, others: Iterable[Examined]) -> bool:
    """Whether the blend is better than every other beyond chance, for new artists if there are any.

    A blend costs as much as its members together, in bytes and in milliseconds.
    """
    protocol: Protocol = NEW if work.exams.new else KNOWN
    asked = blend.held[protocol].asked()
    truth, drawn = work.stick.popularity[asked], work.stick.drawn(protocol, asked)
    after = np.abs(truth - blend.held[protocol].predicted[asked])
    return all(
        bootstrap.gain(drawn, np.abs(truth - other.held[protocol].predicted[asked]), after).low > 0
        for other in others
    )


def _entry(
    work: _Work, name: str, title: str, result: Examined
) -> tuple[ModelEntry, dict[str, bytes]]:
    """How a model is listed, and its files."""
    file = f"models/{name}.skops"
    body = stored.dump(result.model)
    entry = ModelEntry(
        name=name,
        title=title,
        file=file,
        bytes=len(body),
        fit_seconds=round(result.seconds, 3),
        new_artists=work.stick.scores(result.held[NEW], NEW),
        known_artists=work.stick.scores(result.held[KNOWN], KNOWN),
    )
    # The pickle is for notebooks; nothing of ours ever loads it.
    return entry, {file: body, f"models/{name}/model.pkl": pickle.dumps(result.model)}


def _best(entries: Sequence[ModelEntry], megabytes: float) -> str:
    """The best model that is not too large; the baseline is small whatever the limit."""
    return best_model(
        entry for entry in entries if entry.name == BASELINE or entry.bytes <= megabytes * 1e6
    )


def _report(work: _Work, found: Found, examined: Mapping[str, Examined], best: str) -> Report:
    protocol: Protocol = NEW if work.exams.new else KNOWN
    result = examined[best]
    held = result.held[protocol]
    asked = held.asked()
    # The quickest of the good models stands in for the best one where models are fitted again.
    by_name = {recipe.name: recipe for recipe in found.recipes}
    stand_in = by_name.get(Boosting.name) or by_name.get(best) or found.recipes[-1]
    samples = reporting.samples(work.exams, work.configuration.report.songs)
    explain_with = _predict_with(result.model, tuple(work.fitting.features.columns))
    first = (work.exams.new or work.exams.known)[0]
    heldout = work.songs.iloc[first.test]
    seed = work.configuration.seed
    shuffled = work.fitting.later(
        lambda: explain.importances(explain_with, heldout, seed=seed, repeats=3)
    )
    dependence = work.fitting.later(
        lambda: explain.dependence(explain_with, heldout, work.inputs, seed=seed)
    )
    ablation = [
        part
        for sample in samples
        for part in reporting.ablation(work.fitting, stand_in, sample, work.stick)
    ]
    curve = [
        point
        for sample in samples
        for point in reporting.learning_curve(work.fitting, stand_in, sample, work.stick)
    ]
    audited = [by_name[name] for name in (Forest.name, stand_in.name) if name in by_name]
    leaks = reporting.leaks(
        work.fitting, list(dict.fromkeys(audited)), work.songs, work.configuration.report.songs
    )
    importances = shuffled.result()
    return Report(
        model=best,
        interval=work.configuration.interval,
        hit_from=work.stick.hit_from,
        leaks=leaks,
        ablation=tuple(ablation),
        learning_curve=tuple(curve),
        genres=reporting.by_genre(work.songs, held, examined[BASELINE].held[protocol], work.stick),
        reliability=reliability(
            work.stick.popularity[asked] >= work.stick.hit_from, held.hit[asked]
        ),
        predicted_against_actual=reporting.predicted_against_actual(held, work.stick),
        importances={found.attribute: round(found.rise, 4) for found in importances},
        spreads={found.attribute: round(found.spread, 4) for found in importances},
        dependence=dependence.result(),
        search=found.tried,
        search_note=found.note,
    )


def _predict_with(model: Any, columns: Sequence[str]) -> Callable[[pd.DataFrame], Numbers]:
    return lambda table: clipped(np.asarray(model.predict(matrix(table, columns))))


def _outlooks(work: _Work, examined: Mapping[str, Examined]) -> Outlooks:
    popularity = work.stick.popularity
    return Outlooks(
        interval=work.configuration.interval,
        hit_from=work.stick.hit_from,
        spreads={name: result.spreads for name, result in examined.items()},
        genres={
            column.removeprefix(GENRE_PREFIX): quantiles(popularity[inside])
            for column in genre_columns(work.songs)
            if (inside := work.songs[column].to_numpy() == 1).any()
        },
        everywhere=quantiles(popularity),
    )


def _predictions(work: _Work, examined: Mapping[str, Examined]) -> bytes:
    return to_csv(
        pd.concat(
            [
                predictions_table(
                    work.songs,
                    result.held[protocol],
                    work.exams.folds(protocol),
                    protocol=protocol,
                    model=name,
                )
                for name, result in examined.items()
                for protocol in (NEW, KNOWN)
            ],
            ignore_index=True,
        )
    )


def _metrics(entries: Sequence[ModelEntry], best: str) -> bytes:
    models: list[dict[str, Any]] = []
    for entry in entries:
        fields = asdict(entry)
        models.append({key: fields[key] for key in fields if key not in {"file", "bytes"}})
    return (json.dumps({"best": best, "models": models}, indent=1) + "\n").encode()
