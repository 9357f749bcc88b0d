"""The benchmark compares two ways to the same songs, on a file shaped like the original's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scripts.bench_prepare import catalogue, original_way, our_way


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "songs.csv"
    catalogue(1_300, 1_000).to_csv(file, index=False)
    return file


def test_the_random_songs_repeat_under_other_genres(path):
    songs = pd.read_csv(path)
    assert songs.shape == (1_300, 18)
    assert songs["track_id"].nunique() == 1_000
    assert not songs.duplicated().any()


def test_both_ways_give_the_same_songs_genres_and_logarithms(path):
    _, original = original_way(path)
    original = original.sort_index()
    ours = our_way(path).set_index("song_id").sort_index()
    assert original.shape == (1_000, 55)  # the 54 features and the popularity
    assert original.index.tolist() == ours.index.tolist()
    for genre in [name for name in map(str, original) if name.startswith("Genre ")]:
        assert original[genre].tolist() == ours[f"genre={genre}"].tolist()
    for name in ("log_tempo", "log_duration_ms", "energy"):
        np.testing.assert_allclose(original[name], ours[name], atol=1e-6)
