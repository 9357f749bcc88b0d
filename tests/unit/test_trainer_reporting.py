"""The report says what features are worth and where the model errs, from songs it never saw."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from chartbuster.learn.dataset import matrix, merged, model_columns
from chartbuster.learn.evaluate import KNOWN, NEW, Held, Yardstick
from chartbuster.learn.recipes import Boosting, Forest
from tests.unit.made_up_songs import QUICK, ready_songs
from trainer.configuration import read_configuration
from trainer.exams import Exams, exams_of, yardstick
from trainer.fitting import Bench, bench
from trainer.reporting import (
    ARTIST_HISTORY,
    ablation,
    by_genre,
    leaks,
    learning_curve,
    predicted_against_actual,
    samples,
)

CONFIGURATION = read_configuration(QUICK)
FAME = np.random.default_rng(4).normal(0, 8, 200)


def famous_songs() -> pd.DataFrame:
    """Songs whose popularity follows from genre, energy and who sings them."""
    songs = ready_songs(1_500, artists=200)
    number = songs["artist"].str.removeprefix("Artist ").astype(int).to_numpy()
    songs["popularity"] = (songs["popularity"] + FAME[number]).clip(0, 100).round()
    return merged([songs])


SONGS = famous_songs()
RECIPE = Boosting(trees=40, leaf=10)


@pytest.fixture(scope="module")
def work() -> Iterator[tuple[Bench, Exams, Yardstick]]:
    features = matrix(SONGS, model_columns(SONGS))
    exams = exams_of(SONGS, features, CONFIGURATION)
    stick = yardstick(SONGS, exams, CONFIGURATION)
    with bench(features, stick.popularity, seed=1, jobs=2) as fitting:
        yield fitting, exams, stick


def test_samples_are_of_both_protocols_within_their_size_and_never_fitted_on(
    work: tuple[Bench, Exams, Yardstick],
) -> None:
    _, exams, _ = work

    new, known = samples(exams, 400)

    assert (new.protocol, known.protocol) == (NEW, KNOWN)
    assert (new.history, known.history) == (False, True)
    artists = SONGS["artist"].to_numpy()
    for sample in (new, known):
        assert len(sample.fit) == 400
        assert len(sample.test) <= 200
        assert not set(sample.fit) & set(sample.test)
    assert not set(artists[new.fit]) & set(artists[new.test])
    assert set(artists[known.test]) <= set(artists[known.fit])


def test_features_that_popularity_follows_from_are_worth_something_and_others_are_not(
    work: tuple[Bench, Exams, Yardstick],
) -> None:
    fitting, exams, stick = work
    new, known = samples(exams, 1_000)

    for_new = {part.group: part for part in ablation(fitting, RECIPE, new, stick)}
    for_known = {part.group: part for part in ablation(fitting, RECIPE, known, stick)}

    assert for_new["genres"].cost.low > 0
    assert for_new["audio"].cost.low > 0
    assert for_new["title flags"].cost.low <= 0.05
    assert for_known[ARTIST_HISTORY].cost.low > 0
    assert ARTIST_HISTORY not in for_new
    genres = for_new["genres"]
    assert genres.cost.low < genres.without - genres.full < genres.cost.high
    assert genres.songs == len(new.test)


def test_more_songs_make_a_better_model_in_the_learning_curve(
    work: tuple[Bench, Exams, Yardstick],
) -> None:
    fitting, exams, stick = work
    new, _ = samples(exams, 1_000)

    points = learning_curve(fitting, RECIPE, new, stick)

    assert [point.songs for point in points] == [125, 250, 500, 1_000]
    assert points[-1].mae < points[0].mae
    assert points[-1].r2 > points[0].r2


def test_rows_split_at_random_claim_more_where_songs_come_in_several_rows(
    work: tuple[Bench, Exams, Yardstick],
) -> None:
    fitting, _, _ = work
    noisy = SONGS.copy()
    # Popularity that follows from nothing: whoever explains it has seen the song.
    noisy["popularity"] = np.random.default_rng(8).uniform(0, 100, len(noisy))
    several = noisy.assign(row_genres="Pop|Folk|Pop")
    recipe = Forest(trees=20, depth=30, leaf=1, features=1.0)

    (leaking,) = leaks(fitting, [recipe], several, 2_000)
    (single,) = leaks(fitting, [recipe], noisy, 2_000)

    assert leaking.shared > 0.9
    assert leaking.claimed > 0.3
    assert leaking.honest < 0.1
    assert leaking.rows == 3_999
    assert (single.shared, single.rows) == (0, len(noisy))
    assert single.claimed < 0.1


def test_without_artists_there_is_no_honest_figure_to_set_a_claim_beside(
    work: tuple[Bench, Exams, Yardstick],
) -> None:
    assert leaks(work[0], [RECIPE], merged([ready_songs(300, artists=0)]), 300) == ()


def test_genres_are_reported_beside_the_baseline_with_what_their_intervals_cover(
    work: tuple[Bench, Exams, Yardstick],
) -> None:
    _, _, stick = work
    truth = stick.popularity
    exact = Held(truth + 1, truth - 2, truth + 4, truth * 0)
    missed = Held(truth - 9, truth + 1, truth + 2, truth * 0)

    scores = by_genre(SONGS, exact, missed, stick)

    assert {score.genre for score in scores} == {"Pop", "Folk"}
    assert sum(score.songs for score in scores) == len(SONGS)
    for score in scores:
        assert (score.mae, score.baseline, score.bias) == (1, 9, 1)
        assert (score.covered, score.width) == (1, 6)
    assert {score.covered for score in by_genre(SONGS, missed, exact, stick)} == {0}


def test_predicted_against_actual_counts_every_song_that_was_asked_about(
    work: tuple[Bench, Exams, Yardstick],
) -> None:
    _, _, stick = work
    held = Held.nothing(len(SONGS))
    rows = np.arange(0, len(SONGS), 3)
    held.put(rows, Held(*(np.full(len(rows), 100.0) for _ in range(4))))

    counts = np.array(predicted_against_actual(held, stick))

    assert counts.shape == (20, 20)
    assert counts[19].sum() == counts.sum() == len(rows)
    assert counts[19, 4] == ((stick.popularity[rows] // 5) == 4).sum()
