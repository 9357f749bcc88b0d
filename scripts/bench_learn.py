"""Measures training, evaluation and prediction on a catalogue as large as the original's.

The songs are drawn by the demo's generator and prepared as an upload is. One child trains every
model with its search, evaluation and report, then asks the best one for predictions. Two more fit
our boosting and the original's forest on the same songs, one thread each, in seconds of processor
time. The forest is written afresh here with the original's settings and features; its time grows
with its trees, so without --full only some are fitted and the time is scaled up. What was drawn is
removed at the end.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from chartbuster.demo.catalogue import as_csv, generate
from chartbuster.features import read_ready
from chartbuster.layout import SCHEMA_VERSION
from chartbuster.learn import original
from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.models import pipeline
from chartbuster.learn.predictor import Predictor
from chartbuster.learn.recipes import Boosting
from chartbuster.preparing import prepare
from chartbuster.runs import RunManifest
from scripts.figures import Figure
from trainer.configuration import default_text, read_configuration
from trainer.training import Trained, train

ROOT = Path(__file__).parents[1]
SONGS = 177_000
"""About as many as the original's training file has."""

_SEED = 20
_JOBS = 2
_TREES, _FEWER_TREES = 100, 10
"""The original's forest, and how much of it is fitted without --full."""
_BATCH = 10_000
_REPEATS = 50, 7
"""How often one song and a batch are asked about; medians are reported."""

_MOST_SECONDS = 240.0
_MOST_MEGABYTES = 3_000.0
_MOST_OF_THE_FOREST = 20.0
_LARGEST_MODEL = 30.0
_ONE_SONG_MS = 10.0
_BATCH_MS = 300.0


def draw(folder: Path, songs: int) -> dict[str, float]:
    """Write the ready table of `songs` synthetic songs to `folder`."""
    prepared = prepare(as_csv(generate(songs, seed=_SEED)), "songs.csv")
    if prepared.refused:
        raise RuntimeError(f"the benchmark's own file was refused: {prepared.refused}")
    _ready(folder).write_bytes(prepared.ready)
    return {"songs": float(prepared.report["songs"])}


def training(folder: Path) -> dict[str, float]:
    """All models as the trainer makes them, from the ready table; then what their best one takes.

    Memory is the peak up to the end of the training.
    """
    told = _Stages()
    started = time.monotonic()
    told("reading the songs", 0.0)
    songs = merged([read_ready(_ready(folder).read_bytes())])
    trained = train(songs, read_configuration(default_text()), jobs=_JOBS, tell=told)
    found = {
        "seconds": time.monotonic() - started,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
    }
    told("predicting", 1.0)
    for entry in trained.models:
        _say(f"{entry.title}: {entry.fit_seconds:.1f} s to fit, {entry.bytes / 1e6:.1f} MB")
    best = next(entry for entry in trained.models if entry.name == trained.best)
    _say(f"the best: {best.title}")
    predictor = Predictor(_manifest(trained), trained.files.__getitem__)
    ask = {
        "predict": lambda table: predictor.predict(trained.best, table),
        "outlook": lambda table: predictor.outlook(trained.best, table),
    }
    batch = songs.iloc[:_BATCH]
    for name, question in ask.items():
        single = [_milliseconds(question, songs.iloc[[n]]) for n in range(_REPEATS[0])]
        many = [_milliseconds(question, batch) for _ in range(_REPEATS[1])]
        found[f"{name}_one"], found[f"{name}_batch"] = map(statistics.median, (single, many))
    return found | {"model": best.bytes / 1e6, "batch": float(len(batch))}


def boosting(folder: Path) -> dict[str, float]:
    """Our boosting for a debut, with the settings it is configured with."""
    songs = merged([read_ready(_ready(folder).read_bytes())])
    columns = model_columns(songs)
    configured = read_configuration(default_text())
    recipe = next(model for model in configured.models if isinstance(model, Boosting))
    features, popularity = matrix(songs, columns), songs["popularity"].to_numpy(dtype=np.float64)
    model = pipeline(recipe, columns, seed=configured.seed)
    return _fitted(lambda: model.fit(features, popularity))


def forest(folder: Path, trees: int) -> dict[str, float]:
    """The original's forest on the original's features, with so many of its trees."""
    songs = merged([read_ready(_ready(folder).read_bytes())])
    columns = model_columns(songs)
    features, popularity = matrix(songs, columns), songs["popularity"].to_numpy(dtype=np.float64)
    model = original.forest(columns, seed=_SEED).set_params(model__n_estimators=trees)
    return _fitted(lambda: model.fit(features, popularity))


