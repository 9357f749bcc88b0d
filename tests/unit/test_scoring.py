"""A song somebody describes becomes a row the models take, or a message saying what is wrong."""

import math
from typing import Any

import pytest

from chartbuster.errors import InvalidSong
from chartbuster.features import MODEL_FEATURES, genre_columns
from chartbuster.runs import AttributeRange, Inputs
from chartbuster.scoring import assumed, completed, faults, song_table
from chartbuster.songs import AUDIO

INPUTS = Inputs(
    audio={a.name: AttributeRange(a.low, a.high, (a.low + a.high) / 2) for a in AUDIO},
    release_year=AttributeRange(1960.0, 2019.0, 2005.0),
    key="C",
    mode="Major",
    time_signature="4/4",
    genres=("Hip-Hop", "Pop", "anime"),
    genre_defaults={"Pop": {"energy": 0.7, "key": "G", "release_year": 2015.0}},
)


def test_what_is_not_said_gets_the_default_of_the_genre_else_the_overall_one() -> None:
    song = completed({"genre": "Pop", "danceability": 0.7}, INPUTS)

    assert song["danceability"] == 0.7
    assert (song["energy"], song["key"], song["release_year"]) == (0.7, "G", 2015.0)
    assert (song["valence"], song["mode"], song["title"]) == (0.5, "Major", None)


def test_without_a_genre_the_overall_defaults_hold_and_no_genre_is_set() -> None:
    table = song_table([{}], INPUTS)

    assert table.loc[0, "energy"] == 0.5
    assert table.loc[0, genre_columns(table)].sum() == 0


@pytest.mark.parametrize(
    "genre",
    ["Pop; Hip-Hop", "Pop;; Hip-Hop;", ["Pop", "Hip-Hop"], ("hip hop", "pop"), "HIPHOP;pop"],
)
def test_several_genres_may_come_as_a_list_or_as_text_in_any_spelling(genre: Any) -> None:
    table = song_table([{"genre": genre}], INPUTS)

    assert list(table.loc[0, genre_columns(table)]) == [1, 1, 0]


def test_a_genre_the_data_spells_without_capitals_is_found() -> None:
    assert completed({"genre": "Anime"}, INPUTS)["genre"] == ["anime"]


def test_the_table_has_every_feature_and_one_row_per_song_in_order() -> None:
    table = song_table([{"energy": 0.1}, {"energy": 1, "title": "Song (Live)"}], INPUTS)

    assert set(MODEL_FEATURES) <= set(table.columns)
    assert list(table["energy"]) == [0.1, 1.0]
    assert list(table["title_live"]) == [0, 1]
    assert table["popularity"].isna().all()


def test_attributes_the_data_never_had_stay_missing() -> None:
    bare = Inputs({}, None, None, None, None, (), {})

    table = song_table([{}], bare)

    assert math.isnan(float(table["energy"].iloc[0]))
    assert table["key=C"].isna().all()


@pytest.mark.parametrize(
    ("song", "says"),
    [
        ({"dancability": 0.5}, "unknown attribute 'dancability'; expected one of genre, acoust"),
        ({"energy": 1.01}, "energy is 1.01, which is out of range; expected 0 to 1"),
        ({"loudness": -61}, "expected -60 to 5 dB"),
        ({"energy": math.nan}, "energy is nan, which is out of range"),
        ({"energy": math.inf}, "energy is inf, which is out of range"),
        ({"energy": "high"}, "energy is 'high'; expected a number from 0 to 1"),
        ({"energy": True}, "energy is True; expected a number"),
        ({"energy": [0.5]}, "expected a number"),
        ({"key": "H"}, "key is 'H'; expected one of C, C#"),
        ({"key": 3}, "key is 3; expected one of C"),
        ({"key": ["C"]}, "expected one of C"),
        ({"mode": "major"}, "mode is 'major'; expected one of Minor, Major"),
        ({"time_signature": "8/8"}, "time_signature is '8/8'"),
        ({"genre": "Gabber"}, "unknown genre 'Gabber'; expected one of Hip-Hop, Pop, anime"),
        ({"genre": 7}, "genre is 7; expected a genre"),
        ({"genre": ["Pop", 7]}, "expected a genre"),
        ({"genre": ["Pop", " "]}, "unknown genre ''; expected one of Hip-Hop"),
        ({"genre": ""}, "unknown genre ''; expected one of Hip-Hop"),
        ({"release_year": 1300}, "release_year is 1300"),
        ({"title": 7}, "title is 7; expected text"),
        ({"artist": "x" * 3000}, "at most 2000"),
        ({"popularity": 50}, "unknown attribute 'popularity'"),
    ],
)
def test_what_cannot_be_right_is_named_with_what_would_be(song: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSong) as error:
        song_table([song], INPUTS)

    assert says in str(error.value)


def test_a_genre_where_the_data_has_none_says_so() -> None:
    with pytest.raises(InvalidSong, match="the data has no genres"):
        completed({"genre": "Pop"}, Inputs({}, None, None, None, None, (), {}))


def test_every_fault_of_a_song_is_told_with_its_attribute_its_value_and_what_would_be_right() -> (
    None
):
    song = {"energy": 3, "tempo": 120, "key": "H", "genre": ["Pop", "Gabber"], "mood": "blue"}

    found = {error.attribute: (error.value, error.expected) for error in faults(song, INPUTS)}

    assert found["energy"] == (3, "a number from 0 to 1")
    assert found["genre"] == ("Gabber", "one of Hip-Hop, Pop, anime")
    assert found.keys() == {"energy", "key", "genre", "mood"}
    assert faults({"energy": 0.3, "title": None}, INPUTS) == ()


def test_a_long_value_does_not_make_a_long_message() -> None:
    (fault,) = faults({"artist": "x" * 100_000}, INPUTS)

    assert len(str(fault)) < 200


def test_what_is_assumed_is_what_was_not_said_and_is_known() -> None:
    said = {"genre": "Pop", "valence": 0.1, "tempo": None}

    found = assumed(said, INPUTS)

    assert (found["energy"], found["tempo"], found["key"]) == (0.7, 160.0, "G")
    assert not {"genre", "valence", "title", "artist"} & found.keys()
