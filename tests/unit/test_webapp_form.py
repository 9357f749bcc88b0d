"""The controls of the page take their ranges and starting points from the run's own songs."""

import dataclasses

import pytest

from chartbuster.memory import InMemoryStore
from chartbuster.registry import AttributeRange, Inputs
from chartbuster.songs import AUDIO_NAMES
from tests.unit.webapp_store import published
from webapp.predict import form, naming

INPUTS = Inputs(
    audio={
        "energy": AttributeRange(0.123, 0.987, 0.5),
        "tempo": AttributeRange(61.2, 199.9, 120.0),
        "loudness": AttributeRange(-40.3, 1.2, -7.3),
        "duration_ms": AttributeRange(31_400, 6_000_000, 215_000),
        "liveness": AttributeRange(0.1, 0.1, 0.1),
    },
    release_year=AttributeRange(1957.0, 2020.0, 2012.0),
    key="C",
    mode=None,
    time_signature="4/4",
    genres=("Jazz", "Rock"),
    genre_defaults={"Jazz": {"energy": 0.301, "key": "F", "duration_ms": 301_000}},
)


def controls(inputs: Inputs = INPUTS) -> dict[str, form.Control]:
    return {control.name: control for group in form.groups(inputs) for control in group.controls}


def test_only_what_the_data_had_and_what_varied_in_it_is_asked() -> None:
    assert list(controls()) == [
        "energy",
        "tempo",
        "duration_ms",
        "loudness",
        "key",
        "time_signature",
        "release_year",
    ]


def test_every_attribute_of_a_full_dataset_has_its_control() -> None:
    run = published(InMemoryStore())

    assert set(AUDIO_NAMES) <= set(controls(run.inputs))
    assert form.asks_for_title(run)


@pytest.mark.parametrize("name", ["energy", "tempo", "loudness", "release_year"])
def test_a_slider_spans_what_was_seen_and_moves_in_whole_steps(name: str) -> None:
    slider = controls()[name]
    assert isinstance(slider, form.Slider)
    seen = INPUTS.audio.get(name, INPUTS.release_year)
    assert seen is not None

    assert slider.low <= seen.low < seen.high <= slider.high
    assert slider.low == slider.fitted(slider.low)
    assert slider.high == slider.fitted(slider.high)
    assert slider.fitted(1e9) == slider.high
    assert slider.fitted(-1e9) == slider.low


def test_the_length_slider_stops_at_a_quarter_of_an_hour_so_that_it_can_be_aimed() -> None:
    length = controls()["duration_ms"]

    assert isinstance(length, form.Length)
    assert length.options[0] == 30_000
    assert length.options[-1] == 900_000
    assert length.fitted(6_000_000) == 900_000


def test_data_of_long_recordings_only_still_gets_a_length_slider() -> None:
    long = dataclasses.replace(
        INPUTS, audio={"duration_ms": AttributeRange(1_200_000, 2_400_000, 1_500_000)}
    )

    length = controls(long)["duration_ms"]

    assert isinstance(length, form.Length)
    assert length.options


def test_a_control_starts_at_what_is_usual_for_the_genre_else_for_all() -> None:
    known = controls()

    assert form.start(INPUTS, "Jazz", known["energy"]) == 0.3
    assert form.start(INPUTS, "Rock", known["energy"]) == 0.5
    assert form.start(INPUTS, "Jazz", known["key"]) == "F"
    assert form.start(INPUTS, None, known["key"]) == "C"
    assert form.start(INPUTS, "Jazz", known["duration_ms"]) == 300_000
    assert form.start(INPUTS, "Rock", known["release_year"]) == 2012


def test_the_page_starts_with_pop_where_there_is_pop() -> None:
    assert form.first_genre(INPUTS) == "Jazz"
    assert form.first_genre(dataclasses.replace(INPUTS, genres=("Jazz", "Pop"))) == "Pop"
    assert form.first_genre(dataclasses.replace(INPUTS, genres=())) is None


@pytest.mark.parametrize(
    ("milliseconds", "said"), [(215_000, "3:35"), (65_000, "1:05"), (600_000, "10:00")]
)
def test_a_duration_is_said_in_minutes_and_seconds(milliseconds: int, said: str) -> None:
    assert naming.minutes(milliseconds) == said


def test_a_value_of_another_run_is_brought_into_range() -> None:
    known = controls()
    key = known["key"]

    assert isinstance(key, form.Choice)
    assert key.fitted("H") == "C"
    energy = known["energy"]
    assert isinstance(energy, form.Slider)
    assert energy.fitted(0.0) == energy.low
