"""Intervals are as wide as the spread of what they are about, and compare on the same draws."""

import numpy as np
import pytest

from chartbuster.learn import bootstrap
from chartbuster.learn.bootstrap import draws, gain, interval

DRAW = np.random.default_rng(5)


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    values = DRAW.normal(0, 1, 4_000)

    found = interval(draws(np.arange(4_000), seed=1).mean(values))

    assert found.high - found.low == pytest.approx(2 * 1.96 / np.sqrt(4_000), rel=0.15)
    assert found.low < values.mean() < found.high


def test_songs_that_resemble_each_other_within_an_artist_give_a_wider_interval() -> None:
    artists = np.repeat(np.arange(200), 20)
    values = DRAW.normal(0, 1, 200)[artists]

    of_artists = interval(draws(artists, seed=1).mean(values))
    of_songs = interval(draws(np.arange(4_000), seed=1).mean(values))

    expected = 2 * 1.96 / np.sqrt(200)
    assert of_artists.high - of_artists.low == pytest.approx(expected, rel=0.2)
    assert of_songs.high - of_songs.low < 0.4 * expected


def test_a_paired_gain_is_seen_where_the_errors_alone_would_hide_it() -> None:
    hard = DRAW.exponential(10, 2_000)
    before, after = hard + 0.2, hard
    drawn = draws(np.arange(2_000), seed=1)

    assert gain(drawn, before, after).low > 0
    assert gain(drawn, after, before).high < 0
    assert interval(drawn.mean(after)).high > interval(drawn.mean(before)).low


def test_r2_and_correlation_of_the_replicates_are_what_their_songs_give() -> None:
    truth = DRAW.uniform(0, 100, 60)
    predicted = truth + DRAW.normal(0, 20, 60)
    drawn = draws(np.arange(60), seed=3, replicates=5)

    for replicate, counts in enumerate(drawn.counts):
        songs = np.repeat(np.arange(60), counts[drawn.blocks].astype(int))
        errors = ((truth[songs] - predicted[songs]) ** 2).sum()
        spread = ((truth[songs] - truth[songs].mean()) ** 2).sum()
        assert bootstrap.r2(drawn, truth, predicted)[replicate] == pytest.approx(
            1 - errors / spread
        )
        assert bootstrap.correlation(drawn, truth, predicted)[replicate] == pytest.approx(
            np.corrcoef(truth[songs], predicted[songs])[0, 1]
        )


def test_the_same_groups_and_seed_give_the_same_draws() -> None:
    groups = DRAW.integers(0, 50, 300)

    one, other = draws(groups, seed=4), draws(groups, seed=4)

    np.testing.assert_array_equal(one.counts, other.counts)
    np.testing.assert_array_equal(one.blocks, other.blocks)
    assert not np.array_equal(one.counts, draws(groups, seed=5).counts)


def test_a_group_is_drawn_whole_however_many_groups_there_are() -> None:
    groups = DRAW.integers(0, 5_000, 20_000)

    drawn = draws(groups, seed=1)

    blocks = {(int(group), int(block)) for group, block in zip(groups, drawn.blocks, strict=True)}
    assert len(blocks) == len(set(groups))
    assert drawn.counts.shape[1] == bootstrap.MOST_BLOCKS
    # What is held at a time is bounded, and together it is everything.
    weights = np.concatenate(list(drawn.weights(np.arange(20_000))))
    np.testing.assert_array_equal(weights, drawn.counts[:, drawn.blocks])
