"""Variants of a song side by side: what the page says, keeps, and puts into its link."""

import dataclasses
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button, Multiselect, Selectbox, Slider

import webapp
from chartbuster.explanations import ATTRIBUTES, Contribution, Explanation
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from chartbuster.study import Study, Sureness
from tests.unit.made_up_run import made_up_run
from tests.unit.test_webapp_serving import Moody
from tests.unit.webapp_store import NOW, edges_over, model_key, published
from webapp import edges, links
from webapp.compare import differences, lineup, tables
from webapp.compare.differences import Answered, Cell, Line
from webapp.compare.lineup import Lineup, Variant
from webapp.links import Asked, Comparison
from webapp.serving import Serving
from webapp.states import Showing, Shown

APP = Path(webapp.__file__).with_name("app.py")
RUN = made_up_run()

type Given = dict[str, list[str]]


def opened(store: InMemoryStore, given: Given | None = None) -> tuple[AppTest, Serving]:
    """The page Compare over `store`, as somebody finds it who follows a link."""
    over = edges_over(store)
    edges.provide(over)
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    app.switch_page("entries/compare.py")
    for name, values in (given or {}).items():
        app.query_params[name] = values
    app.run()
    assert not app.exception
    return app, over.serving


def a_store() -> InMemoryStore:
    store = InMemoryStore()
    published(store)
    return store


def link(*variants: Asked, dataset: str | None = "demo", run: str | None = "run1") -> Given:
    return links.comparison(Comparison(dataset, run, variants))


def address(app: AppTest) -> Given:
    """The parameters of the link that is offered; the address follows it in a browser only."""
    return parse_qs(app.code[0].value.partition("?")[2], keep_blank_values=True)


def compared(app: AppTest) -> Comparison:
    """What is compared, as the link says it."""
    read = links.read_comparison(address(app))
    assert read.left_out == ()
    return read.value


def said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "header", "subheader", "title", "info", "warning", "error")
    texts = [str(getattr(element, "value", "")) for kind in kinds for element in app.get(kind)]
    return "\n".join([*texts, *(element.proto.body for element in app.get("html"))])


def popularities(app: AppTest) -> list[float]:
    """The numbers in large type, in the order of the variants."""
    found = re.findall(r'cb-whole">(\d+)</b><b class="cb-tenth">(\.\d)', said(app))
    return [float("".join(number)) for number in found]


def slider(app: AppTest, label: str) -> Slider[float]:
    return next(found for found in app.slider if found.label == label)


def button(app: AppTest, label: str) -> Button:
    return next(found for found in app.button if found.label == label)


def choice(app: AppTest, label: str) -> Selectbox[str]:
    return next(found for found in app.selectbox if found.label == label)


def choices(app: AppTest, label: str) -> Multiselect[str]:
    return next(found for found in app.multiselect if found.label == label)


def the_dataset(serving: Serving) -> Shown:
    assert isinstance(serving.state, Showing)
    (shown,) = serving.state.datasets
    assert isinstance(shown, Shown)
    return shown


def test_a_first_visit_compares_a_usual_song_with_one_change_to_it() -> None:
    app, _ = opened(a_store())

    page = said(app)
    assert len(popularities(app)) == 2
    assert app.subheader[0].value == "A: Pop"
    assert "**B** is predicted" in page
    assert "most of all by energy" in page
    assert "run1" in page
    assert "600 songs" in page
    assert "Linear" in page
    assert "These songs are **synthetic**" in page


def test_a_variants_number_is_what_the_model_says_of_its_song() -> None:
    store = a_store()
    song = {"genre": ["Rock"], "energy": 0.3, "key": "D"}
    app, serving = opened(store, link(Asked(song=song), Asked(model="boosting", song=song)))
    shown = the_dataset(serving)

    whole = lineup.whole(shown.run, song)

    assert popularities(app) == [
        round(serving.study(shown, model, whole).popularity, 1)
        for model in (shown.run.best, "boosting")
    ]


def test_the_link_says_all_that_is_compared_with_its_run_and_models() -> None:
    app, _ = opened(a_store())

    assert compared(app).dataset == "demo"
    assert compared(app).run == "run1"
    assert [one.model for one in compared(app).variants] == ["linear", "linear"]


def test_whoever_follows_the_link_sees_the_same() -> None:
    store = a_store()
    first, _ = opened(store)
    slider(first, "Energy of B").set_value(0.95).run()
    button(first, "Copy B").click().run()

    second, _ = opened(store, address(first))

    assert len(popularities(second)) == 3
    assert popularities(second) == popularities(first)
    assert [found.value for found in second.subheader] == [found.value for found in first.subheader]


