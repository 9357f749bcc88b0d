"""The page Pipeline in every state a visitor can meet, driven without a browser."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import webapp
from chartbuster import identity
from chartbuster.errors import Conflict, InvalidName, NotFound, Unreachable
from chartbuster.layout import RawKey
from chartbuster.memory import InMemoryQueue, InMemoryStore
from chartbuster.operators import Operators
from chartbuster.passages import Place, View
from chartbuster.ports import Depth, ObjectInfo
from chartbuster.preparing import prepare
from tests.unit.test_webapp_page import button, said
from tests.unit.way import NO_POPULARITY, Way, failure, songs
from webapp import edges
from webapp.pipeline import acting, stations, timeline, words
from webapp.sighting import Sighting

APP = Path(webapp.__file__).with_name("app.py")


class Present(Way):
    """A way whose time is the app's own."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=self.back)

    back = 0.0


@pytest.fixture
def way() -> Way:
    return Present()


def opened(way: Way, **changes: object) -> AppTest:
    """The page as a visitor finds it."""
    over = way.edges
    for name, value in changes.items():
        object.__setattr__(over, name, value)
    edges.provide(over)
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    app.switch_page("entries/pipeline.py").run()
    assert not app.exception
    return app


def again(app: AppTest) -> AppTest:
    """The page a moment later."""
    edges.edges().sighting.view(anew=True)
    app.run()
    assert not app.exception
    return app


