"""What the page Predict draws of a result: values in, HTML out, nothing of Streamlit."""

import re

import pytest

from chartbuster.explanations import Contribution, Curve, Explanation
from chartbuster.study import Sureness
from webapp.predict import curves, hero, naming, reasons, standing

SURE = Sureness(
    interval=0.9, low=20.0, high=70.0, hit_from=71.0, hit=0.034, percentile=41.4, known=False
)
QUANTILES = tuple(float(n) for n in range(101))


def contribution(attribute: str, value: float | str | None, points: float) -> Contribution:
    return Contribution(attribute, value, None, assumed=False, points=points)


EXPLANATION = Explanation(
    base=33.34,
    prediction=42.92,
    contributions=(
        contribution("genre", "Pop", 9.14),
        contribution("energy", 0.73, -0.46),
        contribution("tempo", 120.0, 0.84),
        contribution("valence", 0.5, 0.04),
        contribution("key", "C", 0.02),
    ),
)


def number(popularity: float = 45.2, **given: object) -> str:
    said = {"between": (20.0, 70.0), "often": "nine of ten cases", "mean": None, "really": None}
    return hero.html(popularity, source="Linear · demo", **{**said, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("energy", 0.734, "73%"),
        ("duration_ms", 215_000.0, "3:35"),
        ("loudness", -7.12, "−7.1\N{NO-BREAK SPACE}dB"),
        ("tempo", 119.6, "120\N{NO-BREAK SPACE}BPM"),
        ("release_year", 2012.0, "2012"),
        ("key", "F#", "F#"),
        ("genre", None, "none"),
    ],
)
def test_a_value_is_said_as_its_control_shows_it(
    attribute: str, value: float | str | None, said: str
) -> None:
    assert naming.shown(attribute, value) == said


def test_points_always_have_a_sign() -> None:
    assert [naming.signed(points) for points in (3.24, -1.0, -0.04)] == ["+3.2", "−1.0", "±0.0"]


def test_names_from_the_data_cannot_become_html() -> None:
    evil = "<script>alert(1)</script>"
    made = [
        number(mean=hero.Beside(40.0, evil), really=hero.Beside(40.0, evil)),
        standing.html(42.0, SURE, evil, QUANTILES),
        reasons.html(Explanation(40.0, 42.0, (contribution("genre", evil, 2.0),))),
        curves.html((Curve("genre", (evil, "Pop"), (1.0, 2.0)),), {"genre": evil}, 1.0),
    ]

    for html in made:
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_the_bar_stays_between_0_and_100() -> None:
    made = number(99.5, between=(95.0, 100.0), mean=hero.Beside(120.0, "mean"))

    assert "left:95.0%;width:5.0%" in made
    assert "left:100.0%" in made


def test_the_number_says_its_interval_and_how_often_songs_are_in_it() -> None:
    assert "between <b>20 and 70</b> in nine of ten cases" in number()
    assert hero.often(0.9) == "nine of ten cases"
    assert hero.often(0.85) == "85 of 100 cases"


def test_a_number_without_an_interval_says_how_far_off_it_is() -> None:
    made = number(between=None, often="off by 6.94 points")

    assert "off by 6.94 points" in made
    assert "cb-band" not in made


def test_a_known_song_has_its_real_popularity_beside_the_prediction() -> None:
    made = number(really=hero.Beside(63.0, "Something"))

    assert "<b>really 63</b>" in made
    assert "Something" in made
    assert "predicted 17.8 less" in made
    assert "predicted 5.2 more" in number(really=hero.Beside(40.0, "Something"))


def test_the_steps_as_shown_add_up_to_the_prediction_as_shown() -> None:
    steps = reasons.steps(EXPLANATION)

    assert [step.name for step in steps] == ["Genre", "Energy", "Tempo", "Everything else"]
    assert round(33.3 + sum(step.points for step in steps), 1) == 42.9
    # Each begins where the one before it ended.
    assert [step.at for step in steps] == [33.3, 42.4, 41.9, 42.7]


@pytest.mark.parametrize("most", [0, 1, 3, 8])
def test_however_many_are_told_the_rest_is_told_together(most: int) -> None:
    steps = reasons.steps(EXPLANATION, most)

    assert round(33.3 + sum(step.points for step in steps), 1) == 42.9


