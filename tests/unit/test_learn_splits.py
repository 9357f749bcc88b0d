"""Folds stay where they are, and no artist is on both sides."""

import subprocess
import sys

import numpy as np
import pandas as pd

from chartbuster.learn.evaluate import FEWEST_TO_TEST, splits
from chartbuster.learn.recipes import FOLDS
from chartbuster.learn.splits import Places, by_artist, by_song, count_artists, fold_of
from tests.unit.made_up_songs import ready_songs

KNOWN = [0, 4, 0, 2, 0, 2]


def songs_by(*artists: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "song_id": [f"s{n}" for n in range(len(artists))],
            "artist": pd.Series(artists, dtype="str"),
        }
    )


def test_a_fold_is_the_same_in_every_process_and_known_by_heart() -> None:
    # Known values: a change of these would let models be tested on songs they were fitted on.
    assert [fold_of(f"artist artist {n}") for n in range(6)] == KNOWN

    code = "from chartbuster.learn.splits import fold_of; print(fold_of('artist artist 3'))"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={}
    )
    assert int(told.stdout) == KNOWN[3]


def test_folds_are_of_about_the_same_size() -> None:
    counts = np.bincount([fold_of(f"song {n}") for n in range(5_000)], minlength=FOLDS)

    assert counts.min() > 900


def test_an_artist_is_in_one_fold_however_the_name_is_spelt_and_whoever_is_the_guest() -> None:
    places = by_artist(songs_by("Nina  Simone", "nina simone", "Nina Simone; Somebody Else"))

    assert places is not None
    assert len(set(places.folds)) == len(set(places.draws)) == len(set(places.groups)) == 1


def test_no_artist_is_on_both_sides_of_a_split() -> None:
    songs = ready_songs(400)

    (split,) = splits("new artists", by_artist(songs), count=1, calibration=0.1)

    artists = songs["artist"].to_numpy()
    fit, calibration, test = (
        set(artists[rows]) for rows in (split.fit, split.calibration, split.test)
    )
    assert calibration
    assert not fit & test
    assert not fit & calibration
    assert not calibration & test
    assert len(split.fit) + len(split.calibration) + len(split.test) == len(songs)


def test_songs_without_an_artist_go_by_their_own_id() -> None:
    unknown = songs_by("Somebody", *[None] * 60)

    places = by_artist(unknown)

    assert places is not None
    assert list(places.folds[1:]) == list(by_song(unknown).folds[1:])
    assert len(set(places.groups)) == 61


def test_without_any_artist_there_are_no_artist_folds() -> None:
    assert by_artist(songs_by(None, None)) is None
    assert splits("new artists", None, count=1, calibration=0.05) == ()
    assert count_artists(songs_by(None, "")) == 0


def test_the_five_splits_test_every_song_once() -> None:
    songs = ready_songs(400)

    parts = splits("known artists", by_song(songs), count=5, calibration=0.1)

    assert sorted(np.concatenate([part.test for part in parts])) == list(range(400))
    # Every fold calibrates on songs of its own, so that their luck does not repeat.
    calibrating = np.concatenate([part.calibration for part in parts])
    assert len(set(calibrating)) == len(calibrating)


def test_about_the_share_asked_for_calibrates_and_the_same_songs_in_every_run() -> None:
    songs = pd.DataFrame({"song_id": [f"s{n}" for n in range(5_000)]})

    (split,) = splits("known artists", by_song(songs), count=1, calibration=0.05)
    (more,) = splits("known artists", by_song(songs), count=1, calibration=0.1)

    assert 200 < len(split.calibration) < 300
    assert set(split.calibration) < set(more.calibration)


def test_a_fold_too_small_to_say_anything_gives_no_splits_at_all() -> None:
    folds = np.ones(200, dtype=np.int64)
    folds[: FEWEST_TO_TEST - 1] = 0
    places = Places(folds, np.linspace(0, 0.99, 200), np.arange(200))

    assert splits("new artists", places, count=1, calibration=0.05) == ()


def test_artists_are_counted_as_the_folds_tell_them_apart() -> None:
    assert count_artists(songs_by("A", "a", "A; B", "C", None)) == 2
