"""The records of uploads, read back from buckets that really hold what the Lambda wrote."""

import json
from contextlib import suppress

import pytest

from chartbuster.errors import Corrupt, InvalidName, NotFound, UnreadableUpload
from chartbuster.layout import RawKey
from chartbuster.memory import InMemoryStore
from chartbuster.preparing import READY, REFUSED, prepare, report_json
from chartbuster.quality import (
    DAMAGED,
    WAITING,
    Lost,
    Rejected,
    Rows,
    Taken,
    Upload,
    datasets,
    read_report,
    reasons,
    rejects_page,
    report,
    uploads,
)
from lambdas.create_data.handler import handle
from tests.unit.test_create_data import event

SONGS = (
    b"track_id,artist_name,track_name,popularity,genre,tempo,duration_min,mood\n"
    b"a,A,One,50,Pop,120,3.5,sad\n"
    b"a,A,One,60,Rock,120,3.5,sad\n"
    b"b,B,Two,,Pop,fast,3,glad\n"
    b"c,C,Three,70,Pop,fast,3,glad\n"
    b"d,D,Four,many,Pop,90,3,glad\n"
    b"e,E,Five,'lots',Pop,90,3,glad\n"
    b"=d,D\n"
)
NO_SONGS = b"artist,title\nA,One\n"


class Buckets:
    """The raw and the ready bucket, with the Lambda between them."""

    def __init__(self) -> None:
        self.raw, self.ready = InMemoryStore(), InMemoryStore()

    def put(self, dataset: str, file: str, body: bytes, *, prepared: bool = True) -> RawKey:
        key = RawKey(dataset, file)
        self.raw.write(str(key), body)
        if prepared:
            with suppress(UnreadableUpload):
                handle(event(str(key)), raw=lambda _: self.raw, ready=self.ready)
        return key

    def uploads(self, dataset: str) -> tuple[Upload, ...]:
        return uploads(self.raw, self.ready, dataset)

    def only(self, dataset: str) -> Upload:
        (found,) = self.uploads(dataset)
        return found


def test_every_dataset_with_a_file_is_found_prepared_or_not():
    buckets = Buckets()
    buckets.put("mine", "songs.csv", SONGS)
    buckets.put("refused", "none.csv", NO_SONGS)
    buckets.put("new", "songs.csv", SONGS, prepared=False)
    buckets.raw.write("notes.txt", b"no dataset")
    buckets.raw.write("datasets/Not A Name/songs.csv", b"no dataset")

    assert datasets(buckets.raw, buckets.ready) == ("mine", "new", "refused")


def test_a_file_is_waiting_until_something_was_made_of_it():
    buckets = Buckets()
    key = buckets.put("mine", "songs.csv", SONGS, prepared=False)

    waiting = buckets.only("mine")
    assert (waiting.key, waiting.status, waiting.bytes) == (key, WAITING, len(SONGS))

    buckets.put("mine", "songs.csv", SONGS)
    assert buckets.only("mine").status == READY


def test_the_report_of_an_upload_says_what_the_lambda_found():
    buckets = Buckets()
    buckets.put("mine", "songs.csv", SONGS)

    found = report(buckets.ready, buckets.only("mine"))

    assert found.rows == Rows(read=7, rejected=4, merged=1)
    assert found.songs == 2
    assert Taken("duration_ms", "duration_min", "min") in found.columns.understood
    assert found.columns.ignored == ("mood",)
    assert found.attributes["tempo"] == Lost(missing=0, unreadable=2, examples=("fast",))
    assert found.genres == {"Pop": 2, "Rock": 1}
    assert found.popularity is not None
    assert found.popularity.median == 62.5


def test_attributes_that_lack_a_value_are_told_from_those_the_file_does_not_have():
    found = read_report(report_json(prepare(SONGS, "songs.csv").report), where="here")

    assert found.incomplete == ("tempo",)
    assert {"energy", "key", "release_year"} <= set(found.absent)
    assert "duration_ms" not in found.absent


def test_a_refused_file_says_why():
    buckets = Buckets()
    buckets.put("mine", "none.csv", NO_SONGS)

    upload = buckets.only("mine")

    assert upload.status == REFUSED
    assert "popularity" in str(report(buckets.ready, upload).reason)


