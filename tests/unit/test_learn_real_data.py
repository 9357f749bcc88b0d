"""On real files the models are about as good as they were measured to be, minus split noise."""

import os
from pathlib import Path
from typing import Any

import pytest

from chartbuster.features import read_ready
from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.evaluate import Numbers, Split, over_folds, splits
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import Baseline, Boosting
from chartbuster.learn.splits import artist_folds
from chartbuster.preparing import prepare
from chartbuster.runs import Scores


def real_file(name: str) -> Path:
    folder = os.environ.get("CHARTBUSTER_DATA")
    if not folder:
        pytest.skip("CHARTBUSTER_DATA does not name the folder of real files")
    return Path(folder) / name


def new_artist_scores(name: str) -> tuple[Scores, Scores]:
    """The baseline's and boosting's scores on the artists of the first fold."""
    file = real_file(name)
    songs = merged([read_ready(prepare(file.read_bytes(), name).ready)])
    columns = model_columns(songs)
    features = matrix(songs, columns)
    popularity = songs["popularity"].to_numpy(dtype=float)
    parts = splits("new artists", artist_folds(songs), count=1)
    found = []
    for recipe in (Baseline(), Boosting()):
        model = pipeline(recipe, columns, seed=7, jobs=2)

        def predict(split: Split, model: Any = model) -> Numbers:
            model.fit(features.iloc[split.fit], popularity[split.fit])
            predicted: Numbers = model.predict(features.iloc[split.test])
            return predicted

        scored, _ = over_folds(songs, parts, predict)
        assert scored is not None
        found.append(scored)
    return found[0], found[1]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("SpotifyFeatures_sample20000.csv.gz", 0.645),
        ("spotify_songs_tidytuesday.csv.gz", 0.21),
    ],
)
def test_boosting_reaches_the_reference_for_new_artists(name: str, least: float) -> None:
    baseline, boosting = new_artist_scores(name)

    assert boosting.r2 >= least
    assert boosting.mae < baseline.mae
