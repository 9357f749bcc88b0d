"""Several uploads become one table of songs, and that a matrix whose order the manifest fixes."""

import io

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from chartbuster.errors import InvalidSong
from chartbuster.features import MODEL_FEATURES, add_features
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.dataset import inputs_of, matrix, merged, model_columns
from chartbuster.songs import KEYS
from tests.unit.made_up_songs import cleaned_songs, ready_songs


def ready_with(**changes: object) -> pd.DataFrame:
    cleaned = cleaned_songs(2)
    for name, value in changes.items():
        cleaned[name] = pd.Series([value, value], dtype=cleaned[name].dtype)
    return add_features(cleaned)


def test_a_song_in_two_uploads_has_the_genres_of_both_and_the_median_popularity() -> None:
    songs = merged(
        [ready_with(genres="Pop", popularity=40.0), ready_with(genres="Folk", popularity=50.0)]
    )

    assert list(songs["popularity"]) == [45.0, 45.0]
    assert songs[["genre=Folk", "genre=Pop"]].to_numpy().tolist() == [[1, 1], [1, 1]]


def test_a_missing_attribute_comes_from_the_first_upload_that_knows_it() -> None:
    songs = merged(
        [
            ready_with(energy=np.nan, key=None),
            ready_with(energy=0.25, key="D"),
            ready_with(energy=0.75, key="E"),
        ]
    )

    assert list(songs["energy"]) == [0.25, 0.25]
    assert list(songs["key=D"]) == [1, 1]
    assert list(songs["key=E"]) == [0, 0]


def test_the_order_of_rows_and_of_uploads_with_different_songs_changes_nothing() -> None:
    one, other = ready_songs(40), ready_songs(40, first=40, seed=2)

    pd.testing.assert_frame_equal(merged([one, other]), merged([other.iloc[::-1], one]))


def test_a_genre_one_upload_never_heard_of_is_not_missing_but_absent() -> None:
    songs = merged([ready_with(genres="Pop"), ready_songs(10, first=10)])

    assert songs[["genre=Folk", "genre=Pop"]].notna().all(axis=None)


def test_columns_nobody_fills_are_no_model_columns_and_genres_come_last() -> None:
    songs = merged([ready_with(key=None, release_year=np.nan)])

    columns = model_columns(songs)

    assert not {"key=C", "release_year"} & set(columns)
    assert list(columns) == [
        "artist",
        *(name for name in MODEL_FEATURES if name in columns),
        *(name for name in columns if name.startswith("genre=")),
    ]


def test_the_matrix_has_the_columns_asked_for_and_an_absent_genre_is_zero() -> None:
    songs = ready_songs(5)

    features = matrix(songs, ("genre=Jazz", "energy", "genre=Pop"))

    assert list(features.columns) == ["genre=Jazz", "energy", "genre=Pop"]
    assert features["genre=Jazz"].sum() == 0
    assert (features.dtypes == "float64").all()


def test_a_missing_feature_is_an_error_and_never_filled_in() -> None:
    with pytest.raises(InvalidSong, match="lacks energy"):
        matrix(ready_songs(5).drop(columns="energy"), ("energy",))


def test_text_where_numbers_belong_is_an_error() -> None:
    with pytest.raises(InvalidSong, match="text"):
        matrix(ready_songs(5), ("title",))


def test_inputs_hold_ranges_medians_and_the_commonest_letters_overall_and_per_genre() -> None:
    songs = merged([ready_songs(300)])
    inputs = inputs_of(songs)

    pop = songs[songs["genre=Pop"] == 1]
    assert inputs.genres == ("Folk", "Pop")
    assert inputs.audio["energy"].default == songs["energy"].median()
    assert inputs.audio["tempo"].low == songs["tempo"].min()
    assert inputs.time_signature == "4/4"
    assert inputs.genre_defaults["Pop"]["tempo"] == pop["tempo"].median()
    key = inputs.genre_defaults["Pop"]["key"]
    assert pop[f"key={key}"].sum() == max(pop[f"key={letter}"].sum() for letter in KEYS)


def test_what_the_data_never_had_is_no_input() -> None:
    inputs = inputs_of(
        merged([ready_with(energy=np.nan, key=None, release_year=np.nan, genres=None)])
    )

    assert "energy" not in inputs.audio
    assert (inputs.key, inputs.release_year, inputs.genres) == (None, None, ())


def test_the_catalogue_has_each_song_in_plain_words_and_the_same_bytes_each_time() -> None:
    cleaned = cleaned_songs(3)
    cleaned["genres"] = pd.Series(["Folk; Pop", None, "Pop"], dtype="str")
    cleaned["key"] = pd.Series(["C#", None, "B"], dtype="str")
    songs = merged([add_features(cleaned)])

    body = catalogue(songs)

    rows = pq.read_table(io.BytesIO(body)).to_pylist()
    assert [row["genres"] for row in rows] == [["Folk", "Pop"], [], ["Pop"]]
    assert [row["key"] for row in rows] == ["C#", None, "B"]
    assert [row["title"] for row in rows] == list(cleaned["title"])
    assert rows[0]["popularity"] == cleaned["popularity"].iloc[0]
    assert catalogue(songs.copy()) == body
