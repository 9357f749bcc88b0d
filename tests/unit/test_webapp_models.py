"""The page Models in every state a visitor can meet, and what they can change there."""

import dataclasses
import re
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from chartbuster import layout
from chartbuster.errors import (
    ChartBusterError,
    Conflict,
    Corrupt,
    InvalidReason,
    NotAllowed,
    NotFound,
    Unreachable,
    UntrustedModel,
)
from chartbuster.memory import InMemoryStore
from chartbuster.operators import EVERYBODY, Operators
from chartbuster.records import to_json
from chartbuster.registry import Registry
from chartbuster.report import REPORT
from chartbuster.runs import Champion, RunManifest
from tests.unit.made_up_run import made_up_report, made_up_run
from tests.unit.test_webapp_page import APP, button, choice, said
from tests.unit.test_webapp_serving import Moody
from tests.unit.webapp_store import NOW, edges_over, model_key, published
from webapp import edges
from webapp.edges import Edges
from webapp.models import board, deciding, history
from webapp.models.shelf import shelf

OPERATORS = Operators("groups", "operators")
ADA = {"is_logged_in": True, "name": "Ada", "groups": ["operators"]}
BOB = {"is_logged_in": True, "name": "Bob", "groups": ["listeners"]}


def opened(
    store: InMemoryStore,
    *,
    operators: Operators = EVERYBODY,
    user: dict[str, Any] | None = None,
) -> tuple[AppTest, Edges]:
    """The page over `store`, as a visitor finds it."""
    over = dataclasses.replace(edges_over(store), operators=operators)
    edges.provide(over)
    app = AppTest.from_file(str(APP), default_timeout=30)
    app.user = user or {}
    app = app.run().switch_page("entries/models.py").run()
    assert not app.exception
    return app, over


def with_made_up(
    store: InMemoryStore, *, measured: bool = True, crowned: bool = True
) -> RunManifest:
    """A run with figures as a real one has them; its models are not files that load."""
    run = made_up_run(measured=measured)
    files = {entry.file: b"x" for entry in run.models}
    files |= {REPORT: to_json(made_up_report())} if measured else {}
    Registry(store).publish(run, files)
    if crowned:
        Registry(store).crown(run.dataset, run.run_id, run.best, reason="the first", now=NOW)
    return run


def champion(store: InMemoryStore, dataset: str = "demo") -> Champion:
    found = Registry(store).champion(dataset)
    assert found is not None
    return found


def promoted(app: AppTest, model: str, reason: str) -> AppTest:
    """Promote `model` of the run that is shown."""
    choice(app, "Model to promote").set_value(model).run()
    button(app, "Promote…").click().run()
    return answered(app, "Promote", reason)


def rolled_back(app: AppTest, reason: str) -> AppTest:
    button(app, "Roll back…").click().run()
    return answered(app, "Roll back", reason)


def answered(app: AppTest, label: str, reason: str) -> AppTest:
    (asked,) = app.text_input
    asked.set_value(reason)
    button(app, label).click().run()
    assert not app.exception
    return app


def text(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html)


def test_the_leaderboard_has_both_protocols_with_the_baseline_intervals_and_coverage() -> None:
    run = made_up_run()

    html = board.leaderboard(shelf("spotify-2019", None, [run]), run)

    assert "songs of artists the models did not know" in html
    assert "songs of artists the models knew" in html
    (new, _) = re.findall(r"<tbody>.*?</tbody>", html)
    rows = [text(row).split() for row in re.findall(r"<tr>.*?</tr>", new)]
    assert [" ".join(row[:2]) for row in rows] == [
        "Gradient boosting", "Neural network", "Random forest", "Linear (ridge)", "Genre mean",
    ]  # fmt: skip
    assert "7.17 7.08 to 7.26 −0.41" in " ".join(rows[0]), "error, its interval, beside baseline"
    assert "0.410 0.370 to 0.450" in " ".join(rows[0]), "hits found"
    assert "89.7 % 88.4 to 90.9 31.4" in " ".join(rows[0]), "within interval, and its width"
    assert "the one to beat" in " ".join(rows[-1])


