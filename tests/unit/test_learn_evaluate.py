"""Scores say what they mean, also where a score has no meaning."""

import numpy as np
import pandas as pd
import pytest

from chartbuster.learn.evaluate import Split, over_folds, predictions_table, scores, splits

TRUTH = np.array([10.0, 20.0, 30.0, 60.0])


def test_a_perfect_prediction_has_no_error() -> None:
    perfect = scores(TRUTH, TRUTH)

    assert (perfect.r2, perfect.mae, perfect.rmse, perfect.songs) == (1, 0, 0, 4)
    assert perfect.spearman == pytest.approx(1)


def test_the_mean_explains_nothing_and_orders_nothing() -> None:
    mean = scores(TRUTH, np.full(4, 30.0))

    assert mean.r2 == 0
    assert mean.mae == 15
    assert mean.rmse == pytest.approx(np.sqrt(350))
    assert mean.spearman is None


def test_spearman_looks_at_the_order_alone() -> None:
    assert scores(TRUTH, np.array([0.0, 1.0, 2.0, 99.0])).spearman == pytest.approx(1)


def test_predictions_are_clipped_to_what_a_popularity_can_be_before_they_are_scored() -> None:
    songs = pd.DataFrame({"song_id": list("abcd"), "popularity": [0.0, 100.0, 0.0, 100.0]})
    split = Split("new artists", 0, fit=np.array([]), test=np.arange(4))

    predicted = np.array([-5.0, 130.0, 0.0, 100.0])

    found = over_folds(songs, [split], [predicted])
    table = predictions_table(songs, split, "linear", predicted)

    assert found is not None
    assert found.mae == 0
    assert list(table["prediction"]) == [0, 100, 0, 100]


def test_scores_over_several_folds_are_over_all_their_songs_together() -> None:
    songs = pd.DataFrame({"song_id": list("abcd"), "popularity": TRUTH})
    parts = [
        Split("new artists", 0, fit=np.array([2, 3]), test=np.array([0, 1])),
        Split("new artists", 1, fit=np.array([0, 1]), test=np.array([2, 3])),
    ]

    found = over_folds(songs, parts, [TRUTH[split.test] for split in parts])

    assert found is not None
    assert (found.songs, found.r2) == (4, 1)


def test_without_splits_there_are_no_scores() -> None:
    assert over_folds(pd.DataFrame({"popularity": TRUTH}), [], []) is None


def test_the_table_of_predictions_names_song_protocol_fold_and_model() -> None:
    songs = pd.DataFrame({"song_id": list("abcd"), "popularity": TRUTH})
    split = Split("known artists", 0, fit=np.array([0, 1]), test=np.array([3, 2]))

    table = predictions_table(songs, split, "forest", np.array([50.0, 31.23456]))

    assert table.to_dict("records") == [
        {
            "song_id": song,
            "protocol": "known artists",
            "fold": 0,
            "model": "forest",
            "prediction": prediction,
            "popularity": truth,
        }
        for song, prediction, truth in (("d", 50.0, 60.0), ("c", 31.235, 30.0))
    ]


@pytest.mark.parametrize("count", [0, 6])
def test_more_folds_than_there_are_is_an_error(count: int) -> None:
    with pytest.raises(ValueError, match="expected 1 to 5"):
        splits("new artists", None, count=count)
