"""The page in every state a visitor can meet, driven without a browser."""

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button, Selectbox, Slider

import webapp
from chartbuster import layout
from chartbuster.errors import Unreachable
from chartbuster.memory import InMemoryStore
from chartbuster.registry import Registry
from tests.unit.test_webapp_serving import Moody
from tests.unit.webapp_store import NOW, edges_over, model_key, published
from webapp import edges
from webapp.predict import form
from webapp.serving import Serving
from webapp.states import Showing, Shown

APP = Path(webapp.__file__).with_name("app.py")


def opened(store: InMemoryStore) -> tuple[AppTest, Serving]:
    """The app over `store`, as a visitor finds it."""
    over = edges_over(store)
    edges.provide(over)
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    assert not app.exception
    return app, over.serving


def popularity(app: AppTest) -> float:
    """The number in large type."""
    (number,) = re.findall(r'cb-whole">(\d+)</span><span class="cb-tenth">(\.\d)', said(app))
    return float("".join(number))


def said(app: AppTest) -> str:
    """Every word on the page, the HTML parts too."""
    kinds = ("markdown", "caption", "header", "subheader", "title", "info", "warning", "error")
    texts = [str(getattr(element, "value", "")) for kind in kinds for element in app.get(kind)]
    return "\n".join([*texts, *(element.proto.body for element in app.get("html"))])


def slider(app: AppTest, name: str) -> Slider[float]:
    return next(found for found in app.slider if str(found.key).startswith(f"{name} "))


def choice(app: AppTest, label: str) -> Selectbox[str]:
    return next(found for found in app.selectbox if found.label == label)


def button(app: AppTest, label: str) -> Button:
    return next(found for found in app.button if found.label == label)


def test_a_first_visit_shows_a_prediction_where_it_comes_from_and_how_far_off_it_is() -> None:
    store = InMemoryStore()
    run = published(store)

    app, _ = opened(store)

    page = said(app)
    assert 0 <= popularity(app) <= 100
    assert "artists it had never heard" in page
    assert "the mean of Pop" in page
    assert run.run_id in page
    assert "600 songs" in page
    assert "Learnt from **synthetic songs**" in page
    assert "These songs are **synthetic**" in page
    assert "make demo DATA=your.csv" in page
    assert app.radio[0].value == run.best


def test_the_number_on_the_page_is_the_models() -> None:
    store = InMemoryStore()
    run = published(store)
    app, serving = opened(store)
    assert isinstance(serving.state, Showing)
    (shown,) = serving.state.datasets
    assert isinstance(shown, Shown)
    asked = [control for group in form.groups(run.inputs) for control in group.controls]
    song = {control.name: form.start(run.inputs, "Pop", control) for control in asked}

    expected = serving.predict(shown, run.best, song | {"genre": "Pop"}).popularity

    assert popularity(app) == round(expected, 1)


def test_every_model_is_offered_with_its_error_and_the_champion_is_marked() -> None:
    store = InMemoryStore()
    run = published(store, model="boosting")

    app, _ = opened(store)

    models = app.radio[0]
    assert models.value == "boosting"
    assert len(models.options) == len(run.models)
    assert [option for option in models.options if "champion" in option] == [
        "Gradient boosting :green-badge[champion]"
    ]
    baseline = run.model("baseline")
    assert f"off by {baseline.deciding_mae:.2f} points, the one to beat" in models.proto.captions


def test_moving_a_slider_moves_the_number() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    before = popularity(app)

    slider(app, "acousticness").set_value(0.95).run()

    assert popularity(app) != before


def test_choosing_another_model_changes_the_number_and_its_error() -> None:
    store = InMemoryStore()
    published(store, model="boosting")
    app, _ = opened(store)
    before = popularity(app)

    app.radio[0].set_value("baseline").run()

    assert popularity(app) != before
    assert "points above" not in said(app), "the genre mean is not compared with itself"


def test_another_genre_takes_along_what_was_not_moved_and_leaves_what_was() -> None:
    store = InMemoryStore()
    run = published(store)
    app, _ = opened(store)
    slider(app, "energy").set_value(0.2).run()

    choice(app, "Genre").set_value("Classical").run()

    assert slider(app, "energy").value == 0.2
    usual = float(run.inputs.genre_defaults["Classical"]["danceability"])
    assert slider(app, "danceability").value == pytest.approx(usual, abs=0.006)


def test_starting_over_puts_everything_back_to_the_genres_usual() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    before = popularity(app)
    slider(app, "energy").set_value(0.9).run()
    choice(app, "Key").set_value("F#").run()

    button(app, "Start over").click().run()

    assert popularity(app) == before
    assert button(app, "Start over").disabled


def test_headings_never_skip_a_level_and_every_control_has_a_label() -> None:
    store = InMemoryStore()
    published(store)

    app, _ = opened(store)

    # The result stands first in the page although its heading is drawn last.
    assert [heading.value for heading in app.title] == ["ChartBuster"]
    assert {"Predicted popularity", "The song", "The model"} <= {h.value for h in app.header}
    controls = [*app.slider, *app.select_slider, *app.selectbox, *app.radio, *app.text_input]
    assert all(control.label.strip() for control in controls)


def test_a_second_dataset_can_be_chosen_and_is_not_called_synthetic() -> None:
    store = InMemoryStore()
    published(store)
    published(store, dataset="mine", run_id="run2")
    app, _ = opened(store)
    assert choice(app, "Dataset").options == ["demo (synthetic)", "mine"]

    choice(app, "Dataset").set_value("mine").run()

    assert "run2" in said(app)
    assert "synthetic" not in said(app)


