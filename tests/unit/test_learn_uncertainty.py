"""Intervals hold what they promise on songs nobody fitted or calibrated on."""

import numpy as np
import pytest

from chartbuster.learn.bootstrap import Numbers
from chartbuster.learn.uncertainty import between, chance, percentile, quantiles, spread_of
from chartbuster.outlooks import Spread
from chartbuster.records import from_json, to_json


def songs(count: int, seed: int) -> tuple[Numbers, Numbers]:
    """Predictions, and popularities that scatter more where predictions are low, and lopsidedly."""
    draw = np.random.default_rng(seed)
    predicted = draw.uniform(0, 80, count)
    scale = 4 + (80 - predicted) / 8
    return predicted, (predicted + scale * (draw.exponential(1, count) - 1)).clip(0, 100)


@pytest.mark.parametrize("interval", [0.8, 0.9])
def test_intervals_cover_what_they_promise_everywhere_along_the_scale(interval: float) -> None:
    spread = spread_of(*songs(4_000, 1))
    predicted, popularity = songs(40_000, 2)

    low, high = between(spread, predicted, interval=interval)

    covered = (low <= popularity) & (popularity <= high)
    assert covered.mean() == pytest.approx(interval, abs=0.015)
    for begin in range(20, 80, 20):
        part = (predicted >= begin) & (predicted < begin + 20)
        assert covered[part].mean() == pytest.approx(interval, abs=0.03)


def test_hit_probabilities_come_true_as_often_as_they_say() -> None:
    spread = spread_of(*songs(4_000, 1))
    predicted, popularity = songs(40_000, 2)

    said = chance(spread, predicted, reaches=60.0)

    for begin in np.arange(0, 1, 0.2):
        part = (said >= begin) & (said < begin + 0.2)
        assert (popularity[part] >= 60).mean() == pytest.approx(said[part].mean(), abs=0.03)


def test_few_calibration_songs_give_wide_intervals_and_none_give_no_promise() -> None:
    predicted = np.array([10.0, 50.0])

    nothing = spread_of(np.empty(0), np.empty(0))
    few = spread_of(np.full(5, 50.0), np.linspace(49, 51, 5))

    assert np.column_stack(between(nothing, predicted, interval=0.9)).tolist() == [[0, 100]] * 2
    low, high = between(few, predicted, interval=0.9)
    assert (high - low)[1] > 40
    assert (nothing.songs, few.songs) == (0, 5)


def test_an_interval_moves_smoothly_with_the_prediction() -> None:
    spread = spread_of(*songs(4_000, 1))
    slider = np.arange(0, 80, 0.1)

    low, high = between(spread, slider, interval=0.9)
    said = chance(spread, slider, reaches=60.0)

    assert np.abs(np.diff(low)).max() < 1
    assert np.abs(np.diff(high)).max() < 1
    assert np.abs(np.diff(said)).max() < 0.03


def test_the_chance_of_reaching_nothing_is_certain_and_of_the_impossible_is_none() -> None:
    spread = spread_of(*songs(500, 1))
    predicted = np.array([30.0])

    assert chance(spread, predicted, reaches=-80.0) == 1
    assert chance(spread, predicted, reaches=131.0) == 0
    assert chance(spread, predicted, reaches=20.0) > chance(spread, predicted, reaches=40.0)


def test_predictions_that_are_all_one_number_have_one_spread() -> None:
    popularity = np.tile(np.arange(1.0, 51.0), 4)

    spread = spread_of(np.full(200, 25.0), popularity)

    assert len(spread.centres) == 1
    low, high = between(spread, np.array([25.0]), interval=0.9)
    assert (low[0], high[0]) == pytest.approx((3.5, 47.5), abs=1.5)


def test_a_spread_survives_being_stored() -> None:
    spread = spread_of(*songs(500, 1))

    assert from_json(Spread, to_json(spread), where="spread") == spread


def test_a_percentile_is_the_share_of_songs_that_are_less_popular() -> None:
    among = quantiles(np.arange(101.0))

    assert percentile(among, np.array([-1.0, 0.0, 25.0, 100.0, 101.0])).tolist() == [
        0,
        0,
        25,
        100,
        100,
    ]
    # Songs that are all equally unpopular are none of them less popular than each other.
    assert percentile(quantiles(np.zeros(30)), np.array([0.0, 1.0])).tolist() == [0, 100]
