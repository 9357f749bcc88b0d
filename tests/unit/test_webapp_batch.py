"""The page Batch: a file is understood first, then scored, browsed and taken away."""

import csv
import dataclasses
import gzip
import io
import threading
import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from chartbuster.batches import Tally
from chartbuster.checking import check
from chartbuster.columns import recognise
from chartbuster.demo import as_csv, generate
from chartbuster.errors import NotFound, Unreachable
from chartbuster.memory import InMemoryStore
from chartbuster.outlooks import OUTLOOK
from chartbuster.registry import Registry
from chartbuster.runs import RunManifest
from chartbuster.scoring import song_table
from tests.unit.test_webapp_page import APP, said
from tests.unit.test_webapp_serving import Moody
from tests.unit.webapp_store import NOW, edges_over, model_key, published
from webapp import edges
from webapp.batch import scoring, sentences
from webapp.batch.limits import LIMITS
from webapp.batch.scoring import Job, Results
from webapp.serving import Serving
from webapp.states import Showing, Shown

HEADER = "track_id,artist_name,track_name,genre,energy,tempo,duration_ms,popularity,mood"
SONGS = f"""{HEADER}
a,Nobody,"=HYPERLINK(""http://evil.example"",""here"")",Pop,0.8,120,200000,50,x
b,+SUM(1),**bold** <b>tag</b>,Gabber,0.7,,200000,50,x
c,Björk,Jóga,Pop,loud,120,200000,50,x
d,Björk,cut
""".encode()


def opened(store: InMemoryStore) -> tuple[AppTest, Serving]:
    """The page over `store`, as a visitor finds it."""
    over = edges_over(store)
    edges.provide(over)
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    app.switch_page("entries/batch.py").run()
    assert not app.exception
    return app, over.serving


def over_a_champion(model: str = "boosting") -> AppTest:
    store = InMemoryStore()
    published(store, model=model)
    return opened(store)[0]


def uploaded(app: AppTest, body: bytes, name: str = "songs.csv") -> AppTest:
    app.file_uploader[0].upload(name, body, "text/csv").run()
    assert not app.exception
    return app


def start(app: AppTest) -> Any:
    """The button that starts the scoring."""
    return next(found for found in app.button if found.label.startswith("Score "))


def scored(app: AppTest, body: bytes, name: str = "songs.csv") -> AppTest:
    uploaded(app, body, name)
    start(app).click().run()
    assert not app.exception
    return app


def results(app: AppTest) -> Results:
    found = app.session_state["batch results"]
    assert isinstance(found, Results)
    return found


def answers(done: Results) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(done.csv().decode("utf-8-sig"))))


def test_the_limits_are_said_before_anything_is_uploaded() -> None:
    page = said(over_a_champion())

    assert "20 MB" in page
    assert "200,000 rows" in page
    assert "commas, semicolons or tabs" in page
    assert "**The file is not kept**" in page
    assert "how well it suits dancing: 0 to 1 or percent" in page
    assert "What was understood" not in page


@pytest.mark.parametrize("field", sentences.GUIDE)
def test_the_names_in_the_guide_are_recognised(field: str) -> None:
    for name in sentences.GUIDE[field][1]:
        assert set(recognise([name], needs_popularity=False).fields) == {field}, name


def test_what_is_understood_and_rejected_shows_before_anything_runs() -> None:
    app = uploaded(over_a_champion(), SONGS)

    page = said(app)
    assert "**2 of 4 rows** can be scored, 2 cannot; for 2 something has to be assumed" in page
    assert "9 columns, separated by commas" in page
    assert "<td>energy is not 0 to 1</td><td>1</td>" in page
    assert "<td>the row has 3 fields; expected 9</td><td>1</td>" in page
    assert "**Genres the model does not know**: Gabber (1 row)" in page
    assert "**Ignored**: mood" in page
    assert "**Not in the file**: acousticness, danceability" in page
    assert "<td>duration_ms</td><td><strong>duration_ms</strong></td><td>in milliseconds" in page
    assert "not looked at: it is what is asked" in page
    assert app.dataframe[0].value["Reason"].tolist() == [
        "energy is 'loud', expected 0 to 1",
        "the row has 3 fields; expected 9",
    ]
    assert app.dataframe[1].value.iloc[0].tolist()[:2] == ["a", "Nobody"]
    assert "batch results" not in app.session_state
    assert start(app).label == "Score 2 songs"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the file is empty"),
        (HEADER.encode(), "has a header but no row"),
        (bytes(range(256)) * 9, "NUL bytes"),
        (b"PK\x03\x04", "Excel workbook; expected a CSV file"),
        (b"track_id|energy\nx|0.5\n", "has one column"),
        (b"city,people\nOslo,700000\n", "no column holds an attribute the model looks at"),
        (b"schema_version,energy\n1,0.5\n", "made for models"),
        (gzip.compress(b"energy\n" + b"0.5\n" * 200_001), "more than 200,000 rows"),
        (gzip.compress(b"energy\n0.5\n")[:-4], "damaged or cut off"),
    ],
)
def test_a_file_that_cannot_be_scored_says_why_and_what_would_be_right(
    body: bytes, why: str
) -> None:
    app = uploaded(over_a_champion(), body)

    (error,) = app.error
    assert why in error.value.replace("\\", "")
    assert "expected" in error.value
    assert not app.button