def test_a_new_champion_is_followed_and_announced_and_what_was_set_stays() -> None:
    store = InMemoryStore()
    published(store)
    app, serving = opened(store)
    slider(app, "energy").set_value(0.2).run()
    published(store, run_id="run2", model="boosting")
    serving.refresh()

    app.run()

    assert app.radio[0].value == "boosting"
    assert "run2" in said(app)
    assert slider(app, "energy").value == 0.2
    assert "Gradient boosting of run run2" in app.toast[0].value


def test_a_rollback_brings_the_former_champion_and_its_number_back() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    app, serving = opened(store)
    of_linear = popularity(app)
    Registry(store).promote("demo", "run1", "boosting", reason="chosen", now=NOW)
    serving.refresh()
    app.run()
    assert app.radio[0].value == "boosting"
    assert popularity(app) != of_linear
    Registry(store).rollback("demo", now=NOW)
    serving.refresh()

    app.run()

    assert app.radio[0].value == "linear"
    assert popularity(app) == of_linear


def test_without_a_store_the_page_says_what_to_do() -> None:
    store = Moody()
    store.failure = Unreachable("could not list s3://secret-bucket/champions/")

    app, _ = opened(store)

    assert "The store is not there yet" in said(app)
    assert "make status" in said(app)
    assert "secret-bucket" not in said(app)


def test_without_a_champion_the_page_says_how_to_get_one() -> None:
    app, _ = opened(InMemoryStore())

    assert "No model yet" in said(app)
    assert "make demo DATA=your.csv" in said(app)


def test_a_first_run_is_shown_as_it_happens() -> None:
    store = InMemoryStore()
    store.write(layout.progress("mine"), b'{"stage": "fitting the forest", "fraction": 0.4}')

    app, _ = opened(store)

    assert "The first model is being trained" in said(app)
    (bar,) = app.get("progress")
    assert bar.proto.value == 40
    assert "fitting the forest" in bar.proto.text


def test_the_page_goes_from_waiting_to_predicting_by_itself() -> None:
    store = InMemoryStore()
    app, serving = opened(store)
    published(store)
    serving.refresh()

    app.run()

    assert 0 <= popularity(app) <= 100


def test_a_store_that_goes_away_later_is_mentioned_and_predictions_go_on() -> None:
    store = Moody()
    published(store)
    app, serving = opened(store)
    store.failure = Unreachable("no answer")
    serving.refresh()

    app.run()

    assert "does not answer" in said(app)
    assert 0 <= popularity(app) <= 100


@pytest.mark.parametrize("body", [b"not the model", b""])
def test_a_champion_that_cannot_be_trusted_is_not_used_and_another_is_offered(
    body: bytes,
) -> None:
    store = InMemoryStore()
    run = published(store, model="boosting")
    store.write(model_key(run, "boosting"), body)
    app, _ = opened(store)
    assert "not what its run vouches for" in said(app)
    assert 'class="cb-number"' not in said(app)

    button(app, r"Ask Linear \(ridge\) instead").click().run()

    assert app.radio[0].value == "linear"
    assert 0 <= popularity(app) <= 100


def test_a_damaged_champion_says_so_and_how_to_go_on() -> None:
    store = InMemoryStore()
    store.write(layout.champion("demo"), b"{cut")

    app, _ = opened(store)

    assert "The dataset demo cannot be shown" in said(app)
    assert "make logs SERVICE=webapp" in said(app)


def test_a_damaged_dataset_does_not_hide_the_others() -> None:
    store = InMemoryStore()
    published(store)
    store.write(layout.champion("bad"), b"{cut")
    app, _ = opened(store)
    assert 0 <= popularity(app) <= 100

    choice(app, "Dataset").set_value("bad").run()

    assert "The dataset bad cannot be shown" in said(app)
    choice(app, "Dataset").set_value("demo").run()
    assert 0 <= popularity(app) <= 100


def test_a_model_not_loaded_yet_says_so_when_the_store_has_gone() -> None:
    store = Moody()
    published(store)
    app, _ = opened(store)
    store.failure = Unreachable("no answer")

    app.radio[0].set_value("boosting").run()

    assert "not loaded yet" in said(app)


def test_a_song_that_cannot_be_scored_is_explained_and_is_no_error_page() -> None:
    store = InMemoryStore()
    run = published(store)
    key = layout.run_manifest("run1")
    changed = json.loads(store.read(key).body) | {"columns": [*run.columns, "mood"]}
    store.write(key, json.dumps(changed).encode())

    app, _ = opened(store)

    assert "This song cannot be scored: a song has no mood" in said(app)


def test_the_title_counts_and_goes_when_starting_over() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    before = popularity(app)
    app.text_input[0].set_value("Something (Live) [Remix]").run()
    assert popularity(app) != before

    button(app, "Start over").click().run()

    assert app.text_input[0].value == ""
    assert popularity(app) == before


def test_a_genre_from_the_data_is_shown_letter_by_letter() -> None:
    store = InMemoryStore()
    published(store, genre="<b>Bold</b> *stars*")
    app, _ = opened(store)

    choice(app, "Genre").set_value("<b>Bold</b> *stars*").run()

    page = said(app)
    assert "&lt;b&gt;Bold" in page, "in the HTML of the result"
    assert r"\<b\>Bold\</b\> \*stars\*" in page, "in the sentences"
    assert "<b>Bold" not in page