class _Stages:
    """Tells the stages of a run as they begin: seconds so far, and those of processor time."""

    def __init__(self) -> None:
        self._started, self._used = time.monotonic(), time.process_time()

    def __call__(self, stage: str, fraction: float) -> None:
        seconds, used = time.monotonic() - self._started, time.process_time() - self._used
        _say(f"{seconds:6.1f} s ({used:6.1f} s) {fraction:4.0%} {stage}")


def _say(line: str) -> None:
    sys.stderr.write(f"  {line}\n")
    sys.stderr.flush()


def _ready(folder: Path) -> Path:
    return folder / "ready_data.csv"


def _fitted(fit: Callable[[], object]) -> dict[str, float]:
    started = time.process_time()
    fit()
    return {"seconds": time.process_time() - started}


def _milliseconds(ask: Callable[[pd.DataFrame], object], table: pd.DataFrame) -> float:
    started = time.perf_counter()
    ask(table)
    return (time.perf_counter() - started) * 1_000


def _manifest(trained: Trained) -> RunManifest:
    """As much of a manifest as predictions need; nothing is stored."""
    return RunManifest(
        run_id="bench",
        attempt="bench",
        dataset="bench",
        dataset_version="bench",
        uploads=(),
        created="",
        seconds=0.0,
        songs=trained.songs,
        artists=trained.artists,
        code="",
        lock="",
        schema_version=SCHEMA_VERSION,
        configuration={},
        columns=trained.columns,
        inputs=trained.inputs,
        models=trained.models,
        best=trained.best,
        files=dict.fromkeys(trained.files),  # type: ignore[arg-type]  # only the names are asked for
    )


def _in_a_child(*arguments: str) -> dict[str, float]:
    """What this program finds when called with `arguments`; its progress is passed on.

    A child's peak memory is its own, and its fits have one thread each, as in the trainer.
    """
    done = subprocess.run(
        [sys.executable, "-m", "scripts.bench_learn", *arguments],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def figures(*, songs: int, trees: int) -> Iterator[Figure]:
    """Every figure with its target, as it is measured."""
    with tempfile.TemporaryDirectory(prefix="chartbuster-bench-") as temporary:
        _say(f"drawing {songs:,} songs")
        many = f"{int(_in_a_child('--way', 'draw', '--songs', str(songs), temporary)['songs']):,}"
        _say("training every model")
        run = _in_a_child("--way", "training", temporary)
        yield Figure(f"{many} songs, every model to its report", run["seconds"], "s", _MOST_SECONDS)
        yield Figure("the same, peak memory", run["megabytes"], "MB", _MOST_MEGABYTES)
        yield Figure("the best model's file", run["model"], "MB", _LARGEST_MODEL)
        batch = f"{int(run['batch']):,} songs"
        yield Figure("predicting one song, median", run["predict_one"], "ms", _ONE_SONG_MS)
        yield Figure(f"predicting {batch}, median", run["predict_batch"], "ms", _BATCH_MS)
        one, several = run["outlook_one"], run["outlook_batch"]
        _say(f"with intervals and hit probabilities: {one:.1f} ms and {several:.1f} ms; no target")
        _say("fitting boosting")
        ours = _in_a_child("--way", "boosting", temporary)["seconds"]
        _say(f"{ours:.1f} s of processor time; fitting {trees} trees of the original's forest")
        theirs = _in_a_child("--way", "forest", "--trees", str(trees), temporary)["seconds"]
        scaled = theirs * _TREES / trees
        _say(f"{theirs:.1f} s of processor time, so {scaled:.1f} s for {_TREES} trees")
        yield Figure(
            f"boosting's time, of the original forest's{_scaled(trees)}",
            100 * ours / scaled,
            "%",
            _MOST_OF_THE_FOREST,
        )


def _scaled(trees: int) -> str:
    return "" if trees == _TREES else f" ({trees} trees)"


def _run_way(options: argparse.Namespace) -> dict[str, float]:
    ways: dict[str, Callable[[], dict[str, float]]] = {
        "draw": lambda: draw(options.folder, options.songs),
        "training": lambda: training(options.folder),
        "boosting": lambda: boosting(options.folder),
        "forest": lambda: forest(options.folder, options.trees),
    }
    return ways[options.way]()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python -m scripts.bench_learn --songs 20000"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"fit all {_TREES} trees of the original's forest (minutes) instead of a tenth",
    )
    parser.add_argument(
        "--songs", type=int, default=SONGS, help="how many songs (default %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    ways = ("draw", "training", "boosting", "forest")
    parser.add_argument("--way", choices=ways, help=argparse.SUPPRESS)
    parser.add_argument("--trees", type=int, help=argparse.SUPPRESS)
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(_run_way(options)))
        return 0
    found: list[Any] = []
    for figure in figures(songs=options.songs, trees=_TREES if options.full else _FEWER_TREES):
        found.append(asdict(figure))
        if not options.json:
            print(figure, flush=True)
    if options.json:
        print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
