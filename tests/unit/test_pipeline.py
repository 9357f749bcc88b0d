"""One file goes its way, and somebody watches; letters come, and somebody deals with them."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chartbuster import layout
from chartbuster.errors import InvalidName, NotAllowed, Unreachable, UnreadableUpload
from chartbuster.letters import TRAINING, UPLOAD, told
from chartbuster.memory import InMemoryDeadLetters, InMemoryQueue, InMemoryStore
from chartbuster.operations import PipelineOperations
from chartbuster.operators import EVERYBODY, Operators, Person
from chartbuster.passages import (
    AtWork,
    Failed,
    Place,
    Prepared,
    Preparing,
    Queued,
    Refused,
    Stock,
    Trained,
)
from chartbuster.pipeline import LARGEST_UPLOAD, Handled, discard, redrive, upload
from chartbuster.ports import Depth, Letter, ObjectInfo, StoredObject
from chartbuster.watching import Watcher
from tests.unit.way import NO_POPULARITY, SONGS, Way, failure, notification, songs


@pytest.fixture
def way() -> Way:
    return Way()


# --- one file goes its way ---


def test_nothing_uploaded_yet_is_a_view_without_passages(way: Way):
    view = way.look()

    assert (view.passages, view.silent, view.moving) == ((), (), False)
    assert view.stock == Stock(0, 0, 0)
    assert view.queue == Depth(0, 0)


def test_a_file_is_followed_from_upload_to_champion(way: Way):
    way.put()
    found = way.newest()
    assert (found.place, found.preparation, found.moving) == (Place.LAMBDA, Preparing(), True)
    assert (found.file, found.size) == (SONGS, len(songs()))

    way.after(2)
    way.prepare()
    found = way.newest()
    assert found.place is Place.QUEUE
    assert found.preparation == Prepared(way.time, seconds=2.0, songs=60, rejected=0)
    assert found.training == Queued(way.time, behind=False)
    assert way.look().waiting_since == way.time
    assert way.look().queue == Depth(waiting=1, in_hand=0)

    way.after(5)
    way.note("fitting the network", 0.4, seconds=3.0)
    found = way.newest()
    assert found.place is Place.TRAINER
    assert isinstance(found.training, AtWork)
    assert (found.training.note.stage, found.training.note.fraction) == ("fitting the network", 0.4)
    assert [note.dataset for note in way.look().notes] == ["mine"]

    way.after(5)
    way.train()
    found = way.newest()
    assert (found.place, found.moving) == (Place.APP, False)
    assert isinstance(found.training, Trained)
    assert (found.training.decision.run_id, found.training.reigns) == ("run1", True)
    assert (found.training.songs, found.training.seconds) == (100, 2.0)
    assert way.look().stock == Stock(uploads=1, prepared=1, champions=1)
    assert way.look().notes == ()
    assert not way.look().moving


def test_a_refused_file_says_why(way: Way):
    way.put(body=NO_POPULARITY)
    way.prepare()

    found = way.newest()

    assert found.place is Place.UPLOAD_LETTERS
    assert isinstance(found.preparation, Refused)
    assert "no column holds the popularity" in found.preparation.reason


def test_a_key_nobody_can_read_is_refused_as_the_lambda_does(way: Way):
    way.raw.write("datasets/Not Right/songs.txt", b"x")

    found = way.newest()

    assert isinstance(found.preparation, Refused)
    assert "dataset name 'Not Right'" in found.preparation.reason
    assert found.file is None


def test_a_corrected_file_of_the_same_name_begins_anew(way: Way):
    way.put(body=NO_POPULARITY)
    way.prepare()
    way.after(60)

    way.put()
    assert way.newest().place is Place.LAMBDA

    way.after(1)
    way.prepare()
    assert way.newest().place is Place.QUEUE


def test_the_same_bytes_again_are_prepared_already(way: Way):
    way.put()
    way.after(1)
    way.prepare()
    way.train()
    way.after(60)

    way.put()

    found = way.newest()
    assert found.place is Place.APP
    assert isinstance(found.preparation, Prepared)
    assert found.preparation.seconds is None


def test_a_lambda_that_gave_up_is_told_by_its_letter(way: Way):
    way.put()
    way.upload_letters.put(failure(str(SONGS), "Task timed out"), sent=way.time)
    way.after(1)

    assert way.newest().preparation == Failed("Task timed out")
    assert way.newest().place is Place.UPLOAD_LETTERS

    way.after(60)
    way.put()
    assert way.newest().preparation == Preparing(), "the letter is about the upload before"


def test_a_training_that_was_refused_says_why(way: Way):
    way.put()
    way.prepare()
    way.after(3)
    way.note("refused", 1.0, seconds=1.0, reason="4 songs; expected at least 50")

    assert way.newest().training == Failed("4 songs; expected at least 50")
    assert way.newest().place is Place.TRAINING_LETTERS


def test_a_training_that_failed_too_often_is_told_by_its_letter(way: Way):
    way.put()
    way.prepare()
    (body,) = way.queue.waiting
    way.training_letters.put(body, reason="the run ended with -9", sent=way.time)

    assert way.newest().training == Failed("the run ended with -9")


def test_a_run_that_began_before_the_file_was_ready_is_not_its_own(way: Way):
    way.put()
    way.prepare()
    way.train()
    way.after(60)
    other = layout.RawKey("mine", "more.csv")
    way.put(other, songs(seed=9))
    way.prepare(other)
    way.note("searching", 0.2, seconds=30.0)

    more, first = way.look().passages

    assert (more.file, more.training) == (other, Queued(way.time, behind=True))
    assert isinstance(first.training, Trained), "what a run learnt from stays learnt"


def test_a_run_that_did_not_become_champion_says_why(way: Way):
    way.put()
    way.prepare()
    way.train("run1")
    way.after(60)
    way.put(body=songs(seed=9))
    way.after(1)
    way.prepare()
    way.train("run2", crown=False, reason="no better by more than chance")

    found = way.newest()

    assert isinstance(found.training, Trained)
    assert found.training.decision.run_id == "run2"
    assert found.training.decision.reason == "no better by more than chance"
    assert not found.training.reigns


def test_only_the_last_uploads_are_looked_at_the_newest_first(way: Way):
    for number in range(13):
        way.after(1)
        way.put(layout.RawKey("mine", f"{number}.csv"))

    view = way.look()

    assert [passage.key[-6:] for passage in view.passages[:2]] == ["12.csv", "11.csv"]
    assert len(view.passages) == 10
    assert view.stock is not None
    assert view.stock.uploads == 13


@pytest.mark.parametrize("damaged", ["current.json", "report.json", "champion", "progress", "run"])
def test_a_damaged_record_hides_only_what_it_says(way: Way, damaged: str):
    way.put()
    way.after(1)
    way.prepare()
    way.train()
    (table,) = (i.key for i in way.ready.list("") if i.key.endswith(layout.READY))
    keys = {
        "current.json": (way.ready, SONGS.current),
        "report.json": (way.ready, table.replace(layout.READY, layout.REPORT)),
        "champion": (way.artifacts, layout.champion("mine")),
        "progress": (way.artifacts, layout.progress("mine")),
        "run": (way.artifacts, layout.run_manifest("run1")),
    }
    for body in (b"{cut", b"[]", b'{"fraction": 1e999}', b'{"upload_id": 7, "status": {}}'):
        store, key = keys[damaged]
        store.write(key, body)

        view = Watcher(way.pipeline, now=way.now).look()

        assert len(view.passages) == 1
        assert view.silent == ()


def test_what_did_not_change_is_not_read_again(way: Way):
    way.put()
    way.after(1)
    way.prepare()
    way.train()
    counting = Counting.of(way)
    watcher = Watcher(counting.pipeline, now=way.now)
    watcher.look()
    first = counting.reads
    assert 0 < first < 10

    watcher.look()
    assert counting.reads == first

    way.artifacts.write(layout.progress("mine"), b'{"stage": "x", "fraction": 0.5}')
    watcher.look()
    assert counting.reads == first + 1


class Counting(Way):
    """The stores of another way, counting what is read."""

    @classmethod
    def of(cls, way: Way) -> "Counting":
        made = cls()
        made.reads = 0
        for name in ("raw", "ready", "artifacts"):
            store: InMemoryStore = getattr(way, name)
            object.__setattr__(made.pipeline, name, CountingStore(store, made))
        return made

    reads: int


class CountingStore(InMemoryStore):
    def __init__(self, store: InMemoryStore, count: Counting) -> None:
        super().__init__()
        self._store, self._count = store, count

    def read(self, key: str) -> StoredObject:
        self._count.reads += 1
        return self._store.read(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        return self._store.list(prefix)


# --- what does not answer ---


class AwayStore(InMemoryStore):
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        raise Unreachable(f"no answer for {prefix}")


class AwayQueue(InMemoryQueue):
    def depth(self) -> Depth:
        raise Unreachable("no answer")


def test_what_does_not_answer_is_named_and_the_rest_is_shown(way: Way):
    way.put()
    object.__setattr__(way.pipeline, "queue", AwayQueue())

    view = way.look()

    assert view.silent == ("the training queue",)
    assert view.queue is None
    assert len(view.passages) == 1


def test_buckets_that_do_not_answer_leave_the_queues(way: Way):
    way.queue.send("x")
    object.__setattr__(way.pipeline, "ready", AwayStore())

    view = way.look()

    assert view.silent == ("the buckets",)
    assert (view.passages, view.stock) == ((), None)
    assert view.queue == Depth(1, 0)


# --- letters ---


def test_letters_are_shown_with_what_they_are_about_and_given_back(way: Way):
    way.put(body=NO_POPULARITY)
    way.prepare()
    way.training_letters.put("nonsense", reason="not JSON")

    view = way.look()

    assert view.upload_letters is not None
    assert view.training_letters is not None
    (refused,), (nonsense,) = view.upload_letters.letters, view.training_letters.letters
    assert refused.keys == (str(SONGS),)
    assert "no column holds the popularity" in refused.reason
    assert (nonsense.reason, nonsense.keys) == ("not JSON", ())
    assert "'nonsense'" in nonsense.what
    assert way.upload_letters.depth() == Depth(1, 0), "whoever looks next finds it too"


def test_letters_are_not_taken_again_while_their_number_stays(way: Way):
    way.training_letters.put("one")
    way.look()
    others = way.training_letters.take(limit=10, seconds=30)

    view = way.look()

    assert len(others) == 1
    assert view.training_letters is not None
    assert len(view.training_letters.letters) == 1, "as seen before"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[" * 100_000,
        '{"requestPayload": []}',
        '{"requestPayload": {"Records": {"s3": 1}}, "responsePayload": {"errorMessage": 7}}',
        '{"requestPayload": {"Records": [1, {"s3": {"object": {"key": null}}}]}}',
        "\ud800<script>",
    ],
)
@pytest.mark.parametrize("kind", [UPLOAD, TRAINING])
def test_whatever_a_letter_holds_it_can_be_told(way: Way, body: str, kind: str):
    found = told(Letter("1", body, "", way.time, "r"), kind)
    assert found.keys == ()
    assert found.reason
    assert len(found.what) < 2_000


def test_a_letter_of_a_lambda_that_said_nothing_gives_the_condition(way: Way):
    body = json.dumps({"requestContext": {"condition": "EventAgeExceeded"}})
    assert "EventAgeExceeded" in told(Letter("1", body, "", way.time, "r"), UPLOAD).reason


def test_a_key_with_a_space_is_told_as_it_is(way: Way):
    body = failure("datasets/mine/my songs+.csv", "x")
    assert told(Letter("1", body, "", way.time, "r"), UPLOAD).keys == (
        "datasets/mine/my songs+.csv",
    )


def ids(letters: InMemoryDeadLetters) -> list[str]:
    held = letters.take(limit=100, seconds=1)
    letters.give_back(held)
    return [letter.id for letter in held]


def test_a_training_that_is_redriven_goes_back_to_its_queue(way: Way):
    way.training_letters.put("first")
    way.training_letters.put("second")

    handled = redrive(way.pipeline, TRAINING, ids(way.training_letters)[:1])

    assert [each.said for each in handled] == ["back in the training queue"]
    assert way.queue.waiting == ["first"]
    assert way.training_letters.bodies == ["second"]
    assert way.training_letters.depth() == Depth(1, 0)


def test_an_upload_that_is_redriven_is_put_again_unchanged(way: Way):
    way.put(body=NO_POPULARITY)
    way.prepare()
    way.after(60)

    (handled,) = redrive(way.pipeline, UPLOAD, ids(way.upload_letters))

    assert "put again" in handled.said
    assert way.upload_letters.bodies == []
    (item,) = way.raw.list("")
    assert item.modified == way.time
    assert way.raw.read(str(SONGS)).body == NO_POPULARITY


def test_an_upload_that_was_corrected_since_is_not_put_again(way: Way):
    way.put(body=NO_POPULARITY)
    way.prepare()
    way.put()
    way.prepare()
    uploaded = way.time
    way.after(60)

    (handled,) = redrive(way.pipeline, UPLOAD, ids(way.upload_letters))

    assert (handled.gone, "prepared since" in handled.said) == (True, True)
    assert [item.modified for item in way.raw.list("")] == [uploaded]
    assert way.upload_letters.bodies == []


def test_an_upload_that_is_gone_takes_its_letter_with_it(way: Way):
    way.upload_letters.put(failure(str(SONGS), "x"))

    (handled,) = redrive(way.pipeline, UPLOAD, ids(way.upload_letters))

    assert "gone from the raw bucket" in handled.said
    assert way.upload_letters.bodies == []


@pytest.mark.parametrize(
    "body",
    ["nonsense", failure("datasets/Not Right/songs.txt", "x"), json.dumps(notification("x"))],
)
def test_a_letter_that_cannot_be_asked_again_stays_and_says_so(way: Way, body: str):
    way.upload_letters.put(body)

    (handled,) = redrive(way.pipeline, UPLOAD, ids(way.upload_letters))

    assert not handled.gone
    assert handled.said.startswith("stays: ")
    assert way.upload_letters.depth() == Depth(1, 0)


def test_a_letter_somebody_else_dealt_with_is_not_there_any_more(way: Way):
    assert redrive(way.pipeline, TRAINING, ["letter-9"]) == (
        Handled("letter-9", True, "not there any more"),
    )


class AwayAfterOne(InMemoryQueue):
    def send(self, body: str) -> None:
        if self.waiting:
            raise Unreachable("no answer")
        super().send(body)


def test_no_letter_is_lost_when_the_queue_goes_away_halfway(way: Way):
    for body in ("first", "second", "third"):
        way.training_letters.put(body)
    object.__setattr__(way.pipeline, "queue", AwayAfterOne())

    with pytest.raises(Unreachable):
        redrive(way.pipeline, TRAINING, ids(way.training_letters))

    assert way.training_letters.bodies == ["second", "third"]
    assert way.training_letters.depth() == Depth(2, 0)


def test_discarded_letters_are_gone_and_others_stay(way: Way):
    for body in ("first", "second"):
        way.training_letters.put(body)

    discard(way.pipeline, TRAINING, ids(way.training_letters)[:1])

    assert way.training_letters.bodies == ["second"]
    assert way.queue.unfinished == []


# --- what people do ---


def test_an_upload_lands_in_the_raw_bucket_and_replaces_one_of_its_name(way: Way):
    assert upload(way.pipeline, "mine", "songs.csv", b"one") == SONGS
    upload(way.pipeline, "mine", "songs.csv", b"two")
    assert way.raw.read("datasets/mine/songs.csv").body == b"two"


@pytest.mark.parametrize(("dataset", "file"), [("Mine", "songs.csv"), ("mine", "../songs.csv")])
def test_a_name_that_can_be_no_key_is_refused(way: Way, dataset: str, file: str):
    with pytest.raises(InvalidName, match="expected"):
        upload(way.pipeline, dataset, file, b"x")
    assert list(way.raw.list("")) == []


@pytest.mark.parametrize("size", [0, LARGEST_UPLOAD + 1])
def test_a_file_that_is_empty_or_too_large_is_refused_with_the_limit(way: Way, size: int):
    with pytest.raises(UnreadableUpload, match=f"expected 1 to {LARGEST_UPLOAD:,}"):
        upload(way.pipeline, "mine", "songs.csv", bytes(size))


def test_without_an_operators_claim_nothing_can_be_changed(way: Way):
    guarded = PipelineOperations(way.pipeline, Operators("groups", "operators"))
    bob = Person("Bob", {"groups": ["listeners"]})
    way.training_letters.put("one")

    for attempt in (
        lambda: guarded.upload(bob, "mine", "songs.csv", b"x"),
        lambda: guarded.redrive(bob, TRAINING, ids(way.training_letters)),
        lambda: guarded.discard(None, UPLOAD, ids(way.training_letters)),
    ):
        with pytest.raises(NotAllowed, match="operators"):
            attempt()

    assert list(way.raw.list("")) == []
    assert way.training_letters.bodies == ["one"]


def test_where_nobody_signs_in_everybody_may(way: Way):
    free = PipelineOperations(way.pipeline, EVERYBODY)
    way.training_letters.put("one")
    way.training_letters.put("two")

    free.upload(None, "mine", "songs.csv", songs())
    first, second = ids(way.training_letters)
    free.redrive(None, TRAINING, [first])
    free.discard(None, TRAINING, [second])

    assert way.newest().place is Place.LAMBDA
    assert way.queue.waiting == ["one"]
    assert way.training_letters.bodies == []


def test_letters_taken_by_a_program_that_died_come_back(way: Way):
    way.training_letters.put("one")
    way.training_letters.take(limit=1, seconds=0)
    assert ids(way.training_letters) == ["letter-1"]


def test_the_longest_wait_is_told(way: Way):
    way.put()
    way.prepare()
    start = way.time
    way.after(30)
    other = layout.RawKey("other", "more.csv")
    way.put(other, songs(seed=9))
    way.prepare(other)

    view = way.look()

    assert view.waiting_since == start
    assert view.at - start == timedelta(seconds=30)