def test_the_champion_is_marked_in_words() -> None:
    run = made_up_run()
    crowned = Champion("spotify-2019", run.run_id, "forest", NOW.isoformat(), "", ())

    html = board.leaderboard(shelf("spotify-2019", crowned, [run]), run)

    assert html.count(">champion<") == 2, "once per protocol"
    assert re.search(r"Random forest[^<]*<span[^>]*>champion<", html)
    assert "★ Random forest" in html


def test_what_the_data_did_not_allow_to_measure_is_said() -> None:
    run = made_up_run(new_artists=False)

    html = board.leaderboard(shelf("spotify-2019", None, [run]), run)

    assert "New artists: not available, because the data names no artists." in html


def test_an_older_run_without_intervals_shows_what_it_has() -> None:
    store = InMemoryStore()
    with_made_up(store, measured=False)

    app, _ = opened(store)

    page = said(app)
    assert "7.17" in page
    assert "gives no interval with its predictions" in page


def test_the_page_says_which_model_is_champion_since_when_by_whom_and_why() -> None:
    store = InMemoryStore()
    published(store, model="boosting")

    app, _ = opened(store)

    page = said(app)
    assert "Gradient boosting of run run1" in page
    assert "1 March 2026, 12:00 UTC, by training: the first." in page
    assert [metric.label for metric in app.metric] == [
        "Error, new artists", "R², new artists", "Error, known artists", "R², known artists",
    ]  # fmt: skip
    assert "What run run1 found out" in page
    labels = [expander.label for expander in app.expander]
    assert {"Error by genre", "Would more songs help?", "How to read these figures"} <= set(labels)
    assert app.get("download_button")


def test_headings_go_down_one_level_at_a_time() -> None:
    store = InMemoryStore()
    published(store)

    app, _ = opened(store)

    assert [heading.value for heading in app.title] == ["Models"]
    assert [heading.value for heading in app.header] == [
        "The champion", "Leaderboard", "Model card", "How champions came and went",
    ]  # fmt: skip
    assert not app.subheader


def test_promoting_moves_the_champion_and_the_page_and_the_history_say_so() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    app, over = opened(store)
    state = over.serving.state

    app = promoted(app, "boosting", "heard it, likes it")

    after = champion(store)
    assert (after.model, after.reason) == ("boosting", "heard it, likes it")
    assert over.serving.state is not state, "Predict shows it at once"
    assert "Gradient boosting of run run1 is the champion now" in app.success[0].value
    page = said(app)
    assert "Gradient boosting of run run1** is the champion of" in page
    assert "heard it, likes it" in page
    assert "by a person" in page
    assert "A rollback returns to Linear \\(ridge\\) of run run1" in page


def test_a_model_of_an_older_run_can_be_promoted() -> None:
    store = InMemoryStore()
    older = published(store, run_id="older")
    Registry(store).publish(dataclasses.replace(older, run_id="newer"), _files(store, older))
    Registry(store).promote("demo", "newer", "linear", reason="chosen", now=NOW)
    app, _ = opened(store)

    choice(app, "Run, the newest first").set_value("older").run()
    promoted(app, "boosting", "it was better")

    assert (champion(store).run_id, champion(store).model) == ("older", "boosting")


def _files(store: InMemoryStore, run: RunManifest) -> dict[str, bytes]:
    return {name: Registry(store).file(run, name) for name in run.files}


def test_rolling_back_returns_to_the_champion_before_and_says_why() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    Registry(store).promote("demo", "run1", "boosting", reason="chosen", now=NOW)
    app, _ = opened(store)

    app = rolled_back(app, "too kind to opera")

    after = champion(store)
    assert after.model == "linear"
    assert after.reason.endswith("too kind to opera")
    assert "champion again" in app.success[0].value
    assert "Returned to" in said(app)


def test_with_no_champion_before_there_is_nothing_to_roll_back_to() -> None:
    store = InMemoryStore()
    published(store)

    app, _ = opened(store)

    assert button(app, "Roll back…").disabled
    assert "nothing to roll back to" in said(app)