def test_up_and_down_are_told_by_sign_arrow_and_word_too() -> None:
    made = reasons.html(EXPLANATION)
    up, down = (
        row for row in re.findall(r"<li.*?</li>", made) if "Genre" in row or "Energy" in row
    )

    assert "+9.1" in up
    assert "▲" in up
    assert '<span class="cb-unseen">up</span>' in up
    assert "−0.5" in down
    assert "▼" in down
    assert '<span class="cb-unseen">down</span>' in down


def test_a_song_that_is_the_typical_one_has_no_steps() -> None:
    same = Explanation(40.0, 40.0, (contribution("genre", None, 0.0),))

    assert reasons.steps(same) == ()
    assert "40.0" in reasons.html(same)


@pytest.mark.parametrize(
    ("percentile", "said"),
    [(0.2, "Among the least popular"), (41.4, "than 41 in 100"), (99.9, "nearly all")],
)
def test_a_percentile_is_said_in_words(percentile: float, said: str) -> None:
    assert said in standing.rank(percentile)


def test_a_chance_is_never_said_to_be_none_or_certain() -> None:
    assert [standing.chance(p) for p in (0.0, 0.034, 1.0)] == ["Under 1%", "3%", "Over 99%"]


def test_the_plot_of_a_genre_holds_all_of_its_songs() -> None:
    assert sum(standing.shares(QUANTILES)) == pytest.approx(1.0)
    assert standing.shares(QUANTILES)[10] == pytest.approx(0.04)
    # A third of these were never played, and all the others are equally popular.
    silent = standing.shares((0.0,) * 34 + (50.0,) * 67)
    assert silent[0] == pytest.approx(0.33, abs=0.01)
    assert sum(silent) == pytest.approx(1.0)


def test_where_a_song_stands_is_told_without_a_plot_too() -> None:
    made = standing.html(42.0, SURE, "Pop")

    assert "More popular than 41 in 100 songs of</b> Pop." in made
    assert "3% chance of a hit</b>, 71 or more." in made
    assert "role" not in made


def test_a_curve_is_told_in_a_sentence() -> None:
    curve = Curve("energy", (0.0, 0.5, 1.0), (30.0, 40.0, 35.0))

    assert curves.says(curve, 0.5, 40.0) == (
        "Energy: lowest 30.0 at 0%, highest 40.0 at 50%. Now 50%: 40.0."
    )
    assert curves.says(Curve("key", ("C", "D"), (30.0, 30.0)), None, 30.0) == (
        "Key: 30.0 whatever it is."
    )


def test_the_song_is_marked_on_its_curve_and_all_curves_have_one_scale() -> None:
    made = curves.html(
        (
            Curve("energy", (0.0, 0.5, 1.0), (30.0, 40.0, 50.0)),
            Curve("tempo", (60.0, 180.0), (40.0, 40.0)),
        ),
        {"energy": 0.25, "tempo": 120.0},
        40.0,
    )

    assert made.count("<li>") == 2
    assert "left:25%;top:50%" in made
    assert "left:50%;top:50%" in made


def test_choices_are_columns_genres_sorted_and_the_own_one_marked() -> None:
    made = curves.html(
        (Curve("genre", ("Jazz", "Pop", "Rock"), (20.0, 60.0, 40.0)),), {"genre": "Rock"}, 40.0
    )
    columns = re.findall(r'<i class="(cb-column[^"]*)" style="height:([\d.]+)%"', made)

    assert [kind for kind, _ in columns] == ["cb-column", "cb-column cb-mine", "cb-column"]
    heights = [float(height) for _, height in columns]
    assert heights == sorted(heights, reverse=True)


def test_a_song_of_several_genres_is_marked_by_its_height() -> None:
    made = curves.html((Curve("genre", ("Jazz", "Pop"), (20.0, 60.0)),), {"genre": "Jazz; Pop"}, 40)

    assert "cb-mine" not in made
    assert "cb-level" in made


def test_a_curve_of_one_value_and_no_curves_at_all_are_no_failure() -> None:
    assert curves.html((), {}, 40.0) == ""
    assert "40 always" in curves.html((Curve("tempo", (120.0,), (40.0,)),), {"tempo": 120.0}, 40.0)
