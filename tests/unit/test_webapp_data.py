"""The page Data in every state a visitor can meet, over uploads the Lambda really prepared."""

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import webapp
from chartbuster import layout
from chartbuster.errors import NotFound, Unreachable
from chartbuster.layout import RawKey
from chartbuster.memory import InMemoryStore
from chartbuster.quality import uploads
from chartbuster.registry import Registry
from tests.unit import test_webapp_page as any_page
from tests.unit.test_webapp_page import choice
from tests.unit.test_webapp_serving import Moody
from tests.unit.webapp_data_store import NO_SONGS, Buckets, lived_in, untidy
from webapp import edges
from webapp.data import reading
from webapp.serving import Serving

APP = Path(webapp.__file__).with_name("app.py")


def opened(buckets: Buckets) -> AppTest:
    """The page over `buckets`, as a visitor finds it."""
    edges.provide(buckets.edges())
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    app.switch_page("entries/data.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    """Every word on the page as it is read, without what keeps Markdown from taking it for more."""
    return any_page.said(app).replace("\\", "")


def figures(app: AppTest) -> dict[str, str]:
    """The figures at the top of the page."""
    return {metric.label: metric.value for metric in app.metric}


def tables(app: AppTest) -> list[list[str]]:
    """The columns of every table on the page."""
    return [list(table.value.columns) for table in app.dataframe]


def table(app: AppTest, *columns: str) -> list[list[object]]:
    """The rows of the first table that begins with `columns`."""
    for found in app.dataframe:
        if list(found.value.columns)[: len(columns)] == list(columns):
            rows: list[list[object]] = found.value.to_numpy(dtype=object).tolist()
            return rows
    raise AssertionError(f"no table begins with {columns}; there are {tables(app)}")


def at(app: AppTest, dataset: str) -> AppTest:
    choice(app, "Dataset").set_value(dataset).run()
    assert not app.exception
    return app


def test_a_dataset_with_a_champion_is_told_in_figures_and_in_a_sentence() -> None:
    app = opened(lived_in())

    assert figures(app) == {
        "Songs": "600",
        "Artists": "550",
        "Genres": "25",
        "Rows rejected": "0",
    }
    page = said(app)
    assert (
        "The champion, of run run1, learnt from **600 songs by 550 artists** in 25 genres" in page
    )
    assert "600 rows read; none rejected" in page
    assert "No column says release year" in page
    assert "synthetic" in page
    assert "The files have changed" not in page


def test_songs_are_drawn_and_every_plot_has_its_table() -> None:
    app = opened(lived_in())

    page = said(app)
    assert page.count("<img") == 1 + 10 + 3 + 1, "popularity, attributes, words, genres"
    assert "half of the songs are at 37 or below" in page
    bars = table(app, "Attribute", "From", "To", "Songs")
    assert len(bars) == 20
    assert sum(int(str(row[3])) for row in bars) == 600


def test_genres_come_with_their_popularity_and_the_models_error() -> None:
    app = opened(lived_in())

    rows = {str(row[0]): row for row in table(app, "Genre", "Songs", "Mean popularity")}

    assert len(rows) == 25
    assert rows["Pop"][6] == pytest.approx(6.1), "as the run's report says"
    assert "The most popular is Pop" in said(app)


def test_what_was_understood_of_a_file_and_how_complete_it_is() -> None:
    app = at(opened(lived_in()), "untidy")

    assert ["tempo", "Tempo", ""] in table(app, "Column", "Taken for", "Unit")
    energy, tempo = table(app, "Attribute", "Complete")
    assert energy[:4] == ["Energy", 0.846, 100, 0]
    assert tempo[2:] == [0, 45, "fast"]
    page = said(app)
    assert "Ignored: mood" in page
    assert "No column says acousticness" in page


def test_rows_left_out_are_counted_by_reason_and_shown_in_pages() -> None:
    app = at(opened(lived_in()), "untidy")

    assert table(app, "Reason", "Rows") == [
        ["popularity is missing", 193],
        ["popularity … is outside 0 to 100", 48],
        ["the row has 7 fields; expected 8", 9],
    ]
    assert "Rows 1 to 100 of 250" in said(app)
    (pages,) = app.pagination
    pages.set_value(3).run()
    assert "Rows 201 to 250 of 250" in said(app)
    assert len(table(app, "Line", "Reason", "Row")) == 50


def test_no_cell_of_a_table_is_a_formula_for_a_spreadsheet() -> None:
    app = at(opened(lived_in()), "untidy")

    genres = [row[0] for row in table(app, "Genre", "Songs")]

    assert "'=1+1" in genres
    for found in app.dataframe:
        for row in found.value.to_numpy(dtype=object).tolist():
            assert not any(str(cell).startswith(("=", "@", "+")) for cell in row)


def test_a_refused_file_and_one_not_prepared_yet_say_so_at_the_top() -> None:
    app = at(opened(lived_in()), "untidy")

    assert "no column holds the popularity" in app.error[0].value
    assert "upload it again" in app.error[0].value
    assert "not prepared yet" in app.info[0].value
    assert "No model has learnt from them yet" in said(app)


def test_a_dataset_of_refused_files_alone_says_that_nothing_can_be_used() -> None:
    buckets = Buckets()
    buckets.put("mine", "none.csv", NO_SONGS)

    app = opened(buckets)

    assert "None of the files can be used yet" in said(app)
    assert figures(app)["Songs"] == "0"
    assert "None: every row became a song" in said(app)


def test_rejects_too_many_for_a_page_are_only_offered_for_download() -> None:
    buckets = lived_in()
    (upload, *_) = uploads(buckets.raw, buckets.ready, "untidy")
    assert upload.rejects is not None
    buckets.ready.write(upload.rejects.key, b"x" * (reading.MOST_REJECTS + 1))

    app = at(opened(buckets), "untidy")

    assert "250 rows left out. They are too many to show here (16.0 MB)" in said(app)
    assert ["Reason", "Rows"] not in tables(app)
    assert len(app.get("download_button")) == 1


def test_before_anything_is_known_nothing_is_said_of_models() -> None:
    buckets = lived_in()
    over = buckets.edges()
    edges.provide(dataclasses.replace(over, serving=Serving(buckets.artifacts)))

    app = AppTest.from_file(str(APP), default_timeout=30).run()
    app.switch_page("entries/data.py").run()

    assert "One moment" in [header.value for header in app.header]
    assert "No model" not in said(app)


def test_another_file_of_the_dataset_can_be_looked_at() -> None:
    app = at(opened(lived_in()), "untidy")

    choice(app, "File").set_value("none.csv").run()

    assert not app.exception
    assert ["Column", "Taken for", "Unit"] not in tables(app)


def test_files_that_changed_since_the_champion_learnt_are_named() -> None:
    buckets = lived_in()
    buckets.put("demo", "more.csv", untidy())

    app = opened(buckets)

    assert any("The files have changed" in info.value for info in app.info)


def test_drift_is_a_sentence_and_then_a_table_with_words_for_levels() -> None:
    app = opened(lived_in())

    assert len(app.warning) == 1
    assert "tempo (median 184, before 115)" in said(app)
    rows = table(app, "Attribute", "Change")
    assert [row[0] for row in rows[:3]] == ["Popularity", "Tempo (beats per minute)", "Genres"]
    assert [row[1] for row in rows[:3]] == ["○ none", "● much", "● much"]
    page = said(app)
    assert "600 songs of version v2 compared with 600 of run run1, 600 of them in both" in page
    assert "**New genres:** Sea Shanty" in page


def test_drift_against_a_former_champion_says_so() -> None:
    buckets = lived_in()
    buckets.train(run_id="run2")

    page = said(opened(buckets))

    assert "now the champion is of run run2" in page


def test_without_a_drift_report_the_page_says_when_one_is_made() -> None:
    app = at(opened(lived_in()), "untidy")

    assert "No drift report yet" in said(app)


def test_a_champion_that_cannot_be_read_is_named_and_the_files_are_still_shown() -> None:
    buckets = lived_in()
    buckets.artifacts.write(layout.champion("demo"), b"{cut")

    app = opened(buckets)

    assert "The champion of this dataset cannot be shown" in app.error[0].value
    page = said(app)
    assert "**600 songs** in 1 file" in page
    assert "No model has learnt" not in page
    assert "Written in UTF-8" in page


def test_every_dataset_is_offered_those_with_a_champion_first() -> None:
    buckets = lived_in()
    buckets.put("a-first", "songs.csv", untidy())

    assert choice(opened(buckets), "Dataset").options == ["demo (synthetic)", "a-first", "untidy"]


def test_a_champion_whose_files_are_gone_is_still_shown() -> None:
    buckets = Buckets()
    buckets.train()

    app = opened(buckets)

    assert figures(app)["Songs"] == "600"
    assert "The files of this dataset are gone" in said(app)


def test_a_store_without_songs_says_how_to_bring_some() -> None:
    app = opened(Buckets())

    assert "make demo DATA=your.csv" in said(app)


@pytest.mark.parametrize("failure", [NotFound("no bucket"), Unreachable("no answer")])
def test_a_store_that_is_away_is_named_and_nothing_breaks(failure: Exception) -> None:
    buckets = lived_in()
    buckets.raw = raw = Moody()
    app = opened(buckets)
    raw.failure = failure

    app.run()

    assert not app.exception
    assert "The store is not there yet" in said(app)


@pytest.mark.parametrize(
    ("name", "complaint", "left"),
    [
        ("songs.parquet", "Songs: this part cannot be shown", "Drift"),
        ("report.json", "The errors by genre are not there", "Attributes"),
    ],
)
def test_a_damaged_file_of_the_run_hides_its_own_part_alone(
    name: str, complaint: str, left: str
) -> None:
    buckets = lived_in()
    registry = Registry(buckets.artifacts)
    run = registry.manifest("run1")
    buckets.artifacts.write(layout.attempt_prefix("run1", run.attempt) + name, b"damaged")
    reading.forget()

    app = opened(buckets)

    words = said(app)
    assert complaint in words
    assert left in [header.value for header in app.header]
    assert "tempo (median 184, before 115)" in words


def test_damaged_records_of_a_file_hide_no_other_file() -> None:
    buckets = lived_in()
    buckets.ready.write(RawKey("untidy", "none.csv").current, b"{cut")

    app = at(opened(buckets), "untidy")

    assert "records that cannot be read" in app.error[0].value
    assert ["Column", "Taken for", "Unit"] in tables(app)


def test_a_damaged_drift_report_is_said_where_it_would_stand() -> None:
    buckets = lived_in()
    buckets.artifacts.write(layout.drift_report("demo", "v3"), b"{}")

    app = opened(buckets)

    assert any(error.value.startswith("Drift: this part cannot be shown") for error in app.error)
    assert "Popularity" in [header.value for header in app.header]


def test_a_rerun_reads_no_report_no_catalogue_and_no_rejects_again() -> None:
    buckets = lived_in()
    buckets.ready = ready = copied(buckets.ready, Moody())
    buckets.artifacts = artifacts = copied(buckets.artifacts, Moody())
    app = at(opened(buckets), "untidy")
    at(app, "demo")
    ready.reads.clear()
    artifacts.reads.clear()

    at(app, "untidy")
    at(app, "demo")

    assert {key.rsplit("/")[-1] for key in ready.reads} == {"current.json"}
    assert artifacts.reads == []


def copied(store: InMemoryStore, into: Moody) -> Moody:
    for item in store.list(""):
        into.write(item.key, store.read(item.key).body)
    return into


def test_headings_never_skip_a_level_and_every_control_has_a_label() -> None:
    app = at(opened(lived_in()), "untidy")

    assert [title.value for title in app.title] == ["Data"]
    assert {"Files", "Genres", "Drift"} <= {header.value for header in app.header}
    assert all(control.label.strip() for control in app.selectbox)