@pytest.mark.parametrize("reason", ["", " ok "])
def test_without_a_reason_nothing_happens_and_the_page_asks_for_one(reason: str) -> None:
    store = InMemoryStore()
    published(store, model="linear")
    before = champion(store)
    app, _ = opened(store)

    app = promoted(app, "boosting", reason)

    assert "A reason is one line of 3 to 300 characters" in app.error[0].value
    assert champion(store) == before


def test_a_rollback_meant_for_another_champion_changes_nothing() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    registry = Registry(store)
    registry.promote("demo", "run1", "boosting", reason="chosen", now=NOW)
    app, _ = opened(store)
    button(app, "Roll back…").click().run()
    registry.promote("demo", "run1", "baseline", reason="meanwhile", now=NOW + timedelta(1))
    before = champion(store)

    app = answered(app, "Roll back", "too kind")

    assert "moved by somebody else meanwhile" in app.error[0].value
    assert champion(store) == before


def test_a_model_whose_file_is_not_what_its_run_vouches_for_is_not_promoted() -> None:
    store = InMemoryStore()
    run = published(store, model="linear")
    store.write(model_key(run, "boosting"), b"not the model")
    app, _ = opened(store)

    app = promoted(app, "boosting", "why not")

    assert "not what its run vouches for" in app.error[0].value
    assert champion(store).model == "linear"


def test_a_store_that_goes_away_is_said_and_the_page_stays() -> None:
    store = Moody()
    published(store, model="linear")
    app, _ = opened(store)
    button(app, "Promote…").click().run()
    store.failure = Unreachable("no answer from s3://secret-bucket")

    app = answered(app, "Promote", "why not")

    assert "The store does not answer" in app.error[0].value
    assert "secret-bucket" not in said(app)
    assert "Leaderboard" in [heading.value for heading in app.header]


@pytest.mark.parametrize(("user", "who"), [(None, "not signed in"), (BOB, "Bob")])
def test_who_is_no_operator_sees_everything_and_is_told_who_may_decide(
    user: dict[str, Any] | None, who: str
) -> None:
    store = InMemoryStore()
    published(store, model="linear")
    Registry(store).promote("demo", "run1", "boosting", reason="chosen", now=NOW)
    app, _ = opened(store, operators=OPERATORS, user=user)
    (told,) = [each.value for each in app.caption if "is for operators" in each.value]
    assert who in told

    for label in ("Promote…", "Roll back…"):
        button(app, label).click().run()
        assert who in app.error[0].value
        assert "'groups' is or holds 'operators'" in app.error[0].value
        assert not app.text_input, "nobody writes a reason in vain"


def test_an_operator_promotes_and_is_named_in_the_history() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    app, _ = opened(store, operators=OPERATORS, user=ADA)
    assert "is for operators" not in said(app)
    assert "Signed in as **Ada**" in said(app)
    assert button(app, "Sign out")

    app = promoted(app, "boosting", "heard it")

    assert champion(store).history[-1].who == "Ada"
    assert "by Ada" in said(app)


def test_who_stops_being_an_operator_while_the_dialog_is_open_is_refused() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    app, _ = opened(store, operators=OPERATORS, user=ADA)
    button(app, "Promote…").click().run()
    app.user = BOB

    app = answered(app, "Promote", "heard it")

    assert "'Bob' may not promote" in app.error[0].value.replace("\\", "")
    assert champion(store).model == "linear"


def test_runs_without_a_champion_are_shown_and_one_can_be_promoted() -> None:
    store = InMemoryStore()
    with_made_up(store, crowned=False)
    app, over = opened(store)
    assert "has no champion" in said(app)

    promoted(app, "forest", "the first")

    assert champion(store, "spotify-2019").model == "forest"
    assert over.registry.champion("spotify-2019") is not None


def test_without_any_run_the_page_says_how_to_get_one() -> None:
    app, _ = opened(InMemoryStore())

    assert "No model yet" in said(app)