def test_after_a_file_that_cannot_be_scored_another_can() -> None:
    app = uploaded(over_a_champion(), b"nothing")
    assert app.error

    app.file_uploader[0].clear().run()
    scored(app, SONGS)

    assert not app.error
    assert results(app).tally.scored == 2


def test_the_answers_are_the_models_row_by_row() -> None:
    store = InMemoryStore()
    run = published(store, model="boosting")
    app, serving = opened(store)
    assert isinstance(serving.state, Showing)
    (shown,) = serving.state.datasets
    assert isinstance(shown, Shown)
    song = {"genre": "Pop", "energy": 0.8, "tempo": 120.0, "duration_ms": 200_000.0}
    told = serving.ask(shown, "boosting")(song_table([song | {"artist": "Nobody"}], run.inputs))

    scored(app, SONGS)

    done = results(app)
    first, second, *rejected = answers(done)
    assert first["popularity"] == f"{told.popularity[0]:.1f}"
    assert (first["low"], first["high"]) == (f"{told.low[0]:.1f}", f"{told.high[0]:.1f}")
    assert second["assumed"].startswith("genre=none (unknown: Gabber); ")
    assert [row["line"] for row in rejected] == ["4", "5"]
    assert all(row["popularity"] == "" and row["reason"] for row in rejected)
    table = done.table.to_pandas()
    assert table["popularity"].round(1).astype(str).tolist()[:1] == [first["popularity"]]
    assert table["Title"].tolist()[1] == "**bold** <b>tag</b>"


def test_the_results_say_in_words_what_became_of_the_rows_and_whose_answers_they_are() -> None:
    page = said(scored(over_a_champion(), as_csv(generate(300, seed=8)), "my [songs].csv"))

    assert "**300 scored**, 0 rejected." in page
    assert r"my \[songs\]\.csv, by **Gradient boosting** of run run1, dataset demo" in page
    assert "Predicted popularity" in page
    assert 'alt="Predicted popularity of the songs. From ' in page


def test_the_download_is_harmless_in_a_spreadsheet_and_says_in_its_name_where_it_comes_from() -> (
    None
):
    done = results(scored(over_a_champion(), SONGS, "../my songs.2026.csv"))

    assert done.file_name == "my-songs.demo.run1.boosting.csv"
    assert done.csv().startswith(b"\xef\xbb\xbftrack_id,artist_name,track_name,popularity,")
    first, second, *_ = answers(done)
    assert first["track_name"] == """'=HYPERLINK("http://evil.example","here")"""
    assert second["artist_name"] == "'+SUM(1)"


def test_rows_can_be_filtered() -> None:
    app = scored(over_a_champion(), SONGS)
    (choice,) = app.radio
    assert choice.options == [
        "Every row (4)",
        "Scored (2)",
        "With something assumed (2)",
        "Rejected (2)",
    ]

    shown = {
        name: app.radio[0].set_value(name).run().dataframe[-1].value["line"].tolist()
        for name in ("Every row", "Scored", "With something assumed", "Rejected")
    }

    assert shown == {
        "Every row": [2, 3, 4, 5],
        "Scored": [2, 3],
        "With something assumed": [2, 3],
        "Rejected": [4, 5],
    }


def test_another_file_takes_the_place_of_everything_that_was_held() -> None:
    app = scored(over_a_champion(), SONGS)

    app.file_uploader[0].clear().run()
    uploaded(app, as_csv(generate(30, seed=8)))

    assert "batch results" not in app.session_state
    assert start(app).label == "Score 30 songs"


def test_another_model_can_be_asked_and_the_champion_is_marked() -> None:
    app = scored(over_a_champion(), SONGS)
    model = next(found for found in app.selectbox if found.label == "Model")
    assert [name for name in model.options if "champion" in name] == [
        "Gradient boosting (champion)"
    ]
    before = answers(results(app))

    model.set_value("linear").run()
    assert results(app).job.model == "boosting", "what is there stays until something else is asked"
    start(app).click().run()

    assert results(app).job.model == "linear"
    assert answers(results(app)) != before
    assert "by **Linear" in said(app)


def test_scoring_twice_gives_the_same_bytes() -> None:
    app = scored(over_a_champion(), SONGS)
    once = results(app).csv()
    del app.session_state["batch results"]

    start(app.run()).click().run()

    assert results(app).csv() == once


