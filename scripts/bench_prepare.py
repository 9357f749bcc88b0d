"""Measures the preparation of a table beside the way the original system did it, in one run.

The original's way is written afresh here from a description of its steps, since its code is not
part of this project: drop what has the time signature 0/4, call a Python function for the rows of
each id to unite their genres, one-hot by dummies summed per id, logarithms, a table of 54 columns.
So it stands for the original but is not it; the original itself was once measured at 78 s for the
features of such a file. Both sides read the same file of random songs, each in a fresh process and
on one core; seconds of processor time are counted, so that other work on the machine counts less.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.cleaning import clean
from chartbuster.features import add_features
from chartbuster.preparing import prepare
from chartbuster.reading import read_table
from chartbuster.songs import KEYS, MODES
from scripts.figures import Figure

ROOT = Path(__file__).parents[1]
ROWS, SONGS, GENRES, ARTISTS = 229_729, 176_768, 26, 14_500
"""The shape of the original's training file."""

_LEAST_FASTER = 10.0
_LEAST_FASTER_WRITTEN = 4.0
_MOST_MEGABYTES = 600.0
_SHARE = 10
_LETTERS = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
_LOGS = ("duration_ms", "instrumentalness", "liveness", "loudness", "speechiness", "tempo")
_AS_THEY_ARE = ("acousticness", "danceability", "energy", "valence")