def test_moving_a_slider_changes_its_variant_and_the_link_and_no_other() -> None:
    app, _ = opened(a_store())
    before = popularities(app)

    slider(app, "Energy of B").set_value(0.95).run()

    after = popularities(app)
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert compared(app).variants[1].song == {"energy": 0.95}
    assert compared(app).variants[0].song == {}


def test_one_song_from_another_page_gets_a_copy_to_change() -> None:
    song = Asked(dataset="demo", run="run1", model="boosting", song={"energy": 0.4})

    app, _ = opened(a_store(), links.parameters(song))

    assert [one.song for one in compared(app).variants] == [{"energy": 0.4}] * 2
    assert "**B** is predicted as popular as A." in said(app)
    assert "the variants are the same" in said(app)


def test_a_variant_is_copied_changed_and_removed() -> None:
    app, _ = opened(a_store())
    button(app, "Copy A").click().run()
    slider(app, "Energy of C").set_value(0.5).run()
    assert [one.song.get("energy") for one in compared(app).variants] == [None, 0.2, 0.5]

    button(app, "Remove B").click().run()

    assert [one.song.get("energy") for one in compared(app).variants] == [None, 0.5]
    assert slider(app, "Energy of B").value == 0.5


def test_there_are_two_to_six_variants() -> None:
    app, _ = opened(a_store())
    assert button(app, "Remove A").disabled

    for _ in range(4):
        button(app, "Copy A").click().run()

    assert len(popularities(app)) == 6
    assert button(app, "Copy A").disabled
    assert button(app, "Add a known song").disabled
    assert not button(app, "Remove A").disabled


def test_a_variant_goes_by_the_name_it_is_given() -> None:
    app, _ = opened(a_store())
    named = next(found for found in app.text_input if found.label == "What to call B")

    named.set_value("The <b>quiet</b> *one*").run()

    assert app.subheader[1].value == r"B: The \<b\>quiet\</b\> \*one\*"
    assert compared(app).variants[1].name == "The <b>quiet</b> *one*"
    assert "<b>quiet" not in said(app)


def test_what_is_varied_has_a_control_in_every_variant() -> None:
    app, _ = opened(a_store())

    choices(app, "What to vary").set_value(["key", "model", "title"]).run()

    assert choice(app, "Key of A").value == choice(app, "Key of B").value
    assert [found.label for found in app.selectbox if found.label.startswith("Model")] == [
        "Model of A",
        "Model of B",
    ]
    assert any(found.label == "Title of B" for found in app.text_input)
    assert not app.slider


def test_the_same_song_is_asked_of_two_models() -> None:
    app, _ = opened(a_store(), link(Asked(model="linear"), Asked(model="boosting")))

    assert choice(app, "Model of B").value == "boosting"
    assert "another model" in said(app)
    assert "part of the difference is between the models" in said(app)
    assert app.subheader[1].value == "B: Gradient boosting"


def test_another_genre_brings_what_is_usual_for_it() -> None:
    app, _ = opened(a_store(), link(Asked(), Asked(song={"genre": ["Classical"]})))

    assert choices(app, "Genres of B").value == ["Classical"]
    assert app.subheader[1].value == "B: Classical"
    (table,) = re.findall(r"<table.*?What the variants differ in.*?</table>", said(app))
    assert "Classical" in table
    assert "Loudness" in table


def test_no_genre_is_a_choice_too() -> None:
    app, _ = opened(a_store(), link(Asked(), Asked(song={"genre": ["Rock"]})))

    choices(app, "Genres of B").set_value([]).run()

    assert compared(app).variants[1].song == {"genre": []}
    assert len(popularities(app)) == 2


def test_many_differences_leave_the_choice_of_controls_to_the_visitor() -> None:
    song: dict[str, Any] = {
        "energy": 0.1,
        "valence": 0.2,
        "tempo": 90.0,
        "liveness": 0.3,
        "loudness": -9.0,
    }

    app, _ = opened(a_store(), link(Asked(), Asked(song=song)))

    assert choices(app, "What to vary").value == []
    assert not app.slider
    assert "and 3 more" in app.subheader[1].value


