"""What single cells mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster import values
from chartbuster.songs import KEYS


@pytest.mark.parametrize(
    "text", ["", "NA", "n/a", "null", "None", "nan", "-", "?", "empty_field", "#N/A", "unknown"]
)
def test_stand_ins_are_no_values(text):
    assert values.is_stand_in(text)


@pytest.mark.parametrize("text", ["0", "-1", "None of them", "naan"])
def test_values_are_no_stand_ins(text):
    assert not values.is_stand_in(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", 0.5),
        ("8.19E-06", 8.19e-06),
        ("-5", -5.0),
        ("−5,25", -5.25),
        ("0,735", 0.735),
        ("73%", 73.0),
        ("73 %", 73.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        (".5", 0.5),
        ("five", None),
        ("1_000", None),
        ("inf", None),
        ("0x10", None),
        ("1;2", None),
    ],
)
def test_numbers_with_points_commas_and_percent(text, number):
    assert values.number(text) == number


def test_a_comma_separates_thousands_only_where_whole_numbers_are_expected():
    assert values.number("230,666", whole=True) == 230_666
    assert values.number("1,230,666", whole=True) == 1_230_666
    assert values.number("230,666") == 230.666
    assert values.number("63,5", whole=True) == 63.5


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_python_prints_is_read_back(number):
    assert values.number(repr(number)) == number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3:51", 231), ("0:03:51", 231), ("1:02:03", 3723), ("3:51.5", 231.5), ("3:71", None)],
)
def test_clock_times(text, seconds):
    assert values.clock(text) == seconds


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("0", "C"),
        ("11", "B"),
        ("1.0", "C#"),
        ("C#", "C#"),
        ("Db", "C#"),
        ("d♭", "C#"),
        ("F♯", "F#"),
        ("B", "B"),
        ("bb", "A#"),
        ("C#/Db", "C#"),
        ("C♯/D♭", "C#"),
        ("A Minor", "A"),
        ("F# major", "F#"),
        ("Am", "A"),
        ("Cb", "B"),
        ("E sharp", "F"),
    ],
)
def test_keys_by_number_and_letter(text, key):
    number = values.key(text)
    assert number is not None
    assert KEYS[number] == key


@pytest.mark.parametrize("text", ["12", "1.5", "H", "Major", "-2"])
def test_what_is_no_key(text):
    assert values.key(text) is None


def test_modes_by_number_and_word():
    assert [values.mode(text) for text in ("0", "Minor", "min", "moll", "0.0")] == [0] * 5
    assert [values.mode(text) for text in ("1", "MAJOR", "maj", "dur", "1.0")] == [1] * 5
    assert [values.mode(text) for text in ("2", "Dorian")] == [None, None]


@pytest.mark.parametrize(
    ("text", "beats"),
    [
        ("4", 4),
        ("4.0", 4),
        ("4/4", 4),
        ("3/4", 3),
        ("4-Apr", 4),
        ("04-Apr", 4),
        ("4-Mar", 3),
        ("4-May", 5),
        ("4-Jan", 1),
        ("Apr-04", 4),
        ("Mar-04", 3),
        ("04. Mar", 3),
        ("2019-04-04 00:00:00", 4),
        ("2019-03-04", 3),
        ("3/4/2019", 3),
        ("4/3/2019", 3),
        ("0/4", None),
        ("0", None),
        ("8", None),
        ("6/8", None),
        ("3-Apr", None),
        ("4-Foo", None),
        ("common", None),
    ],
)
def test_time_signatures_and_what_excel_makes_of_them(text, beats):
    assert values.time_signature(text) == beats


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("1998", 1998),
        ("2019.0", 2019),
        ("2019-06-14", 2019),
        ("2012-05", 2012),
        ("6/14/2019", 2019),
        ("14 June 2019", 2019),
        ("0", None),
        ("19", None),
        ("2001-2009", None),
        ("12019", None),
    ],
)
def test_years_of_dates(text, year):
    assert values.year(text) == year


def test_a_track_id_is_found_in_an_address():
    plain = "0BRjO6ga9RKCKjfDqeFgWV"
    assert values.track_id(plain) == plain
    assert values.track_id(f"spotify:track:{plain}") == plain
    assert values.track_id(f"https://open.spotify.com/track/{plain}?si=1") == plain


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Earth, Wind & Fire", ("Earth, Wind & Fire",)),
        ("A;B", ("A", "B")),
        ("['A', 'B']", ("A", "B")),
        ('["Guns N\' Roses", "B, C"]', ("Guns N' Roses", "B, C")),
        ("['It\\'s']", ("It's",)),
        ("[A, B]", ("A", "B")),
        ("[]", ()),
        ("", ()),
        ("A;A", ("A",)),
    ],
)
def test_names_in_one_cell(text, names):
    assert values.names(text) == names


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("pop, rock", ("pop", "rock")),
        ("pop;rock|jazz", ("pop", "rock", "jazz")),
        ("['pop', 'dance pop']", ("pop", "dance pop")),
        ("Folk/Acoustic", ("Folk/Acoustic",)),
        ("set()", ()),
        ("NA", ()),
        ("[]", ()),
    ],
)
def test_genres_in_one_cell(text, genres):
    assert values.genres(text) == genres


@pytest.mark.parametrize("text", sorted(values.STAND_INS))
def test_no_stand_in_means_anything(text):
    for meaning in (values.number, values.key, values.mode, values.time_signature, values.year):
        assert meaning(text) is None
    assert values.genres(text) == ()


@given(st.text(max_size=60))
def test_any_text_means_something_or_nothing_but_never_fails(text):
    for meaning in (values.number, values.clock, values.key, values.mode):
        found = meaning(text.strip())
        assert found is None or isinstance(found, float | int)
    values.time_signature(text)
    values.year(text)
    assert all((*values.names(text), *values.genres(text)))
    assert all(";" not in name for name in values.genres(text))