def test_a_model_that_cannot_be_trusted_scores_nothing_and_says_so() -> None:
    store = InMemoryStore()
    run = published(store, model="boosting")
    store.write(model_key(run, "boosting"), b"not the model")

    app = scored(opened(store)[0], SONGS)

    assert "not what its run vouches for" in said(app)
    assert "batch results" not in app.session_state


def test_a_run_of_before_there_were_intervals_says_what_to_do() -> None:
    store = InMemoryStore()
    run = published(store)
    older = {name: Registry(store).file(run, name) for name in run.files if name != OUTLOOK}
    bare = dataclasses.replace(run, run_id="older", attempt="first", files={})
    Registry(store).publish(bare, older)
    Registry(store).promote("demo", "older", run.best, reason="to look back", now=NOW)

    app = uploaded(opened(store)[0], SONGS)

    assert "made before models said how sure they are" in said(app)
    assert start(app).disabled


def test_a_store_that_has_gone_stops_no_loaded_model() -> None:
    store = Moody()
    published(store, model="boosting")
    app, serving = opened(store)
    store.failure = Unreachable("no answer")
    serving.refresh()

    scored(app, SONGS)

    assert results(app).tally.scored == 2


def test_without_a_champion_the_page_says_how_to_get_one() -> None:
    app, _ = opened(InMemoryStore())

    assert "No model yet" in said(app)
    assert not app.file_uploader


def test_a_damaged_dataset_says_so() -> None:
    store = InMemoryStore()
    store.write("champions/demo.json", b"{cut")

    app, _ = opened(store)

    assert "The dataset demo cannot be shown" in said(app)
    assert not app.file_uploader


def test_headings_go_down_one_level_and_every_control_has_a_label() -> None:
    app = scored(over_a_champion(), as_csv(generate(30, seed=8)))

    assert [heading.value for heading in app.title] == ["Batch"]
    assert [heading.value for heading in app.header] == [
        *("Who answers", "The file", "What was understood", "Results")
    ]
    assert {"Predicted popularity", "Row by row"} == {h.value for h in app.subheader}
    controls = [*app.selectbox, *app.radio, *app.button, *app.file_uploader]
    assert all(control.label.strip() for control in controls)


def _job(run: RunManifest) -> Job:
    return Job("upload", run.run_id, "boosting")


def test_what_interrupts_a_scoring_leaves_the_next_one_its_turn() -> None:
    store = InMemoryStore()
    run = published(store, model="boosting")
    serving = edges_over(store).serving
    assert isinstance(serving.state, Showing)
    (shown,) = serving.state.datasets
    assert isinstance(shown, Shown)
    file = io.BytesIO(SONGS)
    checked = check(file, run.inputs, limits=LIMITS)
    kept: list[Results] = []

    def score(watch: Any) -> None:
        with scoring.turn(lambda: pytest.fail("the turn was not given back")):
            kept.append(
                scoring.scored(
                    file,
                    checked,
                    serving.ask(shown, "boosting"),
                    run.inputs,
                    job=_job(run),
                    name="songs.csv",
                    dataset="demo",
                    title="Gradient boosting",
                    watch=watch,
                )
            )

    def stop(_rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(stop)
    assert kept == []
    score(lambda _: None)

    assert kept[0].tally.rows == 4


def test_one_file_at_a_time_is_scored_and_who_waits_is_told() -> None:
    told = threading.Event()
    order = []

    def second() -> None:
        with scoring.turn(told.set):
            order.append("second")

    with scoring.turn(lambda: pytest.fail("nobody is before the first")):
        waits = threading.Thread(target=second)
        waits.start()
        assert told.wait(10)
        time.sleep(0.05)
        order.append("first")
    waits.join(10)

    assert order == ["first", "second"]


def test_a_name_that_says_nothing_becomes_songs() -> None:
    done = Results(Job("u", "run1", "linear"), "…/.csv", "demo", "t", Tally(), None, b"", 0.0)

    assert done.file_name == "songs.demo.run1.linear.csv"


def test_a_run_that_cannot_say_how_sure_it_is_raises_when_it_is_asked() -> None:
    store = InMemoryStore()
    run = published(store)
    serving = edges_over(store).serving
    shown = Shown(
        "demo",
        Registry(store).champion("demo"),  # type: ignore[arg-type]
        dataclasses.replace(run, run_id="older", files={}),
    )

    with pytest.raises(NotFound):
        serving.ask(shown, run.best)(song_table([{}], run.inputs))


def test_long_and_broken_texts_are_browsed_in_part_and_come_back_whole() -> None:
    long = "ä" * 5_000
    # In UTF-16, half a character.
    half = "\ud800".encode("utf-16-le", errors="surrogatepass")
    body = b"\xff\xfe" + f"title,energy\n{long},0.5\nx".encode("utf-16-le") + half
    body += ",0.5\n".encode("utf-16-le")

    done = results(scored(over_a_champion(), body))

    assert done.table["Title"][0].as_py() == "ä" * 400
    assert answers(done)[0]["title"] == long
    assert done.tally.scored == 2
