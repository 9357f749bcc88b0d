"""From texts to songs: units, ranges, what is missing, and rows of one song made one."""

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartbuster.cleaning import CLEANED_COLUMNS, MOST_GENRES, Cleaned, clean
from chartbuster.errors import UnreadableUpload
from chartbuster.reading import read_table
from chartbuster.tables import to_csv

type Rows = list[dict[str, Any]]


def cleaned(rows: Rows) -> Cleaned:
    """The rows, whose absent cells are empty, as a file would hold them, cleaned."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return clean(read_table(out.getvalue().encode()))


def song(**cells: Any) -> "pd.Series[Any]":
    """One row as the one song it becomes; popularity is 50 unless told otherwise."""
    (one,) = (row for _, row in cleaned([{"popularity": 50, **cells}]).songs.iterrows())
    return one


def test_a_cleaned_table_has_its_columns_in_their_order():
    assert tuple(cleaned([{"popularity": 1}]).songs.columns) == CLEANED_COLUMNS


def test_numbers_become_words():
    one = song(key="1", mode="0", time_signature="4-Apr", artists="['A', 'B']", genre="pop")
    assert [one["key"], one["mode"], one["time_signature"]] == ["C#", "Minor", "4/4"]
    assert [one["artist"], one["genres"]] == ["A; B", "Pop"]


@pytest.mark.parametrize(
    ("column", "text", "milliseconds"),
    [
        ("duration_ms", "231000", 231_000),
        ("duration_ms", "231,000", 231_000),
        ("duration_ms", "231000.4", 231_000),
        ("duration_s", "231", 231_000),
        ("duration_min", "3.85", 231_000),
        ("duration_min", "3,85", 231_000),
        ("duration", "3:51", 231_000),
        ("duration", "3.85", 231_000),
        ("duration", "231", 231_000),
        ("duration", "231000", 231_000),
    ],
)
def test_a_duration_in_any_unit_becomes_milliseconds(column, text, milliseconds):
    assert song(**{column: text})["duration_ms"] == milliseconds


def test_shares_in_percent_become_shares():
    rows = [
        {"popularity": 1, "danceability_%": 73, "energy": "73%", "valence": 73, "liveness": 0.73},
        {"popularity": 1, "danceability_%": 1, "energy": "1%", "valence": 60, "liveness": 0.5},
    ]
    found = cleaned(rows)
    assert (
        found.songs[["danceability", "energy", "valence", "liveness"]].max().tolist() == [0.73] * 4
    )
    assert found.losses["valence"].unit == "percent"
    assert found.losses["liveness"].unit is None


def test_whole_numbers_are_percent_where_another_column_is():
    rows = [{"popularity": 1, "energy": 60 + n, "instrumentalness": n // 2} for n in range(4)]
    assert cleaned(rows).songs["instrumentalness"].max() == 0.01
    without = [{"popularity": 1, "energy": 0.5, "instrumentalness": n // 2} for n in range(4)]
    assert cleaned(without).songs["instrumentalness"].max() == 1


def test_what_is_out_of_range_or_unreadable_becomes_missing_and_is_counted():
    rows: Rows = [
        {"popularity": 1, "tempo": text, "id": f"song{n}"}
        for n, text in enumerate(["120", "0", "?", "fast", "", "1e999"])
    ]
    found = cleaned(rows)
    assert np.isnan(found.songs["tempo"]).sum() == 5
    loss = found.losses["tempo"]
    assert (loss.missing, loss.unreadable, loss.examples) == (2, 3, ("0", "fast", "1e999"))
    assert found.losses["energy"].missing == 6


def test_minus_one_is_no_key_and_nothing_unreadable():
    found = cleaned([{"popularity": 1, "key": -1}])
    assert found.losses["key"].missing == 1
    assert found.losses["key"].unreadable == 0
    assert found.songs["key"].isna().all()


def test_a_title_may_look_like_a_missing_value():
    assert song(title="NA", artist="None")[["title", "artist"]].tolist() == ["NA", "None"]
    assert song(title="007", artist="null")[["title", "artist"]].tolist() == ["007", "null"]


def test_artist_and_title_that_are_the_same_stand_in_are_missing():
    one = song(id="x", artist="NA", title="NA")
    assert one[["artist", "title"]].isna().all()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "popularity is missing"),
        ("NA", "popularity is missing"),
        ("high", "popularity 'high' is no number"),
        ("101", "popularity '101' is outside 0 to 100"),
        ("-1", "popularity '-1' is outside 0 to 100"),
    ],
)
def test_a_row_is_rejected_only_for_want_of_a_usable_popularity(text, reason):
    found = cleaned([{"popularity": text, "title": "A"}, {"popularity": 5, "energy": "what"}])
    assert [(reject.line, reject.reason) for reject in found.rejects] == [(2, reason)]
    assert found.rejects[0].text.startswith(f"{text},A")
    assert (found.rows, len(found.songs), found.merged) == (2, 1, 0)


def test_a_share_and_a_hit_flag_are_no_popularity():
    with pytest.raises(UnreadableUpload, match="holds 0 to 1; expected popularity from 0 to 100"):
        cleaned([{"popularity": 0.3}, {"popularity": 0.9}])
    with pytest.raises(UnreadableUpload, match="holds only 0 and 1"):
        cleaned([{"popularity": n % 2} for n in range(200)])
    assert len(cleaned([{"popularity": 0, "id": "a"}, {"popularity": 1, "id": "b"}]).songs) == 2


def test_no_row_with_a_popularity_is_a_refusal_that_names_one():
    with pytest.raises(UnreadableUpload, match=r"none of 2 rows.*line 2: popularity is missing"):
        cleaned([{"popularity": "", "title": "A"}, {"popularity": "x", "title": "B"}])


def test_rows_of_one_song_are_one():
    rows = [
        {"id": "x", "popularity": 10, "genre": "Rock", "tempo": 100, "key": "", "title": "T"},
        {"id": "x", "popularity": 20, "genre": "Pop", "tempo": "", "key": "C", "title": ""},
        {"id": "x", "popularity": 60, "genre": "Rock", "tempo": 110, "key": "C", "title": "T"},
        {"id": "y", "popularity": 5, "genre": "Jazz", "tempo": 90, "key": "D", "title": "U"},
    ]
    found = cleaned(rows)
    one = found.songs[found.songs["song_id"] == "x"].iloc[0]
    assert one[["popularity", "genres", "tempo", "key", "title"]].tolist() == [
        20,
        "Pop; Rock",
        105,
        "C",
        "T",
    ]
    assert found.merged == 2
    assert found.genres == {"Jazz": 1, "Pop": 1, "Rock": 1}


def test_the_same_rows_in_another_order_give_the_same_songs():
    rows = [
        {
            "id": f"s{n % 5}",
            "popularity": n,
            "artist": f"A{n % 7}",
            "genre": f"G{n % 3}",
            "tempo": 60 + 7 * n % 50,
            "key": n % 12,
            "year": 1990 + n % 4,
        }
        for n in range(23)
    ]
    assert to_csv(cleaned(rows).songs) == to_csv(cleaned(rows[::-1]).songs)


CELLS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["", "a", "b", "c"]),
        "popularity": st.sampled_from(["", "5", "10", "99", "x"]),
        "title": st.sampled_from(["", "T", "U"]),
        "artist": st.sampled_from(["", "A", "a "]),
        "genre": st.sampled_from(["", "pop", "Pop, rock", "['jazz']"]),
        "energy": st.sampled_from(["", "0.1", "0.25", "2", "?"]),
        "key": st.sampled_from(["", "C", "1", "-1", "H"]),
    }
)


@settings(max_examples=30, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_of_columns_changes_the_songs(rows, random):
    rows = [*rows, {**rows[0], "popularity": "7"}]
    columns = list(rows[0])
    random.shuffle(columns)
    shuffled = [{name: row[name] for name in columns} for row in rows]
    random.shuffle(shuffled)
    one, other = cleaned(rows), cleaned(shuffled)
    assert to_csv(one.songs) == to_csv(other.songs)
    assert one.songs["song_id"].is_unique
    assert len(one.songs) + one.merged + len(one.rejects) == len(rows)


def test_without_ids_artist_and_title_name_the_song_whatever_their_spelling():
    rows = [
        {"artist": "Beyoncé", "title": "Halo", "popularity": 50},
        {"artist": "BEYONCÉ ", "title": "halo", "popularity": 60},
        {"artist": "Another", "title": "Halo", "popularity": 70},
    ]
    found = cleaned(rows).songs
    assert len(found) == 2
    assert found["song_id"].str.startswith("name-").all()


def test_without_names_the_whole_row_names_the_song():
    rows = [{"popularity": 50, "energy": 0.5}, {"popularity": 50, "energy": 0.5}]
    assert len(cleaned([*rows, {"popularity": 50, "energy": 0.6}]).songs) == 2


def test_row_numbers_are_no_ids():
    rows = [{"id": n, "artist": "A", "title": "T", "popularity": 50} for n in range(3)]
    assert len(cleaned(rows).songs) == 1


def test_spellings_of_a_genre_are_one():
    rows = [
        {"id": n, "popularity": 1, "genre": genre}
        for n, genre in zip(
            "abcdef",
            ["Children’s Music", "Children's Music", "hip hop", "Hip-Hop", "techno", "Techno"],
            strict=True,
        )
    ]
    assert cleaned(rows).genres == {"Children's Music": 2, "Hip-Hop": 2, "Techno": 2}


def test_a_subgenre_is_one_more_genre_of_its_song():
    rows = [
        {"id": "a", "popularity": 1, "playlist_genre": "pop", "playlist_subgenre": "dance pop"},
        {"id": "a", "popularity": 1, "playlist_genre": "edm", "playlist_subgenre": "pop edm"},
        {"id": "b", "popularity": 1, "playlist_genre": "pop", "playlist_subgenre": "Pop"},
        {"id": "c", "popularity": 1, "playlist_genre": "", "playlist_subgenre": "dance pop"},
    ]
    found = cleaned(rows)
    assert found.songs["genres"].tolist() == ["Dance Pop; EDM; Pop; Pop EDM", "Pop", "Dance Pop"]
    assert found.genres == {"Dance Pop": 2, "EDM": 1, "Pop": 2, "Pop EDM": 1}


def test_of_too_many_genres_the_commonest_are_kept_and_the_rest_reported():
    rows = [{"id": f"s{n}", "popularity": 50, "genre": f"g{n}"} for n in range(MOST_GENRES + 20)]
    found = cleaned([*rows, {"id": "last", "popularity": 50, "genre": f"g{MOST_GENRES + 19}"}])
    assert len(found.genres) == MOST_GENRES
    assert f"G{MOST_GENRES + 19}" in found.genres
    assert "270 genres" in found.notes[0]


def test_of_columns_with_one_name_the_first_is_used_and_the_report_says_so():
    found = clean(read_table(b"popularity,energy,energy\n5,0.1,0.9\n"))
    assert found.songs["energy"].tolist() == [0.1]
    assert "2 columns are called 'energy'; the first is used" in found.notes


def test_the_median_of_two_durations_is_in_whole_milliseconds():
    rows = [{"id": "x", "popularity": 1, "duration_ms": 200_000 + n} for n in (0, 1)]
    assert cleaned(rows).songs["duration_ms"].tolist() == [200_000]
