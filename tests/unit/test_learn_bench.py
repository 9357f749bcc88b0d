"""The benchmark of learning fits the original's forest on what the original's models saw."""

from pathlib import Path

import pytest

from chartbuster.features import read_ready
from scripts.bench_learn import boosting, draw, forest, original_features


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bench")
    assert draw(made, 1_500)["songs"] == 1_500
    return made


def test_the_forest_sees_what_the_original_saw_and_neither_artist_nor_title(folder):
    songs = read_ready((folder / "ready_data.csv").read_bytes())
    features = original_features(songs)
    attributes = [name for name in map(str, features) if "=" not in name]
    assert attributes == [
        "acousticness",
        "danceability",
        "energy",
        "valence",
        "log_duration_ms",
        "log_instrumentalness",
        "log_liveness",
        "log_loudness",
        "log_speechiness",
        "log_tempo",
    ]
    genres = features.filter(like="genre=")
    assert genres.sum(axis=1).min() >= 1
    for one_hot in ("key=", "mode=", "time_signature="):
        assert (features.filter(like=one_hot).sum(axis=1) == 1).all()


def test_both_fits_are_timed_and_more_trees_take_longer(folder):
    few, many = (forest(folder, trees)["seconds"] for trees in (2, 20))
    assert 0 < few < many
    assert boosting(folder)["seconds"] > 0
