"""The rows songs were merged from come back out of the ready table."""

import os
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartbuster.errors import WrongSchema
from chartbuster.features import GENRE_PREFIX, add_features, genre_columns, read_ready
from chartbuster.learn.dataset import merged
from chartbuster.learn.rows import unmerged
from chartbuster.preparing import prepare
from chartbuster.songs import GENRE_SEPARATOR, ROW_SEPARATOR, genre_name
from chartbuster.values import genres
from tests.unit.made_up_songs import cleaned_songs, ready_songs

type Row = tuple[str, tuple[str, ...]]
"""The id of a row's song and its genres."""

GENRES = st.sampled_from(["Pop", "Rock", "NA Folk", "R&B", "Neo-Soul"])
ROWS = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.lists(GENRES, max_size=3, unique=True).map(tuple)),
    min_size=1,
    max_size=25,
)


def table(rows: list[Row], separator: str = ";") -> pd.DataFrame:
    """The ready table of a file with these rows, as the trainer reads it."""
    lines = [f"{song},A,T,{n % 101},{separator.join(of)}" for n, (song, of) in enumerate(rows)]
    text = "\n".join(["track_id,artist_name,track_name,popularity,genre", *lines]) + "\n"
    prepared = prepare(text.encode(), "songs.csv")
    assert prepared.refused is None
    return read_ready(prepared.ready)


def rows_of(ready: pd.DataFrame) -> Counter[Row]:
    """Every row of a ready table as its song and the genres it has."""
    flags = ready[genre_columns(ready)].to_numpy() == 1
    names = np.array([name.removeprefix(GENRE_PREFIX) for name in genre_columns(ready)])
    return Counter(
        (song, tuple(names[has].tolist()))
        for song, has in zip(ready["song_id"], flags, strict=True)
    )


def in_order(rows: list[Row]) -> Counter[Row]:
    return Counter((song, tuple(sorted(genres))) for song, genres in rows)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_unmerged_rows_have_the_genres_of_the_rows_of_the_file(rows: list[Row]) -> None:
    songs = merged([table(rows)])

    apart = unmerged(songs)

    assert rows_of(apart) == in_order(rows)
    assert list(apart.columns) == list(songs.columns)
    assert apart["row_genres"].isna().all()


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_unmerged_rows_merged_again_are_the_same_songs(rows: list[Row]) -> None:
    songs = merged([table(rows)])

    pd.testing.assert_frame_equal(merged([unmerged(songs)]), songs)


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_a_song_in_two_uploads_has_the_rows_of_both(one: list[Row], other: list[Row]) -> None:
    songs = merged([table(one), table(other)])

    assert rows_of(unmerged(songs)) == in_order(one) + in_order(other)
    pd.testing.assert_series_equal(
        songs["row_genres"], merged([table(other), table(one)])["row_genres"]
    )


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_rows_in_another_order_give_the_same_text(rows: list[Row], chance: Random) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)

    pd.testing.assert_series_equal(table(rows)["row_genres"], table(shuffled)["row_genres"])


def test_a_song_of_one_row_has_no_text_and_one_of_several_has_all_of_them() -> None:
    ready = table([("a", ("Rock",)), ("b", ("Soul",)), ("b", ()), ("b", ("Pop", "Dance"))])

    assert ready["row_genres"].isna().tolist() == [True, False]
    assert ready["row_genres"][1] == "|Dance; Pop|Soul"


def test_rows_without_any_genre_are_still_counted() -> None:
    text = b"track_id,title,popularity\na,T,50\na,T,60\na,T,70\nb,U,50\n"
    songs = read_ready(prepare(text, "songs.csv").ready)

    assert songs["row_genres"][0] == "||"
    assert unmerged(songs)["song_id"].tolist() == ["a", "a", "a", "b"]


def test_a_row_without_popularity_is_no_row_of_its_song() -> None:
    text = b"track_id,popularity,genre\na,50,Pop\na,,Rock\nb,50,Pop\nb,60,Rock\n"
    songs = read_ready(prepare(text, "songs.csv").ready)

    assert songs["row_genres"].isna().tolist() == [True, False]
    assert rows_of(unmerged(songs))["a", ("Pop",)] == 1


def test_a_row_repeats_everything_else_of_its_song() -> None:
    cleaned = cleaned_songs(3)
    cleaned["genres"] = pd.Series(["Folk; Pop", "Pop", "Folk"], dtype="str")
    rows = pd.Series(["Folk|Pop|Pop", np.nan, np.nan], dtype="str")
    songs = add_features(cleaned, row_genres=rows)

    apart = unmerged(songs)

    rest = [
        name for name in songs.columns if name != "row_genres" and name not in genre_columns(songs)
    ]
    expected = songs[rest].iloc[[0, 0, 0, 1, 2]].reset_index(drop=True)
    pd.testing.assert_frame_equal(apart[rest], expected)
    assert apart["genre=Pop"].tolist() == [0, 1, 1, 1, 0]


def test_songs_that_were_never_merged_stay_as_they_are() -> None:
    songs = ready_songs(20)

    pd.testing.assert_frame_equal(unmerged(songs), songs)


def test_a_genre_without_a_column_is_refused() -> None:
    songs = add_features(cleaned_songs(1), row_genres=pd.Series(["Polka|Polka"], dtype="str"))

    with pytest.raises(WrongSchema, match="'Polka', which has no column"):
        unmerged(songs)


@pytest.mark.parametrize("separator", ["|", ",", ";", " | "])
def test_a_bar_in_a_file_separates_genres_of_one_row(separator: str) -> None:
    ready = table([("a", (f'"Pop{separator}Rock"',)), ("a", ("Pop",))])

    assert ready["row_genres"].tolist() == ["Pop|Pop; Rock"]


@given(st.text(st.sampled_from("aB |,;[]'\"\\&`’")))
def test_no_genre_of_any_cell_holds_what_separates_rows_or_genres(cell: str) -> None:
    names = [genre_name(genre) for genre in genres(cell)]

    assert not [name for name in names if ROW_SEPARATOR in name or GENRE_SEPARATOR in name]


def test_a_table_whose_genre_holds_what_separates_rows_is_refused() -> None:
    body = b",".join([*map(str.encode, ready_songs(1).columns), b"genre=Z|Z"]) + b"\n"

    with pytest.raises(WrongSchema, match=r"'genre=Z\|Z'"):
        read_ready(body)


def test_every_row_of_a_real_file_comes_back() -> None:
    folder = os.environ.get("CHARTBUSTER_DATA")
    if not folder:
        pytest.skip("CHARTBUSTER_DATA does not name the folder of real files")
    name = "spotify_songs_tidytuesday.csv.gz"
    body = Path(folder, name).read_bytes()
    prepared = prepare(body, name)
    songs = merged([read_ready(prepared.ready)])

    apart = unmerged(songs)

    raw = pd.read_csv(Path(folder, name), keep_default_na=False)
    assert len(raw) == 32_833
    assert len(apart) == len(raw)
    expected = Counter(
        (row[0], tuple(sorted({genre_name(row[1]), genre_name(row[2])})))
        for row in raw[["track_id", "playlist_genre", "playlist_subgenre"]].itertuples(index=False)
    )
    assert rows_of(apart) == expected
    pd.testing.assert_frame_equal(merged([apart]), songs)
