"""Where a song on the page Predict can start: a known song, one at random, a link, a change."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

import webapp
from chartbuster.layout import SONGS
from chartbuster.memory import InMemoryStore
from chartbuster.outlooks import OUTLOOK
from tests.unit.test_webapp_page import button, choice, opened, popularity, said, slider
from tests.unit.webapp_store import edges_over, published
from webapp import edges
from webapp.states import Showing, Shown

APP = Path(webapp.__file__).with_name("app.py")


def link(app: AppTest) -> str:
    """The link the page offers."""
    (code,) = app.code
    return str(code.value)


def visited(store: InMemoryStore, address: str) -> AppTest:
    """The app over `store`, opened by the link `address`."""
    edges.provide(edges_over(store))
    app = AppTest.from_file(str(APP), default_timeout=30)
    for name, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items():
        app.query_params[name] = values
    app.run()
    assert not app.exception
    return app


def by_key(app: AppTest, key: str):
    return next(found for found in app.button if found.key == key)


def really(app: AppTest) -> float:
    (found,) = re.findall(r"<b>really (\d+)</b>", said(app))
    return float(found)


def library_of(store: InMemoryStore):
    serving = edges_over(store).serving
    state = serving.state
    assert isinstance(state, Showing)
    (shown,) = (each for each in state.datasets if isinstance(each, Shown))
    return serving.library(shown)


def test_a_random_song_sets_the_controls_and_shows_what_it_really_got() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    assert "<b>really" not in said(app)

    button(app, "Random song").click().run()

    assert not app.exception
    assert 0 <= really(app) <= 100
    assert "Started from **" in said(app)
    assert not button(app, "Start over").disabled


def test_starting_over_forgets_the_known_song() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    button(app, "Random song").click().run()

    button(app, "Start over").click().run()

    assert "Started from" not in said(app)
    assert "<b>really" not in said(app)


def test_a_known_song_sets_every_control_to_what_it_has() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    known = library_of(store).search("a")[0]

    other = visited(store, f"{link(app)}&known={known.song_id}")

    assert not other.exception
    by_key(other, "alike 0").click().run()
    titles = {each.key: each.value for each in other.text_input}
    chosen = library_of(store).search(f"{titles['artist']} {titles['title']}")[0]
    assert slider(other, "energy").value == pytest.approx(chosen.attributes["energy"], abs=0.006)
    assert slider(other, "tempo").value == pytest.approx(chosen.attributes["tempo"], abs=0.6)
    assert choice(other, "Key").value == chosen.attributes["key"]
    assert choice(other, "Genre").value == chosen.genres[0]


def test_the_search_opens_beside_the_page() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)

    button(app, "Known song").click().run()

    assert "sought" in {each.key for each in app.text_input}
    assert "600 songs of demo are searched" in said(app)


def test_the_songs_most_like_it_are_there_and_one_can_start_from_them() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    (told,) = re.findall(r"\*\*(\d+)\*\*", by_key(app, "alike 0").label)

    by_key(app, "alike 0").click().run()

    assert really(app) == float(told)
    assert by_key(app, "alike 0").label != f"**{told}**"


def test_the_advice_can_be_taken_and_gains_what_it_says() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    app, _ = opened(store)
    (promised,) = re.findall(r": \*\*(\d+\.\d)\*\*, \+", said(app))

    by_key(app, "make changes").click().run()

    # The sliders move in steps, so the last tenth may differ.
    assert popularity(app) == pytest.approx(float(promised), abs=0.5)


def test_a_song_may_have_several_genres_and_starts_at_the_first_ones_usual() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    before, energy = popularity(app), slider(app, "energy").value

    app.multiselect[0].set_value(["Classical"]).run()

    assert popularity(app) != before
    assert slider(app, "energy").value == energy
    assert "mean of Pop and Classical" in said(app)


def test_a_song_may_have_no_genre() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)

    choice(app, "Genre").set_value(None).run()

    assert not app.exception
    assert "the mean of all songs" in said(app)


def test_who_sings_is_a_debut_or_known_and_the_page_says_which() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    assert "Nobody is named as the artist" in said(app)

    artist = next(each for each in app.text_input if each.key == "artist")
    artist.set_value("Nobody *Ever*").run()

    assert r"never met Nobody \*Ever\*" in said(app)


def test_a_link_brings_the_same_song_model_and_number_to_somebody_else() -> None:
    store = InMemoryStore()
    published(store, model="boosting")
    app, _ = opened(store)
    choice(app, "Genre").set_value("Classical").run()
    slider(app, "energy").set_value(0.9).run()
    choice(app, "Key").set_value("F#").run()
    app.radio[0].set_value("linear").run()

    other = visited(store, link(app))

    assert popularity(other) == popularity(app)
    assert other.radio[0].value == "linear"
    assert slider(other, "energy").value == 0.9
    assert link(other) == link(app)
    assert "could not be followed" not in said(other)


def test_a_link_to_a_known_song_shows_what_it_really_got() -> None:
    store = InMemoryStore()
    published(store)
    app, _ = opened(store)
    button(app, "Random song").click().run()

    other = visited(store, link(app))

    assert really(other) == really(app)
    assert popularity(other) == popularity(app)


def test_a_link_to_a_run_that_is_not_the_champions_shows_it_and_the_way_to_the_champion() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    app, _ = opened(store)
    before = link(app)
    published(store, run_id="run2", model="boosting")

    other = visited(store, before)

    assert "This is run run1" in said(other)
    assert other.radio[0].value == "linear"
    button(other, "Go to the champion").click().run()
    assert "This is run run1" not in said(other)
    assert other.radio[0].value == "boosting"
    assert "run=run2" in link(other)


def test_what_a_link_says_wrongly_is_left_out_and_named() -> None:
    store = InMemoryStore()
    published(store)

    app = visited(
        store, "/?dataset=demo&run=gone1&model=oracle&energy=7&key=H&mood=sad&tempo=90&known=x"
    )

    page = said(app)
    assert "could not be followed in full" in page
    for wrong in ("gone1", "oracle", "energy", "“H”", "mood", "known song"):
        assert wrong in page.replace("\\", ""), wrong
    assert slider(app, "tempo").value == 90
    assert 0 <= popularity(app) <= 100


def test_a_link_to_a_dataset_that_is_not_there_says_so() -> None:
    store = InMemoryStore()
    published(store)

    app = visited(store, "/?dataset=<b>else</b>")

    assert "There is no dataset" in said(app)
    assert "<b>else" not in said(app)
    assert 0 <= popularity(app) <= 100


def test_an_older_run_says_what_it_lacks_and_predicts_all_the_same() -> None:
    store = InMemoryStore()
    published(store, without=(OUTLOOK, SONGS))

    app, _ = opened(store)

    page = said(app)
    assert 0 <= popularity(app) <= 100
    assert "does not say how sure its models are" in page
    assert "off by" in page
    assert "before runs kept their songs" in page
    assert button(app, "Random song").disabled
    assert button(app, "Known song").disabled


def test_damaged_songs_do_not_take_the_page_with_them() -> None:
    store = InMemoryStore()
    run = published(store)
    store.write(f"runs/{run.run_id}/{run.attempt}/{SONGS}", b"other songs")

    app, _ = opened(store)

    assert 0 <= popularity(app) <= 100
    assert "The songs of this run are damaged" in said(app)
