"""Small ready tables whose popularity follows from genre and energy, for tests that fit models."""

import json

import numpy as np
import pandas as pd

from chartbuster.cleaning import CLEANED_COLUMNS
from chartbuster.features import add_features
from chartbuster.identity import upload_id
from chartbuster.layout import SCHEMA_VERSION
from chartbuster.memory import InMemoryStore
from chartbuster.songs import AUDIO, KEYS, MODES
from chartbuster.tables import to_csv

QUICK = """
seed: 7
folds: 1
fewest_songs: 50
search: {candidates: 0}
report: {songs: 150}
blend: [forest, boosting]
models:
  baseline:
  linear: {penalty: 1.0}
  forest: {trees: 5, depth: 4}
  network: {units: 4, epochs: 3, patience: 2}
  boosting: {trees: 20, leaf: 5}
"""
"""A configuration of every model that is fitted in a moment."""


def cleaned_songs(
    count: int = 300, *, seed: int = 1, first: int = 0, artists: int = 60
) -> pd.DataFrame:
    """A cleaned table; `first` is the number of the first song, 0 `artists` means none is named."""
    draw = np.random.default_rng(seed)
    energy = draw.uniform(0, 1, count)
    pop = draw.uniform(0, 1, count) < 0.5
    numbers = {
        a.name: draw.uniform(a.low, a.high, count).round(a.decimals)
        for a in AUDIO
        if a.name != "energy"
    }
    popularity = np.clip(20 + 40 * pop + 20 * energy + draw.normal(0, 3, count), 0, 100)
    columns = {
        "song_id": [f"song{number:05d}" for number in range(first, first + count)],
        "artist": [f"Artist {n % artists}" for n in range(count)] if artists else [None] * count,
        "title": [f"Title {n}" + " (Live)" * (n % 10 == 0) for n in range(count)],
        "release_year": 1980.0 + draw.integers(0, 40, count),
        "genres": [("Pop" if p else "Folk") for p in pop],
        "popularity": popularity.round(),
        **numbers,
        "energy": energy.round(3),
        "key": draw.choice(KEYS, count),
        "mode": draw.choice(MODES, count),
        "time_signature": ["4/4"] * count,
    }
    texts = ("song_id", "artist", "title", "genres", "key", "mode", "time_signature")
    frame = pd.DataFrame(columns)[list(CLEANED_COLUMNS)]
    return frame.astype(dict.fromkeys(texts, "str"))


def ready_songs(
    count: int = 300, *, seed: int = 1, first: int = 0, artists: int = 60
) -> pd.DataFrame:
    """A ready table of `cleaned_songs`."""
    return add_features(cleaned_songs(count, seed=seed, first=first, artists=artists))


def put_ready(
    store: InMemoryStore,
    dataset: str,
    table: pd.DataFrame,
    *,
    file: str = "songs.csv",
    status: str = "ready",
) -> str:
    """Put `table` into a ready bucket as the current upload of a file; returns its key."""
    body = to_csv(table)
    upload = upload_id(body)
    key = f"datasets/{dataset}/{file}/{upload}/ready_data.csv"
    store.write(key, body)
    pointer = {
        "upload_id": upload,
        "file": file,
        "status": status,
        "schema_version": SCHEMA_VERSION,
    }
    store.write(f"datasets/{dataset}/{file}/current.json", json.dumps(pointer).encode())
    return key
