"""A link says a song, or several, and reading one never fails."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster.scoring import LETTERS, TEXTS
from chartbuster.songs import ATTRIBUTE, RELEASE_YEAR
from tests.unit.made_up_run import made_up_run
from webapp import links
from webapp.links import Asked, Comparison

RUN = made_up_run()

_TEXT = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable())


def _numbers(low: float, high: float) -> st.SearchStrategy[float]:
    whole = st.integers(round(low * 10_000), round(high * 10_000))
    return whole.map(lambda n: n / 10_000)


SONGS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "genre": st.lists(_TEXT, max_size=4, unique=True),
        **{
            name: _numbers(attribute.low, attribute.high)
            for name, attribute in (ATTRIBUTE | {"release_year": RELEASE_YEAR}).items()
        },
        **{name: st.sampled_from(choices) for name, choices in LETTERS.items()},
        **dict.fromkeys(TEXTS, _TEXT),
    },
)
VARIANTS = st.builds(
    Asked, model=st.none() | _TEXT, song=SONGS, known=st.none() | _TEXT, name=st.none() | _TEXT
)


def read(query: str) -> links.Read[Asked]:
    return links.decoded(query)


@given(VARIANTS, st.none() | _TEXT, st.none() | _TEXT)
def test_what_a_link_says_is_what_was_asked(
    variant: Asked, dataset: str | None, run: str | None
) -> None:
    asked = dataclasses.replace(variant, dataset=dataset, run=run)

    query = links.address("", links.parameters(asked)).removeprefix("?")

    assert read(query) == links.Read(asked)


@given(st.lists(VARIANTS, max_size=links.MOST_VARIANTS), st.none() | _TEXT)
def test_a_link_to_a_comparison_says_every_variant(
    variants: list[Asked], dataset: str | None
) -> None:
    compared = Comparison(dataset, "run1", tuple(variants))

    assert links.read_comparison(links.comparison(compared)).value == compared


@given(st.dictionaries(st.text(), st.lists(st.text())))
def test_reading_never_fails(given: dict[str, list[str]]) -> None:
    links.fitting(links.read(given).value, RUN)
    links.read_comparison(given)


@given(st.text(max_size=300))
def test_reading_a_variant_never_fails(text: str) -> None:
    links.read_comparison({"v": [text]})


def test_a_link_can_be_read_by_a_person() -> None:
    asked = Asked(
        dataset="demo",
        model="boosting",
        song={"genre": ["Pop", "R&B"], "energy": 0.1 + 0.2, "key": "C#", "duration_ms": 215_000},
    )

    assert links.address("/", links.parameters(asked)) == (
        "/?dataset=demo&model=boosting&genre=Pop&genre=R%26B&duration_ms=215000&energy=0.3&key=C%23"
    )


def test_the_order_things_were_set_in_does_not_show() -> None:
    one = Asked(song={"key": "C", "energy": 0.5})
    other = Asked(song={"energy": 0.5, "key": "C"})

    assert list(links.parameters(one)) == list(links.parameters(other))


def test_no_genre_is_something_to_say() -> None:
    assert links.parameters(Asked(song={"genre": []})) == {"genre": [""]}
    assert read("genre=").value.song == {"genre": []}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("mood=7", "The link says “mood”, which means nothing here."),
        ("energy=7", "The link's energy is “7”, out of range; expected a number from 0 to 1."),
        ("energy=nan", "The link's energy is “nan”, out of range; expected a number from 0 to 1."),
        ("energy=", "The link's energy is “”; expected a number from 0 to 1."),
        ("tempo=fast", "expected a number from 20 to 300 beats per minute."),
        ("key=H", "The link's key is “H”; expected one of C, C#, D"),
        ("title=" + "x" * 201, "The link's title has 201 characters; expected at most 200."),
        ("dataset=" + "x" * 201, "The link's dataset has 201 characters"),
        ("&".join(f"genre=g{n}" for n in range(31)), "The link has 31 genres; the first 30 count."),
        ("&".join(f"a{n}=1" for n in range(61)), "more than 60 things; it is not read."),
    ],
)
def test_what_makes_no_sense_is_left_out_and_said(query: str, sentence: str) -> None:
    found = read(query)

    assert any(sentence in said for said in found.left_out), found.left_out
    assert found.value.song.keys() <= {"genre"}
    assert found.value.dataset is None


def test_of_two_values_the_first_counts() -> None:
    found = read("energy=0.2&energy=0.9")

    assert found.value.song == {"energy": 0.2}
    assert found.left_out == ("The link says energy more than once; the first counts.",)


def test_what_is_wrong_does_not_take_the_rest_with_it() -> None:
    found = read("energy=lots&valence=0.4&genre=Pop")

    assert found.value.song == {"genre": ["Pop"], "valence": 0.4}


def test_a_long_value_is_quoted_short() -> None:
    (said,) = read("key=" + "x" * 150).left_out

    assert len(said) < 140


def test_what_the_run_does_not_know_is_left_out_and_said() -> None:
    asked = Asked(
        model="oracle", song={"genre": ["Pop", "Polka"], "valence": 0.4, "tempo": 120.0, "key": "D"}
    )

    found = links.fitting(asked, RUN)

    assert found.value == Asked(song={"genre": ["Pop"], "valence": 0.4, "key": "D"})
    assert found.left_out == (
        "The data has no genre “Polka”.",
        "The data has no tempo, so the link's is not used.",
        "The run has no model “oracle”; it has baseline, linear, forest, network, boosting.",
    )


def test_a_genre_nobody_knows_is_not_the_same_as_no_genre() -> None:
    assert links.fitting(Asked(song={"genre": ["Polka"]}), RUN).value.song == {}
    assert links.fitting(Asked(song={"genre": []}), RUN).value.song == {"genre": []}


def test_data_without_a_year_or_genres_takes_none_from_a_link() -> None:
    inputs = dataclasses.replace(RUN.inputs, release_year=None, genres=(), key=None)
    song = {"genre": ["Pop"], "release_year": 2000.0, "key": "C", "title": "Home"}

    found = links.fitting(Asked(song=song), dataclasses.replace(RUN, inputs=inputs))

    assert found.value.song == {"title": "Home"}


def test_a_link_has_six_variants_at_most() -> None:
    seven = tuple(Asked(song={"energy": n / 10}) for n in range(7))
    assert len(links.comparison(Comparison(variants=seven))["v"]) == 6

    found = links.read_comparison({"v": [f"energy=0.{n}" for n in range(7)]})

    assert [variant.song["energy"] for variant in found.value.variants] == [
        0.0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
    ]
    assert found.left_out == ("The link has 7 variants; the first 6 are shown.",)


def test_a_variant_that_is_too_long_is_left_out() -> None:
    found = links.read_comparison({"v": ["title=" + "x" * 10_000, "energy=0.5"]})

    assert found.value.variants == (Asked(song={"energy": 0.5}),)
    assert "Variant 1 of the link has 10,006 characters" in found.left_out[0]


def test_the_variants_belong_to_one_run() -> None:
    found = links.read_comparison(
        {"dataset": ["demo"], "run": ["r1"], "v": ["dataset=other&run=r2&model=linear"]}
    )

    assert found.value == Comparison("demo", "r1", (Asked(model="linear"),))


def test_the_link_of_one_song_is_the_beginning_of_a_comparison() -> None:
    song = Asked(dataset="demo", run="r1", model="linear", song={"energy": 0.5})

    found = links.read_comparison(links.parameters(song))

    assert found.value == Comparison("demo", "r1", (Asked(model="linear", song={"energy": 0.5}),))


def test_the_longest_texts_in_any_script_fit_into_a_variant() -> None:
    song = dict.fromkeys(TEXTS, "🎵" * links.LONGEST_TEXT)
    compared = Comparison(variants=(Asked(song=song, name="歌" * links.LONGEST_TEXT),))

    assert links.read_comparison(links.comparison(compared)) == links.Read(compared)


def test_a_genre_may_be_spelt_as_people_do() -> None:
    asked = Asked(song={"genre": ["pop", "rnb", "POP"]})

    assert links.fitting(asked, RUN).value.song == {"genre": ["Pop", "R&B"]}