def test_without_a_store_the_page_says_what_to_do() -> None:
    store = Moody()
    store.failure = Unreachable("could not list s3://secret-bucket")

    app, _ = opened(store)

    assert "The store is not there yet" in said(app)
    assert "secret-bucket" not in said(app)


def test_a_damaged_manifest_is_mentioned_and_the_others_are_shown() -> None:
    store = InMemoryStore()
    published(store)
    store.write(layout.run_manifest("broken"), b"{cut")

    app, _ = opened(store)

    assert "1 of the runs cannot be read (broken)" in app.warning[0].value
    assert "Leaderboard" in [heading.value for heading in app.header]


def test_a_champion_whose_run_is_gone_can_be_rolled_back() -> None:
    store = InMemoryStore()
    older = published(store, run_id="older", model="linear")
    Registry(store).publish(dataclasses.replace(older, run_id="newer"), _files(store, older))
    Registry(store).promote("demo", "newer", "linear", reason="chosen", now=NOW)
    store.delete(layout.run_manifest("newer"))
    app, _ = opened(store)
    assert "Its run cannot be read" in app.warning[0].value

    rolled_back(app, "its run is gone")

    assert champion(store).run_id == "older"


def test_a_damaged_champion_leaves_the_runs_to_look_at() -> None:
    store = InMemoryStore()
    published(store)
    store.write(layout.champion("demo"), b"{cut")

    app, _ = opened(store)

    assert "record of the champion of demo is damaged" in app.error[0].value
    assert "Leaderboard" in [heading.value for heading in app.header]
    app = promoted(app, "boosting", "so there is one")
    assert "damaged, so nothing was changed" in said(app)


def test_what_people_and_data_write_stays_text() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    reason = "<img src=x onerror=alert(1)> **bold** [link](http://evil.example)"
    Registry(store).promote("demo", "run1", "boosting", reason=reason, now=NOW, who="<b>Eve</b>")

    app, _ = opened(store)

    page = said(app)
    assert not re.search(r"(?<!\\)<(img src=x|b>Eve)", page)
    assert "&lt;img src=x onerror=alert(1)&gt; **bold**" in page, "in the history"
    assert r"\[link\]\(http" in page, "at the champion"


def test_the_history_tells_what_was_decided_by_whom_and_on_which_figures() -> None:
    run = made_up_run()
    registry = Registry(InMemoryStore())
    registry.publish(run, {entry.file: b"x" for entry in run.models})
    registry.crown(run.dataset, run.run_id, "linear", reason="the first", now=NOW)
    figures = {
        "new_artists_mae_challenger": 7.31,
        "new_artists_mae_champion": 7.17,
        "new_artists_gain_low": -0.25,
        "new_artists_gain_high": -0.03,
        "new_artists_songs": 812.0,
    }
    registry.refuse(run.dataset, "other", "forest", reason="worse", now=NOW, figures=figures)
    found = registry.promote(run.dataset, run.run_id, "boosting", reason="I like it", now=NOW)

    items = re.findall(r"<li.*?</li>", history.history(shelf(run.dataset, found, [run]), found))

    newest, refused, first = (re.sub(r"\s+", " ", text(item)).strip() for item in items)
    assert newest.startswith("Promoted Gradient boosting of run 9b1c9b1c9b1c champion now")
    assert "new artists: error 7.17, R² 0.703; known artists: error 6.35" in newest
    assert refused.startswith("Refused forest of run other")
    assert "new artists: error 7.31, the champion's 7.17, songs 812, better by −0.25 to −0.03" in (
        refused.replace("&#x27;", "'")
    )
    assert first.startswith("Crowned Linear (ridge) of run 9b1c9b1c9b1c a rollback returns here")


@pytest.mark.parametrize(
    "error",
    [
        NotAllowed("x"), InvalidReason("x"), UntrustedModel("x"), NotFound("s3://secret"),
        Conflict("s3://secret"), Corrupt("s3://secret"), Unreachable("s3://secret"),
    ],
)  # fmt: skip
def test_every_failure_is_said_in_words_without_the_stores_own(error: ChartBusterError) -> None:
    words = deciding.why_not(error)

    assert words.endswith(".")
    assert "secret" not in words