def catalogue(rows: int, songs: int, *, seed: int = 20) -> pd.DataFrame:
    """Random songs in the original file's 18 columns; the surplus rows repeat ids in other genres.

    Values have the decimals Spotify gives them, so they repeat about as often as real ones do.
    """
    draw = np.random.default_rng(seed)
    of_row = np.concatenate([np.arange(songs), draw.integers(0, songs, rows - songs)])
    order = draw.permutation(rows)
    of_row = of_row[order]

    def share(decimals: int) -> NDArray[np.float64]:
        return draw.beta(1.2, 1.6, songs).round(decimals)

    of_song = {
        "artist_name": np.char.add("Artist ", draw.integers(0, ARTISTS, songs).astype(str)),
        "track_name": np.char.add("A song of some length ", np.arange(songs).astype(str)),
        "track_id": np.array(["".join(each) for each in draw.choice(_LETTERS, (songs, 22))]),
        "acousticness": share(3),
        "danceability": share(3),
        "duration_ms": draw.normal(235_000, 60_000, songs).clip(20_000, 900_000).astype(int),
        "energy": share(3),
        "instrumentalness": np.where(draw.random(songs) < 0.35, 0, share(3)),
        "key": np.array(KEYS)[draw.integers(0, len(KEYS), songs)],
        "liveness": share(3),
        "loudness": (-draw.gamma(2.2, 4.3, songs)).clip(-50).round(3),
        "mode": np.array(MODES)[draw.integers(0, len(MODES), songs)],
        "speechiness": share(3),
        "tempo": draw.normal(118, 30, songs).clip(40, 220).round(3),
        "time_signature": draw.choice(
            ["1/4", "3/4", "4/4", "5/4"], songs, p=[0.02, 0.1, 0.86, 0.02]
        ),
        "valence": share(3),
    }
    frame = pd.DataFrame({name: values[of_row] for name, values in of_song.items()})
    # Each further row of a song comes under a genre next to its own, so no row is there twice.
    genre = (of_row * 7 + order // songs * (1 + order % (GENRES - 1))) % GENRES
    frame.insert(0, "genre", np.char.add("Genre ", genre.astype(str)))
    frame.insert(4, "popularity", draw.integers(0, 101, rows))
    return frame


def original_way(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cleaned and the 54-column table of the file at `path`, by the original's steps."""
    songs = pd.read_csv(path)
    songs = songs[songs["time_signature"] != "0/4"]
    groups = songs.groupby("track_id", sort=False)[list(songs.columns)]
    cleaned = pd.DataFrame([_united(rows) for _, rows in groups])
    lists = cleaned.set_index("track_id")["genre"].str.split(", ")
    one_hot = pd.get_dummies(lists.explode(), dtype=int).groupby(level=0).sum()
    features = cleaned[["track_id", "popularity", *_AS_THEY_ARE]].set_index("track_id")
    features = features.join(one_hot)
    by_id = cleaned.set_index("track_id")
    for name in ("key", "time_signature", "mode"):
        features = features.join(pd.get_dummies(by_id[name], prefix=name, dtype=int))
    for name in _LOGS:
        features[f"log_{name}"] = by_id[name].apply(lambda value: np.log(value + 200))
    return cleaned, features


def _united(rows: pd.DataFrame) -> "pd.Series[Any]":
    """The first of the rows of one id, with the genres of all of them."""
    first = rows.iloc[0].copy()
    first["genre"] = ", ".join(sorted(set(rows["genre"])))
    return first


def our_way(path: Path) -> pd.DataFrame:
    """The feature table of the file at `path`."""
    cleaned = clean(read_table(path.read_bytes()))
    return add_features(cleaned.songs, row_genres=cleaned.row_genres)


def original_written(path: Path) -> None:
    cleaned, features = original_way(path)
    (path.parent / "cleaned_original.csv").write_text(cleaned.to_csv(index=False))
    (path.parent / "ready_original.csv").write_text(features.to_csv())


def ours_written(path: Path) -> None:
    prepared = prepare(path.read_bytes(), path.name)
    if prepared.refused:
        raise RuntimeError(f"the benchmark's own file was refused: {prepared.refused}")
    (path.parent / "cleaned_ours.csv").write_bytes(prepared.cleaned)
    (path.parent / "ready_ours.csv").write_bytes(prepared.ready)


WAYS: dict[str, Callable[[Path], object]] = {
    "original": original_way,
    "ours": our_way,
    "original-written": original_written,
    "ours-written": ours_written,
}


def measured(way: str, path: Path) -> tuple[float, float]:
    """One way's seconds of processor time and peak memory in MB, in a process of its own."""
    found: dict[str, float] = json.loads(_in_a_child("--way", way, str(path)))
    return found["seconds"], found["megabytes"]


def _in_a_child(*arguments: str) -> str:
    """What this program prints when called with `arguments`.

    Even the random songs are drawn in a child: a child's peak memory counts from its parent's size.
    """
    return subprocess.run(
        [sys.executable, "-m", "scripts.bench_prepare", *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def figures(*, share: int) -> list[Figure]:
    """The two ratios and the memory, each with its target, on a `share`-th of the rows.

    Memory is always that of the whole file: it is the whole file the target speaks of.
    """
    with tempfile.TemporaryDirectory(prefix="chartbuster-bench-") as temporary:
        whole = Path(temporary, "whole.csv")
        _in_a_child("--share", "1", "--way", "draw", str(whole))
        path = whole
        if share > 1:
            path = Path(temporary, "part.csv")
            _in_a_child("--share", str(share), "--way", "draw", str(path))
        seconds = {way: measured(way, path)[0] for way in WAYS}
        megabytes = measured("ours-written", whole)[1]
    of = "" if share == 1 else f", 1/{share} of the rows"
    faster = seconds["original"] / seconds["ours"]
    written = seconds["original-written"] / seconds["ours-written"]
    return [
        Figure(f"features, times the original's speed{of}", faster, "x", _LEAST_FASTER, more=True),
        Figure(f"features and files, likewise{of}", written, "x", _LEAST_FASTER_WRITTEN, more=True),
        Figure(f"preparing {ROWS:,} rows, peak memory", megabytes, "MB", _MOST_MEGABYTES),
    ]


def _run_way(way: str, path: Path) -> None:
    started = time.process_time()
    WAYS[way](path)
    seconds = time.process_time() - started
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(json.dumps({"seconds": seconds, "megabytes": megabytes}))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python -m scripts.bench_prepare --full"
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"time both ways on all {ROWS:,} rows (minutes) instead of a tenth of them",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--way", choices=(*WAYS, "draw"), help=argparse.SUPPRESS)
    parser.add_argument("--share", type=int, help=argparse.SUPPRESS)
    parser.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way == "draw":
        songs = catalogue(ROWS // options.share, SONGS // options.share)
        songs.to_csv(options.path, index=False)
        return 0
    if options.way:
        _run_way(options.way, options.path)
        return 0
    found = figures(share=1 if options.full else _SHARE)
    print(json.dumps(list(map(asdict, found))) if options.json else "\n".join(map(str, found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
