"""Scores say what they mean, also where a score has no meaning."""

import numpy as np
import pandas as pd
import pytest

from chartbuster.learn.bootstrap import Numbers, draws
from chartbuster.learn.evaluate import Held, Yardstick, clipped, predictions_table, scores, splits
from chartbuster.runs import Scores

TRUTH = np.array([10.0, 20.0, 30.0, 60.0])


def said(predicted: Numbers, *, width: float = 10.0, hit: Numbers | None = None) -> Held:
    return Held(
        predicted,
        predicted - width,
        predicted + width,
        predicted / 100 if hit is None else hit,
    )


def scored(predicted: Numbers, truth: Numbers = TRUTH, *, hit_from: float = 50.0) -> Scores:
    drawn = draws(np.arange(len(truth)), seed=1)
    return scores(truth, said(predicted), drawn, hit_from=hit_from, precision_at=1)


def test_a_perfect_prediction_has_no_error() -> None:
    perfect = scored(TRUTH)

    assert (perfect.r2, perfect.mae, perfect.rmse, perfect.songs) == (1, 0, 0, 4)
    assert perfect.spearman == pytest.approx(1)
    assert (perfect.covered, perfect.width) == (1, 20)


def test_the_mean_explains_nothing_and_orders_nothing() -> None:
    mean = scored(np.full(4, 30.0))

    assert mean.r2 == 0
    assert mean.mae == 15
    assert mean.rmse == pytest.approx(np.sqrt(350))
    assert mean.spearman is None
    assert "spearman" not in mean.intervals


def test_spearman_looks_at_the_order_alone() -> None:
    assert scored(np.array([0.0, 1.0, 2.0, 99.0])).spearman == pytest.approx(1)


def test_coverage_is_the_share_of_songs_within_their_interval() -> None:
    assert scored(np.array([10.0, 20.0, 30.0, 30.0])).covered == 0.75


def test_every_metric_has_an_interval_around_it() -> None:
    draw = np.random.default_rng(1)
    truth = draw.uniform(0, 100, 400)
    found = scored(clipped(truth + draw.normal(0, 15, 400)), truth)

    assert found.hits is not None
    values = {
        "r2": found.r2,
        "mae": found.mae,
        "rmse": found.rmse,
        "spearman": found.spearman,
        "covered": found.covered,
        "average_precision": found.hits.average_precision,
        "brier": found.hits.brier,
    }
    for name, value in values.items():
        assert value is not None
        assert found.intervals[name].low <= value <= found.intervals[name].high, name
    assert set(found.intervals) == {*values, "precision", "calibration_error"}


def test_without_any_hit_there_are_no_scores_for_hits() -> None:
    assert scored(TRUTH, hit_from=90.0).hits is None
    assert scored(TRUTH, hit_from=0.0).hits is None


def test_predictions_are_clipped_to_what_a_popularity_can_be() -> None:
    assert clipped(np.array([-5.0, 130.0, 7.0])).tolist() == [0, 100, 7]


def test_what_was_said_fold_by_fold_is_scored_together_and_nothing_else_is() -> None:
    held = Held.nothing(5)
    held.put(np.array([3, 1]), said(TRUTH[[3, 1]]))
    held.put(np.array([0]), said(TRUTH[[0]]))
    stick = Yardstick(
        np.append(TRUTH, 99.0), {"new artists": np.arange(5)}, hit_from=50, precision_at=1, seed=1
    )

    found = stick.scores(held, "new artists")

    assert found is not None
    assert (found.songs, found.r2) == (3, 1)
    assert stick.scores(Held.nothing(5), "new artists") is None


def test_the_table_of_predictions_has_a_row_per_song_that_was_asked_about() -> None:
    songs = pd.DataFrame({"song_id": list("abcd"), "popularity": TRUTH})
    held = Held.nothing(4)
    held.put(np.array([3, 2]), said(np.array([50.0, 31.23456])))

    table = predictions_table(
        songs, held, np.array([0, 0, 1, 2]), protocol="known artists", model="forest"
    )

    assert table.to_dict("records") == [
        {
            "song_id": "c",
            "protocol": "known artists",
            "fold": 1,
            "model": "forest",
            "prediction": 31.235,
            "low": 21.23,
            "high": 41.23,
            "hit": 0.3123,
            "popularity": 30.0,
        },
        {
            "song_id": "d",
            "protocol": "known artists",
            "fold": 2,
            "model": "forest",
            "prediction": 50.0,
            "low": 40.0,
            "high": 60.0,
            "hit": 0.5,
            "popularity": 60.0,
        },
    ]


@pytest.mark.parametrize("count", [0, 6])
def test_more_folds_than_there_are_is_an_error(count: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 5"):
        splits("new artists", None, count=count, calibration=0.05)