def test_a_known_song_is_found_and_joins_with_what_it_really_got() -> None:
    app, serving = opened(a_store())
    known = serving.library(the_dataset(serving)).search("the", most=1)[0]
    # AppTest closes a dialog with the next run, so what is sought is there from the start.
    app.session_state["compare sought"] = known.name
    button(app, "Add a known song").click().run()

    next(f for f in app.button if str(f.key) == "compare found 0").click().run()

    assert compared(app).variants[2].known == known.song_id
    assert f"which really has **{known.popularity:.0f}**" in said(app)
    assert len(popularities(app)) == 3


def test_what_a_link_says_in_vain_is_told_until_something_is_changed() -> None:
    given = link(Asked(), Asked(song={"energy": 0.5})) | {"v": ["energy=7&genre=Polka", "mood=1"]}
    app, _ = opened(a_store(), given)
    page = said(app)
    assert "could not be followed in full" in page
    assert "out of range" in page
    assert "Polka" in page
    assert "mood" in page

    button(app, "Copy A").click().run()

    assert "could not be followed" not in said(app)


def test_a_link_to_another_dataset_leads_there() -> None:
    store = a_store()
    published(store, dataset="other", run_id="run2")

    app, _ = opened(store, link(Asked(), dataset="other", run="run2"))

    assert choice(app, "Dataset").value == "other"
    assert compared(app).run == "run2"


def test_a_link_to_a_dataset_that_is_not_here_says_so() -> None:
    app, _ = opened(a_store(), link(Asked(), dataset="gone", run=None))

    assert "There is no dataset “gone” here" in said(app)
    assert compared(app).dataset == "demo"


def test_another_dataset_keeps_the_songs_and_asks_its_own_run() -> None:
    store = a_store()
    published(store, dataset="other", run_id="run2")
    app, _ = opened(store, link(Asked(song={"energy": 0.4}), Asked(song={"energy": 0.6})))

    choice(app, "Dataset").set_value("other").run()

    assert (compared(app).dataset, compared(app).run) == ("other", "run2")
    assert [one.song for one in compared(app).variants] == [{"energy": 0.4}, {"energy": 0.6}]


def test_a_comparison_stays_with_its_run_until_the_champions_is_asked_for() -> None:
    store = a_store()
    app, serving = opened(store)
    published(store, run_id="run2")
    Registry(store).crown("demo", "run2", "boosting", reason="better", now=NOW)
    serving.refresh()
    app.run()
    assert compared(app).run == "run1"
    assert "the champion belongs to run run2" in said(app)

    button(app, "Ask the champion's run").click().run()

    assert compared(app).run == "run2"
    assert "the champion belongs to" not in said(app)


def test_a_link_to_a_run_that_is_gone_asks_the_champions() -> None:
    app, _ = opened(a_store(), link(Asked(), run="gone"))

    assert "The run “gone” cannot be read" in said(app)
    assert compared(app).run == "run1"


def test_a_model_that_cannot_be_trusted_fails_its_variant_and_no_other() -> None:
    store = a_store()
    store.write(model_key(Registry(store).manifest("run1"), "boosting"), b"not the model")

    app, _ = opened(store, link(Asked(model="linear"), Asked(model="boosting")))

    assert len(popularities(app)) == 1
    assert "is not what its run vouches for" in said(app)


def test_variants_that_all_fail_say_why() -> None:
    store = a_store()
    store.write(model_key(Registry(store).manifest("run1"), "linear"), b"not the model")

    app, _ = opened(store)

    assert popularities(app) == []
    assert "No variant could be scored" in said(app)


def test_a_run_that_is_older_than_intervals_is_compared_without_them() -> None:
    store = InMemoryStore()
    run = published(store)
    key = f"runs/run1/{run.attempt}/outlook.json"
    store.write(key, b"{}")

    app, _ = opened(store)

    assert len(popularities(app)) == 2
    assert "chance of a hit" not in said(app)
    assert "usual error" in said(app)


def test_without_a_champion_the_page_says_how_to_get_one() -> None:
    app, _ = opened(InMemoryStore())

    assert "No model yet" in said(app)


def test_a_store_that_goes_away_leaves_what_is_loaded() -> None:
    store = Moody()
    published(store)
    app, serving = opened(store)
    store.failure = ConnectionError("no answer")
    serving.refresh()

    app.run()

    assert len(popularities(app)) == 2


# What follows needs no page.


def a_study(popularity: float, low: float = 0, high: float = 100, **points: float) -> Study:
    told = tuple(Contribution(name, 0.5, 0.5, False, points.get(name, 0.0)) for name in ATTRIBUTES)
    base = popularity - sum(points.values())
    sure = Sureness(0.9, low, high, 70, 0.031, 44, False)
    return Study(sure, None, Explanation(base, popularity, told), (), None)


