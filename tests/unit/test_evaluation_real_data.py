"""What the project promises of its models, on the two real files: each is evaluated once."""

import gzip
import os
import sys
from pathlib import Path

import pytest

from chartbuster.learn import original
from trainer.configuration import default_text, read_configuration
from trainer.evaluate_performance import as_text
from trainer.evaluation import evaluate
from trainer.targets import promised

FILES = ("SpotifyFeatures_sample20000.csv.gz", "spotify_songs_tidytuesday.csv.gz")


def stored(name):
    folder = os.environ.get("CHARTBUSTER_DATA")
    if not folder:
        pytest.skip("CHARTBUSTER_DATA does not name the folder of real files")
    return (Path(folder) / name).read_bytes()


def _tell(stage: str, done: float) -> None:
    sys.stderr.write(f"{done:4.0%} {stage}\n")


@pytest.fixture(scope="module", params=FILES)
def found(request):
    """The evaluation of one file with the trainer's own configuration; takes some minutes."""
    evaluation = evaluate(
        stored(request.param),
        request.param,
        read_configuration(default_text()),
        jobs=2,
        tell=_tell,
    )
    sys.stderr.write(f"{as_text(evaluation)}\n")
    return evaluation


def of_best(evaluation):
    return [gain for gain in evaluation.gains if gain.model == evaluation.best]


def test_the_best_model_beats_the_original_s_forest_beyond_chance_for_new_and_known_artists(found):
    gains = {gain.protocol: gain for gain in of_best(found)}

    assert set(gains) == {"new artists", "known artists"}
    for gain in gains.values():
        assert gain.r2 > 0
        assert gain.r2_interval.low > 0, gain
    assert found.better


def test_the_original_s_forest_is_tested_on_the_same_songs_as_the_models(found):
    songs = {
        (model.new_artists.songs, model.known_artists.songs)
        for model in found.models
        if model.new_artists and model.known_artists
    }

    assert original.NAME in {model.name for model in found.models}
    assert songs == {(found.songs, found.songs)}


def test_every_target_is_met(found):
    assert len(found.targets) == 3
    assert [target for target in found.targets if not target.met] == []


def test_intervals_hold_for_new_artists_as_often_as_they_say(found):
    (best,) = (model for model in found.models if model.name == found.best)

    assert best.new_artists.covered == pytest.approx(found.interval, abs=0.02)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_however_it_is_compressed(name):
    body = stored(name)

    assert promised(body) is not None
    assert promised(gzip.decompress(body)) == promised(body)
    assert promised(gzip.decompress(body) + b"\n") is None