def read(app: AppTest) -> str:
    """What the page says, without markup."""
    whole = "\n".join([said(app), *(str(each.value) for each in app.success)])
    text = re.sub(r"<style>.*?</style>", "", whole, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\\", "").replace("**", "")


def test_before_the_first_upload_the_page_explains_the_way_and_says_what_to_do(way: Way) -> None:
    page = read(opened(way))

    for name in ("Raw bucket", "create_data", "Ready bucket", "Training queue", "Trainer"):
        assert name in page
    assert "Nothing was uploaded yet" in page
    assert page.count("No letters.") == 2


def test_a_file_is_seen_at_each_station_as_it_goes(way: Way) -> None:
    app = opened(way)

    way.put()
    assert "mine / songs.csv . Uploaded; create_data has been at it" in read(again(app))

    way.prepare()
    page = read(again(app))
    assert "Prepared; waits to be trained" in page
    assert "60 songs" in page
    assert "1 upload waits to be trained" in page
    assert "SQS itself does not tell" in page

    way.note("fitting Random forest", 0.43)
    page = read(again(app))
    assert "In training: fitting Random forest, 43 %" in page
    assert 'value="0.430"' in said(app)

    way.train()
    page = read(again(app))
    assert "Trained; boosting of run run1 predicts now" in page
    assert "Champion boosting: the first" in page


def test_a_refused_upload_says_why_and_its_letter_can_be_redriven(way: Way) -> None:
    way.put(body=NO_POPULARITY)
    way.prepare()
    app = opened(way)
    page = read(app)
    assert page.count("no column holds the popularity") >= 3, "the way, the uploads, the letter"
    assert "newest upload ended here" in page

    button(app, "Redrive").click().run()

    assert not app.exception
    assert "was put again and is on its way to the Lambda" in read(app)
    assert way.upload_letters.bodies == []


def test_all_letters_can_be_redriven_at_once(way: Way) -> None:
    way.training_letters.put("one", reason="out of memory")
    way.training_letters.put("two")
    app = opened(way)
    assert "out of memory" in read(app)
    assert "failed as often as the queue tries again" in read(app)

    button(app, "Redrive all 2").click().run()

    assert sorted(way.queue.waiting) == ["one", "two"]
    assert read(app).count("Back in the training queue") == 2


def test_discarding_a_letter_asks_first_and_says_that_it_is_gone(way: Way) -> None:
    way.training_letters.put("one")
    app = opened(way)
    assert "gone for good" in read(app)

    button(app, "Discard for good").click().run()

    assert way.training_letters.bodies == []
    assert "Discarded" in read(app)
    assert way.queue.unfinished == []


def test_a_file_is_uploaded_and_shown_at_once(way: Way) -> None:
    app = opened(way)

    app.text_input[0].set_value("mine")
    app.file_uploader[0].set_value(("songs.csv", songs(), "text/csv"))
    button(app, "Send this file").click().run()

    assert not app.exception
    assert way.raw.read("datasets/mine/songs.csv").body == songs()
    page = read(app)
    assert "songs.csv is in the raw bucket, as a file of the dataset mine" in page
    assert "create_data has been at it" in page


@pytest.mark.parametrize(
    ("dataset", "file", "why"),
    [("", "songs.csv", "Name a dataset"), ("Not Right", "songs.csv", "dataset name 'Not Right'")],
)
def test_an_upload_that_cannot_be_is_refused_before_anything_is_stored(
    way: Way, dataset: str, file: str, why: str
) -> None:
    app = opened(way)

    app.text_input[0].set_value(dataset)
    app.file_uploader[0].set_value((file, songs(), "text/csv"))
    button(app, "Send this file").click().run()

    assert why.lower() in read(app).lower()
    assert list(way.raw.list("")) == []


def test_without_a_file_the_page_asks_for_one(way: Way) -> None:
    app = opened(way)
    app.text_input[0].set_value("mine")
    button(app, "Send this file").click().run()
    assert "choose a file" in read(app)


def test_made_up_songs_are_sent_without_a_file(way: Way) -> None:
    app = opened(way)

    button(app, "Send 2,000 made-up songs").click().run()

    assert not app.exception
    (item,) = way.raw.list("")
    key = RawKey.parse(item.key)
    assert key.dataset == "demo-small"
    assert "demo-small / made_up_songs.csv.gz" in read(app)


def test_made_up_songs_can_be_prepared_and_differ_each_time() -> None:
    first, second = acting.small_catalogue(1), acting.small_catalogue(2)

    assert first == acting.small_catalogue(1)
    assert identity.upload_id(first) != identity.upload_id(second)
    report = prepare(first, acting.DEMO_FILE).report
    assert (report["status"], report["songs"]) == ("ready", acting.DEMO_SONGS)


def test_without_an_operators_claim_nothing_can_be_pressed(way: Way) -> None:
    way.training_letters.put("one")
    app = opened(way, operators=Operators("groups", "operators"))

    assert "Uploading is for operators" in read(app)
    assert "Redriving and discarding are for operators" in read(app)
    pressable = {found.label for found in app.button if not found.disabled}
    assert pressable <= {"Sign in", "Discard for good"}, "the popover itself cannot be opened"


class Away(InMemoryStore):
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        raise Unreachable("no answer")


class AwayQueue(InMemoryQueue):
    def depth(self) -> Depth:
        raise Unreachable("no answer")


def test_a_store_that_is_away_is_named_with_what_to_do(way: Way) -> None:
    page = read(opened(way, raw=Away()))

    assert "Does not answer at the moment: the buckets" in page
    assert "make status" in page
    assert "what was uploaded cannot be listed" in page


def test_queues_that_are_away_leave_the_uploads(way: Way) -> None:
    way.put()
    page = read(opened(way, queue=AwayQueue()))

    assert "Does not answer at the moment: the training queue" in page
    assert "mine / songs.csv" in page


def test_a_look_that_fails_leaves_a_page(way: Way) -> None:
    def fails() -> View:
        raise RuntimeError("a fault of ours")

    page = read(opened(way, sighting=Sighting(fails)))

    assert "looking at the stack for the first time" in page


def test_nobody_training_is_said_once_it_lasts(way: Way) -> None:
    assert isinstance(way, Present)
    way.back = 60.0
    way.put()
    way.prepare()
    way.back = 0.0

    assert "Nobody trains at the moment" in read(opened(way))


def test_what_files_and_letters_are_called_is_shown_letter_by_letter(way: Way) -> None:
    way.raw.write("datasets/<b>x/<img src=x onerror=alert(1)>.csv", b"x")
    way.upload_letters.put(failure("datasets/m/<b>.csv", "<script>alert(1)</script> [a](http://b)"))

    app = opened(way)

    assert "<img" not in said(app)
    assert "<b>" not in said(app)
    for each in app.get("markdown"):
        assert not each.proto.allow_html
    assert "\\[a\\]" in said(app)


@pytest.mark.parametrize("place", list(Place))
def test_every_place_has_its_station_and_words(way: Way, place: Place) -> None:
    assert place in stations._AT
    assert place in stations._PLACES


def test_a_run_that_did_not_become_champion_says_so_and_why(way: Way) -> None:
    way.put()
    way.prepare()
    way.train("run1")
    other = RawKey("mine", "more.csv")
    way.put(other, songs(seed=9))
    way.prepare(other)
    way.train("run2", crown=False, reason="no better by more than chance")

    page = read(opened(way))

    assert "Did not become champion no better by more than chance" in page


def test_a_run_nothing_is_heard_of_says_since_when(way: Way) -> None:
    assert isinstance(way, Present)
    way.back = 300.0
    way.put()
    way.prepare()
    way.note("fitting Linear", 0.5)
    way.back = 0.0

    assert "nothing heard for 5 min" in read(opened(way))


def test_steps_tell_how_long_each_took(way: Way) -> None:
    clocked = Way()
    clocked.put()
    clocked.after(2)
    clocked.prepare()
    clocked.after(10)
    clocked.train()
    clocked.after(60)

    told = timeline.steps(clocked.newest(), clocked.time)

    assert [(step.title, step.says) for step in told] == [
        ("Uploaded", f"1 min 12 s ago, {words.size(len(songs()))}"),
        ("Prepared", "in 2 s, 60 songs"),
        ("Waited", "8 s in the queue"),
        ("Trained", "in 2 s, run run1"),
        ("Champion", "boosting: the first"),
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "under 1 s"),
        (0.4, "under 1 s"),
        (59.9, "59 s"),
        (185, "3 min 5 s"),
        (3_000, "50 min"),
        (7_800, "2 h 10 min"),
        (260_000, "3 days"),
    ],
)
def test_times_are_put_into_words(seconds: float, expected: str) -> None:
    assert words.span(seconds) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotFound("x"), "make up"),
        (Conflict("x"), "faster"),
        (Unreachable("x"), "does not answer"),
        (InvalidName("a name"), "A name\\."),
    ],
)
def test_what_stood_in_the_way_is_told_with_what_to_do(error: Exception, expected: str) -> None:
    assert isinstance(error, NotFound | Conflict | Unreachable | InvalidName)
    assert expected in acting.why_not(error)


# --- one sight for all ---


def test_many_visitors_ask_once_a_second() -> None:
    now = [100.0]
    looks: list[View] = []

    def look() -> View:
        looks.append(View(datetime.now(UTC)))
        return looks[-1]

    sighting = Sighting(look, monotonic=lambda: now[0])

    first = sighting.view()
    assert [sighting.view() for _ in range(20)] == [first] * 20
    assert len(looks) == 1

    now[0] += 1.1
    assert sighting.view() is not first
    sighting.view(anew=True)
    assert len(looks) == 3
