"""Hit probabilities are judged by what came true, and equal ones are in no order."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from chartbuster.learn.bootstrap import draws
from chartbuster.learn.hits import hit_scores, reliability

DRAW = np.random.default_rng(9)
SAID = np.round(DRAW.beta(1, 6, 3_000), 2)
HIT = DRAW.uniform(0, 1, 3_000) < SAID
DRAWN = draws(np.arange(3_000), seed=1)


def test_average_precision_is_that_of_scikit_learn_in_every_replicate() -> None:
    few = draws(np.arange(3_000), seed=2, replicates=4)
    found, intervals = hit_scores(HIT, SAID, few, at=100)

    assert found is not None
    assert found.average_precision == pytest.approx(average_precision_score(HIT, SAID))
    of_each = [
        average_precision_score(HIT, SAID, sample_weight=counts[few.blocks])
        for counts in few.counts
    ]
    low, high = np.quantile(of_each, [0.025, 0.975])
    assert intervals["average_precision"].low == pytest.approx(low, abs=1e-5)
    assert intervals["average_precision"].high == pytest.approx(high, abs=1e-5)


def test_precision_is_taken_among_the_most_probable_songs() -> None:
    said = np.array([0.9, 0.8, 0.7, 0.1, 0.1])
    hit = np.array([True, False, True, False, True])

    found, _ = hit_scores(hit, said, draws(np.arange(5), seed=1), at=3)

    assert found is not None
    assert found.k == 3
    assert found.precision == pytest.approx(2 / 3)


def test_where_equal_probabilities_straddle_the_limit_they_count_in_proportion() -> None:
    said = np.array([0.9, 0.5, 0.5, 0.5, 0.5])
    hit = np.array([True, True, False, False, False])

    found, _ = hit_scores(hit, said, draws(np.arange(5), seed=1), at=3)

    assert found is not None
    assert found.precision == pytest.approx((1 + 2 * 0.25) / 3)


def test_true_probabilities_are_calibrated_and_overconfident_ones_are_not() -> None:
    honest, _ = hit_scores(HIT, SAID, DRAWN, at=100)
    boasting, _ = hit_scores(HIT, np.minimum(1, SAID * 2), DRAWN, at=100)

    assert honest is not None
    assert boasting is not None
    assert honest.calibration_error < 0.03
    assert boasting.calibration_error > 0.1
    assert boasting.brier > honest.brier


def test_the_bins_of_reliability_hold_all_songs_and_say_what_came_true() -> None:
    bins = reliability(HIT, SAID)

    assert sum(each.songs for each in bins) == 3_000
    assert sum(each.songs * each.seen for each in bins) == pytest.approx(HIT.sum(), abs=0.1)
    assert [each.said for each in bins] == sorted(each.said for each in bins)


def test_one_probability_for_every_song_is_one_bin() -> None:
    (bin_,) = reliability(HIT, np.full(3_000, 0.1))

    assert bin_.songs == 3_000


def test_without_hits_or_with_nothing_else_there_is_nothing_to_tell_apart() -> None:
    for hit in (np.zeros(3_000, dtype=bool), np.ones(3_000, dtype=bool)):
        assert hit_scores(hit, SAID, DRAWN, at=10) == (None, {})