def test_the_upload_shown_is_the_one_the_file_holds_now():
    buckets = Buckets()
    buckets.put("mine", "songs.csv", SONGS)
    buckets.put("mine", "songs.csv", NO_SONGS)

    assert buckets.only("mine").status == REFUSED

    buckets.put("mine", "songs.csv", SONGS)
    assert buckets.only("mine").status == READY


def test_an_upload_outlives_its_raw_file_without_a_size():
    buckets = Buckets()
    key = buckets.put("mine", "songs.csv", SONGS)
    buckets.raw.delete(str(key))

    assert (buckets.only("mine").status, buckets.only("mine").bytes) == (READY, None)


@pytest.mark.parametrize(
    "body",
    [
        b"{cut",
        b"[]",
        b'{"status": "ready"}',
        b'{"upload_id": "a/b", "status": "ready"}',
        b'{"upload_id": "a", "status": "perfect"}',
    ],
)
def test_a_damaged_pointer_is_named_and_hides_no_other_file(body):
    buckets = Buckets()
    damaged = buckets.put("mine", "a.csv", SONGS)
    buckets.put("mine", "b.csv", SONGS)
    buckets.ready.write(damaged.current, body)

    first, second = buckets.uploads("mine")

    assert (first.status, second.status) == (DAMAGED, READY)
    assert damaged.current in first.why


def test_a_report_that_is_gone_is_not_found():
    buckets = Buckets()
    buckets.put("mine", "songs.csv", SONGS)
    where = buckets.only("mine").report
    assert where is not None
    buckets.ready.delete(where.key)

    with pytest.raises(NotFound, match="upload the file again"):
        report(buckets.ready, buckets.only("mine"))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"status": "fine"}, "'fine'"),
        ({"status": "refused"}, "with a reason"),
        ({"songs": "many"}, "songs is 'many'; expected int"),
        ({"songs": -1}, "none below 0"),
        ({"rows": {"read": 1}}, "lacks rejected, merged"),
        ({"genres": {"Pop": "two"}}, "genres.Pop"),
    ],
)
def test_a_report_that_cannot_be_right_is_not_believed(changed, complaint):
    body = json.dumps({**prepare(SONGS, "songs.csv").report, **changed}).encode()

    with pytest.raises(Corrupt, match=complaint):
        read_report(body, where="here")


def test_reports_of_other_releases_are_read_as_far_as_they_go():
    prepared = {**prepare(SONGS, "songs.csv").report, "planet": "Earth"}
    del prepared["popularity"], prepared["genres"]

    found = read_report(json.dumps(prepared).encode(), where="here")

    assert (found.popularity, found.genres, found.songs) == (None, {}, 2)


def test_a_dataset_must_have_a_name_that_can_be_one():
    buckets = Buckets()

    assert buckets.uploads("nothing-here") == ()
    with pytest.raises(InvalidName):
        buckets.uploads("../all")


def test_rejects_come_in_pages():
    body = prepare(SONGS, "songs.csv").rejects

    first = rejects_page(body, start=0, size=2, where="here")
    last = rejects_page(body, start=2, size=50, where="here")

    assert first[0] == Rejected(4, "popularity is missing", "b,B,Two,,Pop,fast,3,glad")
    assert [each.line for each in (*first, *last)] == [4, 6, 7, 8]
    assert last[-1].row == "'=d,D"
    assert rejects_page(body, start=50, size=50, where="here") == ()


def test_reasons_that_differ_only_in_the_value_are_of_one_kind():
    counts = reasons(prepare(SONGS, "songs.csv").rejects, where="here")

    assert list(counts.items()) == [
        ("popularity … is no number", 2),
        ("popularity is missing", 1),
        ("the row has 2 fields; expected 8", 1),
    ]


def test_a_row_of_several_lines_stays_one_row():
    prepared = prepare(b'artist,title,popularity\nA,"One\r\nmore",x\nB,Two,5\n', "songs.csv")

    (row,) = rejects_page(prepared.rejects, start=0, size=9, where="here")

    assert row.row == 'A,"One\r\nmore",x'


@pytest.mark.parametrize("body", [b"", b"<html>", b"line,reason,row\nfour,why,x\n"])
def test_rejects_that_are_none_are_not_believed(body):
    with pytest.raises(Corrupt, match="here"):
        rejects_page(body, start=0, size=9, where="here")


def test_rejects_that_were_cut_short_are_named():
    with pytest.raises(Corrupt, match="row 2 of here"):
        reasons(b"line,reason,row\n4,why,x\n5,wh", where="here")