def answered(letter: str, study: Study, *, model: str = "boosting", **song: Any) -> Answered:
    number = 1 + lineup.LETTERS.index(letter)
    return Answered(letter, Variant(number, Asked(model=model, song=song)), song, study)


def test_a_small_difference_is_said_to_be_one() -> None:
    first = answered("A", a_study(50, 35, 65))
    other = answered("B", a_study(52.3, 37, 67, energy=3.1, tempo=-0.9, mode=0.1))

    told = differences.verdict(first, other, RUN)

    assert told == (
        "**B** is predicted **2.3 points above** A, most of all by energy (+3.1) and tempo (−0.9). "
        "That is less than the usual error of 7.2 points, and their intervals overlap."
    )
    assert "does not say which" in differences.advice([first, other], RUN)


def test_a_large_difference_is_said_to_be_one() -> None:
    first = answered("A", a_study(20, 10, 30))
    other = answered("B", a_study(60, 50, 70, genre=40))

    told = differences.verdict(first, other, RUN)

    assert (
        "That is more than the usual error of 7.2 points, and their intervals do not overlap."
        in told
    )
    assert differences.advice([first, other], RUN) == ""


def test_two_models_are_as_uncertain_as_the_worse_of_them() -> None:
    first = answered("A", a_study(50))
    other = answered("B", a_study(51), model="baseline")

    assert "usual error of 7.6 points" in differences.verdict(first, other, RUN)


def test_every_column_of_contributions_adds_up_to_its_prediction_as_shown() -> None:
    many = {name: 0.34 + number / 7 for number, name in enumerate(ATTRIBUTES)}
    lines = differences.contributions(
        [answered("A", a_study(50.05, energy=1.26)), answered("B", a_study(61.33, **many))]
    )

    for place in (0, 1):
        column = [
            float(line.cells[place].value.translate({0x2212: "-", 0xB1: ""})) for line in lines
        ]
        assert sum(column[:-1]) == pytest.approx(column[-1])


def test_what_makes_the_largest_difference_comes_first() -> None:
    lines = differences.contributions(
        [
            answered("A", a_study(50, genre=9.0, energy=0.5)),
            answered("B", a_study(52, genre=9.0, energy=3.1)),
        ]
    )

    assert [line.name for line in lines] == [
        "A typical song",
        "Energy",
        "Genre",
        "Predicted popularity",
    ]
    assert lines[1].cells == (Cell("+0.5"), Cell("+3.1", "+2.6"))
    assert lines[2].cells == (Cell("+9.0"), Cell("+9.0"))


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("energy", 0.7, 0.9, "+20"),
        ("energy", 0.7, 0.701, ""),
        ("duration_ms", 215_000.0, 185_000.0, "−0:30"),
        ("loudness", -7.0, -5.0, "+2.0\N{NO-BREAK SPACE}dB"),
        ("tempo", 120.0, 118.0, "−2\N{NO-BREAK SPACE}BPM"),
        ("release_year", 1999.0, 2004.0, "+5"),
        ("key", "C", "D", ""),
        ("title", None, "Home", ""),
    ],
)
def test_two_values_are_apart_in_the_attributes_own_unit(
    name: str, before: Any, after: Any, told: str
) -> None:
    assert differences.apart(name, before, after) == told


def test_a_table_escapes_what_comes_from_the_data() -> None:
    drawn = tables.html("<Table>", ["A"], [Line("<b>", (Cell("<i>", "<u>"),))])

    assert "&lt;i&gt;" in drawn
    assert not re.search("<[biu]>|<Table>", drawn)


def test_a_line_up_takes_six_and_keeps_two() -> None:
    two = Lineup("demo", "run1", (Variant(1, Asked()), Variant(2, Asked(name="b"))), ())

    many = two
    for _ in range(9):
        many = many.copied(2)

    assert [one.number for one in many.variants] == [1, 2, 3, 4, 5, 6]
    assert many.variants[5].asked.name is None
    assert two.without(1) == two
    assert [one.number for one in two.copied(1).without(2).variants] == [1, 3]
    with pytest.raises(KeyError, match="no variant 9"):
        two.of(9)


def test_data_without_genres_compares_without_them() -> None:
    inputs = dataclasses.replace(RUN.inputs, genres=())
    run = dataclasses.replace(RUN, inputs=inputs)

    assert "genre" not in lineup.variable(run)
    assert "genre" not in lineup.whole(run, {"valence": 0.2})
