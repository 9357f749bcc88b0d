"""Explanations in words, and the values that curves are drawn over."""

import pytest

from chartbuster.explanations import Contribution, Curve, Explanation, grids, in_words
from chartbuster.records import from_json, to_json
from chartbuster.runs import AttributeRange, Inputs

INPUTS = Inputs(
    audio={
        "energy": AttributeRange(0.02, 0.98, 0.5),
        "loudness": AttributeRange(-20.0, 0.0, -7.0),
        "duration_ms": AttributeRange(60_000.0, 600_000.0, 200_000.0),
    },
    release_year=AttributeRange(1999.0, 2003.0, 2001.0),
    key=None,
    mode="Major",
    time_signature=None,
    genres=("Folk", "Pop"),
    genre_defaults={},
)


def contribution(
    attribute: str,
    points: float,
    *,
    value: float | str | None = 0.5,
    typical: float | None = 0.4,
    assumed: bool = False,
) -> Contribution:
    return Contribution(attribute, value, typical, assumed, points)


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("loudness", -7.1, "loudness −7.1 dB"),
        ("energy", 0.65, "energy 0.65"),
        ("energy", 0.65049, "energy 0.65"),
        ("tempo", 120.0, "tempo 120 beats per minute"),
        ("duration_ms", 222_400.0, "duration 3:42"),
        ("duration_ms", 239_900.0, "duration 4:00"),
        ("release_year", 2015.0, "release year 2015"),
        ("time_signature", "4/4", "time signature 4/4"),
        ("genre", "Pop; Rock", "genre Pop; Rock"),
        ("genre", None, "no genre"),
        ("title", "live, remix", "title says live, remix"),
        ("title", None, "nothing in the title"),
        ("artist", None, "no artist"),
    ],
)
def test_a_value_is_named_as_people_name_it(
    attribute: str, value: float | str | None, words: str
) -> None:
    assert in_words(attribute, value) == words


def test_a_contribution_says_its_sign_and_whether_its_value_is_an_assumption() -> None:
    given = contribution("loudness", 3.24, value=-7.1)
    assumed = contribution("energy", -0.25, value=0.7, assumed=True)
    nothing = contribution("energy", -0.04)

    assert given.words == "loudness −7.1 dB: +3.2"
    assert assumed.words == "energy 0.7 (assumed): −0.2"
    assert nothing.words == "energy 0.5: ±0.0"


def test_the_words_go_from_the_typical_song_to_what_is_left_over() -> None:
    points = [8.0, -4.0, 2.0, -0.5]
    told = Explanation(30.0, 35.5, tuple(contribution("energy", p) for p in points))

    assert told.why(2) == (
        "a typical song: 30.0",
        "energy 0.5: +8.0",
        "energy 0.5: −4.0",
        "everything else: +1.5",
    )


def test_what_shows_as_nothing_is_not_told() -> None:
    told = Explanation(30.0, 38.01, (contribution("energy", 8.0), contribution("tempo", 0.01)))

    assert told.why() == ("a typical song: 30.0", "energy 0.5: +8.0")


def test_there_is_a_grid_for_every_attribute_the_songs_had_and_no_other() -> None:
    found = grids(INPUTS, points=5)

    assert list(found) == ["genre", "duration_ms", "energy", "loudness", "mode", "release_year"]
    assert found["genre"] == ("Folk", "Pop")
    assert found["mode"] == ("Minor", "Major")
    assert found["energy"] == (0.02, 0.26, 0.5, 0.74, 0.98)
    assert grids(INPUTS, points=100)["release_year"] == (1999, 2000, 2001, 2002, 2003)


def test_one_endless_song_does_not_take_the_curve_from_all_others() -> None:
    mixes = AttributeRange(60_000.0, 7_000_000.0, 200_000.0)
    endless = AttributeRange(1_200_000.0, 2_400_000.0, 1_500_000.0)

    for seen, high in ((mixes, 900_000.0), (endless, 1_200_000.0)):
        inputs = Inputs({"duration_ms": seen}, None, None, None, None, (), {})
        assert grids(inputs)["duration_ms"][-1] == high


def test_an_attribute_with_one_value_has_a_grid_of_one() -> None:
    same = Inputs({"energy": AttributeRange(0.1, 0.1, 0.1)}, None, None, None, None, (), {})

    assert grids(same) == {"energy": (0.1,)}


def test_explanations_and_curves_come_back_from_json_as_they_were() -> None:
    told = Explanation(30.0, 38.0, (contribution("genre", 8.0, value="Pop", typical=None),))
    curve = Curve("genre", ("Folk", "Pop"), (20.0, 40.0))

    assert from_json(Explanation, to_json(told), where="here") == told
    assert from_json(Curve, to_json(curve), where="here") == curve
