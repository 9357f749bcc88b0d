"""Nothing a model is judged on, or calibrated on, was ever in its sight."""

import numpy as np
import pandas as pd
import pytest

from chartbuster.errors import JobUnusable
from chartbuster.learn.artists import ByArtist, artist_codes, history_of
from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.evaluate import KNOWN, NEW, Yardstick
from chartbuster.learn.recipes import Baseline, Boosting, Linear, Recipe
from chartbuster.learn.splits import by_artist, by_song
from tests.unit.made_up_songs import QUICK, ready_songs
from trainer.configuration import read_configuration
from trainer.exams import Examined, Exams, begin, examined, exams_of, hit_from, mixed, yardstick
from trainer.fitting import Bench, bench

CONFIGURATION = read_configuration(QUICK.replace("folds: 1", "folds: 5"))


class Watching:
    """Fits as the bench does, and remembers which songs were fitted on and asked about."""

    def __init__(self, fitting: Bench) -> None:
        self.fitting = fitting
        self.fits: list[tuple[set[int], set[int], bool]] = []

    def fit(self, recipe: Recipe, rows: np.ndarray, *, ask: np.ndarray, history: bool) -> object:
        self.fits.append((set(rows.tolist()), set(ask.tolist()), history))
        return self.fitting.fit(recipe, rows, ask=ask, history=history)


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    return merged([ready_songs(600, artists=150)])


def taken(
    songs: pd.DataFrame, *recipes: Recipe
) -> tuple[Exams, Yardstick, list[Examined], Watching]:
    features = matrix(songs, model_columns(songs))
    exams = exams_of(songs, features, CONFIGURATION)
    stick = yardstick(songs, exams, CONFIGURATION)
    with bench(features, stick.popularity, seed=1, jobs=2) as fitting:
        watching = Watching(fitting)
        begun = [begin(watching, recipe, exams) for recipe in recipes]  # type: ignore[arg-type]
        results = [examined(one, exams, stick, interval=0.9) for one in begun]
        if len(begun) > 1:
            results.append(examined(mixed(begun), exams, stick, interval=0.9))
    return exams, stick, results, watching


@pytest.fixture(scope="module")
def linear(
    songs: pd.DataFrame,
) -> tuple[Exams, Yardstick, list[Examined], Watching]:
    return taken(songs, Linear())


def test_no_song_is_asked_about_by_a_model_that_was_fitted_on_it(
    linear: tuple[Exams, Yardstick, list[Examined], Watching],
) -> None:
    *_, watching = linear

    assert len(watching.fits) == 11
    for fit, asked, _ in watching.fits:
        assert asked
        assert not fit & asked


def test_no_model_without_history_is_asked_about_an_artist_it_was_fitted_on(
    songs: pd.DataFrame, linear: tuple[Exams, Yardstick, list[Examined], Watching]
) -> None:
    artists = songs["artist"].to_numpy()
    new = [(fit, asked) for fit, asked, history in linear[3].fits if not history]

    assert len(new) == 5
    for fit, asked in new:
        assert not set(artists[list(fit)]) & set(artists[list(asked)])


def test_every_song_is_tested_once_under_each_protocol(
    linear: tuple[Exams, Yardstick, list[Examined], Watching],
) -> None:
    _, _, (result,), _ = linear

    assert len(result.held[NEW].asked()) == len(result.held[KNOWN].asked()) == 600


def test_the_model_kept_knows_nobody_of_the_first_fold_and_not_its_calibration_songs(
    songs: pd.DataFrame, linear: tuple[Exams, Yardstick, list[Examined], Watching]
) -> None:
    exams, _, (result,), watching = linear
    artists = by_artist(songs)
    assert artists is not None
    codes = artist_codes(songs["artist"])

    assert isinstance(result.model, ByArtist)
    history = history_of(result.model.known)
    assert not history.known(codes[artists.folds == 0]).any()
    assert not history.known(codes[exams.new[0].calibration]).any()
    fit, _, with_history = watching.fits[0]
    assert with_history
    assert history.songs_.sum() == len(fit)


def test_an_artist_with_one_song_is_predicted_as_a_debut_under_both_protocols() -> None:
    songs = ready_songs(600, artists=150)
    songs.loc[songs.index % 4 == 0, "artist"] = [f"Single {n}" for n in range(150)]
    songs = merged([songs])

    _, _, (result,), _ = taken(songs, Linear())

    alone = songs["artist"].str.startswith("Single").to_numpy()
    new, known = result.held[NEW], result.held[KNOWN]
    np.testing.assert_array_equal(new.predicted[alone], known.predicted[alone])
    np.testing.assert_array_equal(new.high[alone], known.high[alone])
    assert not np.array_equal(new.predicted[~alone], known.predicted[~alone])


def test_the_baseline_has_no_history_and_one_part(songs: pd.DataFrame) -> None:
    _, _, (result,), watching = taken(songs, Baseline())

    assert not isinstance(result.model, ByArtist)
    assert not any(history for *_, history in watching.fits)
    assert result.spreads.debut == result.spreads.known


def test_without_artists_there_is_one_protocol_and_no_history() -> None:
    exams, _, (result,), watching = taken(merged([ready_songs(400, artists=0)]), Linear())

    assert exams.new == ()
    assert len(result.held[NEW].asked()) == 0
    assert len(result.held[KNOWN].asked()) == 400
    assert not any(history for *_, history in watching.fits)


def test_a_blend_says_the_mean_of_its_members_under_both_protocols(songs: pd.DataFrame) -> None:
    _, _, (linear, boosting, blend), _ = taken(songs, Linear(), Boosting(trees=20, leaf=5))

    for protocol in (NEW, KNOWN):
        np.testing.assert_allclose(
            blend.held[protocol].predicted,
            (linear.held[protocol].predicted + boosting.held[protocol].predicted) / 2,
        )
    assert blend.spreads != linear.spreads
    assert blend.seconds == linear.seconds + boosting.seconds


def test_intervals_hold_what_they_promise_for_new_and_known_artists() -> None:
    songs = merged([ready_songs(4_000, artists=800)])

    _, stick, (result,), _ = taken(songs, Boosting(trees=40))

    for protocol in (NEW, KNOWN):
        held = result.held[protocol]
        covered = (held.low <= stick.popularity) & (stick.popularity <= held.high)
        assert covered.mean() == pytest.approx(0.9, abs=0.02)


def test_too_few_songs_are_refused_with_how_many_it_takes() -> None:
    songs = merged([ready_songs(40)])

    with pytest.raises(JobUnusable, match="has 40 songs; expected at least 50"):
        exams_of(songs, matrix(songs, model_columns(songs)), CONFIGURATION)


def test_no_more_songs_are_hits_than_the_share_asked_for() -> None:
    popularity = np.repeat([10.0, 50.0, 70.0, 90.0], [700, 200, 80, 20])

    assert hit_from(popularity, 0.1) == 70
    assert hit_from(popularity, 0.05) == 90
    # Where even the most popular songs are more than the share, they are the hits.
    assert hit_from(popularity, 0.01) == 90


def test_songs_and_artists_have_their_places_whatever_else_is_there() -> None:
    few, many = merged([ready_songs(200)]), merged([ready_songs(400)])

    np.testing.assert_array_equal(by_song(few).folds, by_song(many).folds[:200])
    np.testing.assert_array_equal(by_song(few).draws, by_song(many).draws[:200])
