"""The ready table: one order, one function for training and app, nothing filled in."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartbuster.cleaning import CLEANED_COLUMNS, TEXT_COLUMNS
from chartbuster.errors import InvalidSong, WrongSchema
from chartbuster.features import (
    FEATURES,
    LOGARITHMS,
    MODEL_FEATURES,
    add_features,
    features_of,
    genre_columns,
    read_ready,
)
from chartbuster.layout import SCHEMA_VERSION
from chartbuster.songs import ATTRIBUTE, AUDIO_NAMES, KEYS, MODES, TIME_SIGNATURES, TITLE_FLAGS
from chartbuster.tables import to_csv


def table(*songs: dict[str, object]) -> pd.DataFrame:
    """A cleaned table; what a song does not say is missing, but for genres: it has none."""
    rows = [
        {"popularity": 50.0, "genres": "", "song_id": f"s{n}", **s} for n, s in enumerate(songs)
    ]
    frame = pd.DataFrame(rows, columns=list(CLEANED_COLUMNS))
    numbers = [name for name in CLEANED_COLUMNS if name not in TEXT_COLUMNS]
    return frame.astype(dict.fromkeys(TEXT_COLUMNS, "str") | dict.fromkeys(numbers, "float64"))


FULL: dict[str, object] = {
    "artist": "A",
    "title": "T (Remix)",
    "release_year": 1999,
    "genres": "Pop; Rock",
    "key": "C#",
    "mode": "Major",
    "time_signature": "4/4",
    **{name: ATTRIBUTE[name].high for name in AUDIO_NAMES},
}


def test_the_order_of_the_columns_is_written_once():
    ready = add_features(table(FULL, {"genres": "Jazz"}))
    assert tuple(ready.columns) == (*FEATURES, "genre=Jazz", "genre=Pop", "genre=Rock")
    assert genre_columns(ready) == ["genre=Jazz", "genre=Pop", "genre=Rock"]
    assert FEATURES[:4] == ("song_id", "artist", "title", "row_genres")
    assert FEATURES[4:6] == ("release_year", "popularity")
    assert FEATURES[-1] == "schema_version"


def test_a_model_sees_neither_the_target_nor_who_sings():
    assert not {"song_id", "artist", "title", "row_genres"} & set(MODEL_FEATURES)
    assert not {"popularity", "schema_version"} & set(MODEL_FEATURES)
    assert set(MODEL_FEATURES) < set(FEATURES)


def test_logarithms_are_shifted_by_two_hundred():
    ready = add_features(table(FULL))
    for name in LOGARITHMS:
        assert ready[f"log_{name}"][0] == pytest.approx(
            np.log(ATTRIBUTE[name].high + 200), abs=1e-6
        )


def test_key_mode_and_time_signature_are_one_hot():
    ready = add_features(table(FULL))
    assert [
        name for name in map(str, ready) if name.startswith("key=") and ready[name][0] == 1
    ] == ["key=C#"]
    assert ready[[f"key={key}" for key in KEYS]].sum(axis=1)[0] == 1
    assert ready["mode=Major"][0] == 1
    assert ready["time_signature=4/4"][0] == 1


def test_what_is_missing_stays_missing_in_all_its_columns():
    ready = add_features(table({}))
    assert ready[[name for name in FEATURES if "=" in name]].isna().all(axis=None)
    assert ready[[f"log_{name}" for name in LOGARITHMS]].isna().all(axis=None)
    assert ready["release_year"].isna().all()


FLAGS: list[tuple[str, set[str]]] = [
    ("Memories - Dillon Francis Remix", {"remix"}),
    ("Halo (Original Mix)", {"mix"}),
    ("Hey Jude - Live at Wembley", {"live"}),
    ("Hey Jude (Live)", {"live"}),
    ("Live Forever", set()),
    ("Olive - Deliverance", set()),
    ("Peace Sign (feat. Dave East)", {"feat"}),
    ("Peace Sign ft. Dave", {"feat"}),
    ("I Don't Care (with Justin Bieber)", {"feat"}),
    ("Left Defeat", set()),
    ("Layla - Unplugged", {"acoustic"}),
    ("Help! - 2009 Remastered", {"remaster"}),
    ("Song - INSTRUMENTAL", {"instrumental"}),
    ("Over and Over", set()),
    ("Song (Radio Edit)", {"edit"}),
    ('Song (From "Frozen")', {"soundtrack"}),
    ("Intro", {"interlude"}),
    ("Hello - Album Version", {"version"}),
    ("Edited Credit", {"edit"}),
    ("Remixed / Live Version", {"remix", "version"}),
]


@pytest.mark.parametrize(("title", "flags"), FLAGS)
def test_title_flags_go_by_whole_words(title, flags):
    ready = add_features(table({"title": title}))
    assert {flag for flag in TITLE_FLAGS if ready[f"title_{flag}"][0]} == flags


def test_every_pattern_begins_at_one_of_its_stems():
    """The stems only save time: whatever the pattern finds holds one of them."""
    for title in (
        "a remix",
        "- live",
        "(with x",
        "ft x",
        "ver",
        "edited",
        "motion picture",
        "skit",
    ):
        ready = add_features(table({"title": title}))
        assert sum(ready[f"title_{flag}"][0] for flag in TITLE_FLAGS) == 1, title


def test_given_genres_make_the_columns_of_a_run():
    ready = add_features(table({"genres": "Pop"}, {}), genres=["Rock", "Pop"])
    assert genre_columns(ready) == ["genre=Pop", "genre=Rock"]
    assert ready["genre=Pop"].tolist() == [1, 0]


def test_an_unknown_genre_names_the_known_ones():
    with pytest.raises(InvalidSong, match="unknown genre 'Gabber'; expected one of Pop, Rock"):
        add_features(table({"genres": "Gabber"}), genres=["Rock", "Pop"])


def test_an_unknown_key_names_the_known_ones():
    with pytest.raises(InvalidSong, match="unknown key 'H'; expected one of C, C#"):
        add_features(table({"key": "H"}))


def test_a_song_alone_has_the_features_it_has_among_others():
    songs: list[dict[str, object]] = [FULL, {**FULL, "key": "A", "genres": "Jazz"}, {"title": "x"}]
    together = add_features(table(*songs))
    for place, song in enumerate(songs):
        alone = add_features(table(song), genres=["Jazz", "Pop", "Rock"]).drop(columns="song_id")
        expected = together.iloc[[place]].reset_index(drop=True).drop(columns="song_id")
        pd.testing.assert_frame_equal(alone, expected)


def test_other_columns_than_the_cleaned_ones_raise():
    for wrong in (table({}).drop(columns="tempo"), table({}).assign(more=1)):
        with pytest.raises(WrongSchema, match="expected"):
            add_features(wrong)


def test_a_ready_table_is_read_back_exactly():
    title = 'NA, "quoted"\nand broken'
    ready = add_features(table(FULL, {"title": title, "artist": "null"}, {"tempo": 100 / 3}))
    again = read_ready(to_csv(ready))
    pd.testing.assert_frame_equal(again, ready, check_exact=True)
    assert to_csv(again) == to_csv(ready)


def test_every_number_survives_the_way_through_the_file():
    random = np.random.default_rng(3)
    songs: list[dict[str, object]] = [
        {"valence": x, "instrumentalness": x * 1e-6} for x in random.random(3_000)
    ]
    ready = add_features(table(*songs))
    pd.testing.assert_frame_equal(read_ready(to_csv(ready)), ready, check_exact=True)


def ready_bytes() -> bytes:
    return to_csv(add_features(table(FULL)))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b",tempo,", b",speed,", r"lacks the columns \['tempo'\]"),
        (b"artist,title", b"title,artist", "begins with the columns"),
        (b"genre=Pop", b"mood=sad", "ends with the columns"),
        (b"genre=Pop,genre=Rock", b"genre=Rock,genre=Pop", "sorted"),
        (b"2,1,1\n", b"7,1,1\n", "schema version 7; expected 2"),
        (b"T (Remix),,1999", b"T (Remix),,often", "cannot be read"),
        (b"\n", b"", "lacks|begins|ends"),
    ],
)
def test_a_ready_table_of_another_shape_raises(old, new, message):
    body = ready_bytes()
    assert old in body
    with pytest.raises(WrongSchema, match=message):
        read_ready(body.replace(old, new))


def test_an_empty_object_is_no_ready_table():
    with pytest.raises(WrongSchema):
        read_ready(b"")


def test_the_schema_version_stands_in_every_row():
    assert add_features(table({}, {}))["schema_version"].tolist() == [SCHEMA_VERSION] * 2


@settings(max_examples=50, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            name: st.none() | st.floats(ATTRIBUTE[name].low, ATTRIBUTE[name].high)
            for name in AUDIO_NAMES
        }
        | {
            "release_year": st.none() | st.integers(1860, 2100).map(float),
            "key": st.none() | st.sampled_from(KEYS),
            "mode": st.none() | st.sampled_from(MODES),
            "time_signature": st.none() | st.sampled_from(TIME_SIGNATURES),
            "title": st.none() | st.sampled_from([title for title, _ in FLAGS]),
        }
    )
)
def test_the_features_of_one_song_are_those_of_its_row_in_a_table(song):
    found = features_of(song)

    row = add_features(table(song))[list(MODEL_FEATURES)].iloc[0].astype(float)
    assert set(found) == set(MODEL_FEATURES)
    np.testing.assert_array_equal([found[name] for name in MODEL_FEATURES], row.to_numpy())
