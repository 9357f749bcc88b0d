"""On real files the models are about as good as they were measured to be, minus split noise."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from chartbuster.features import read_ready
from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.evaluate import NEW
from chartbuster.learn.recipes import Baseline, Boosting
from chartbuster.preparing import prepare
from chartbuster.runs import Scores
from trainer.configuration import default_text, read_configuration
from trainer.exams import begin, examined, exams_of, yardstick
from trainer.fitting import bench


def real_file(name: str) -> Path:
    folder = os.environ.get("CHARTBUSTER_DATA")
    if not folder:
        pytest.skip("CHARTBUSTER_DATA does not name the folder of real files")
    return Path(folder) / name


def new_artist_scores(name: str) -> tuple[Scores, Scores]:
    """The baseline's and boosting's scores on the artists of the first fold."""
    file = real_file(name)
    songs = merged([read_ready(prepare(file.read_bytes(), name).ready)])
    features = matrix(songs, model_columns(songs))
    configuration = replace(read_configuration(default_text()), folds=1)
    exams = exams_of(songs, features, configuration)
    stick = yardstick(songs, exams, configuration)
    with bench(features, stick.popularity, seed=7, jobs=2) as fitting:
        begun = [begin(fitting, recipe, exams) for recipe in (Baseline(), Boosting())]
        baseline, boosting = (
            stick.scores(examined(one, exams, stick, interval=0.9).held[NEW], NEW) for one in begun
        )
    assert baseline is not None
    assert boosting is not None
    return baseline, boosting


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("SpotifyFeatures_sample20000.csv.gz", 0.645),
        ("spotify_songs_tidytuesday.csv.gz", 0.25),
    ],
)
def test_boosting_reaches_the_reference_for_new_artists(name: str, least: float) -> None:
    baseline, boosting = new_artist_scores(name)

    assert boosting.r2 >= least
    assert boosting.mae < baseline.mae
