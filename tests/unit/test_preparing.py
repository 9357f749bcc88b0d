"""The whole way of an upload, as bytes in and bytes out."""

import csv
import gzip
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from chartbuster.features import read_ready
from chartbuster.identity import digest
from chartbuster.preparing import prepare, report_json
from chartbuster.tables import to_csv

SONGS = (
    b"track_id,artist_name,track_name,popularity,genre,tempo,duration_min,mood\r\n"
    b"a,A,One,50,Pop,120,3.5,sad\r\n"
    b"a,A,One,60,Rock,120,3.5,sad\r\n"
    b"b,B,Two,,Pop,fast,3,glad\r\n"
    b"c,C,Three,70,Pop,fast,3,glad\r\n"
    b"=d,D\r\n"
)


def rejects_of(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode())))


def test_the_report_says_what_became_of_every_row():
    report = prepare(SONGS, "songs.csv").report
    assert report["status"] == "ready"
    assert report["reason"] is None
    assert report["rows"] == {"read": 5, "rejected": 2, "merged": 1}
    assert report["songs"] == 2
    assert report["genres"] == {"Pop": 2, "Rock": 1}
    assert report["popularity"] == {"min": 55, "median": 62.5, "mean": 62.5, "max": 70, "zeros": 0}


def test_the_report_says_what_each_column_was_taken_for():
    columns = prepare(SONGS, "songs.csv").report["columns"]
    taken = {each["field"]: (each["column"], each["unit"]) for each in columns["understood"]}
    assert taken["duration_ms"] == ("duration_min", "min")
    assert taken["song_id"] == ("track_id", None)
    assert columns["ignored"] == ["mood"]


def test_the_report_counts_what_is_missing_and_what_cannot_be_read():
    attributes = prepare(SONGS, "songs.csv").report["attributes"]
    assert attributes["tempo"] == {"missing": 0, "unreadable": 2, "examples": ["fast"]}
    assert attributes["energy"] == {"missing": 4, "unreadable": 0, "examples": []}
    assert set(attributes) >= {"key", "mode", "time_signature", "release_year"}


def test_rejects_hold_line_reason_and_text_and_no_formula():
    assert rejects_of(prepare(SONGS, "songs.csv").rejects) == [
        ["line", "reason", "row"],
        ["4", "popularity is missing", "b,B,Two,,Pop,fast,3,glad"],
        ["6", "the row has 2 fields; expected 8", "'=d,D"],
    ]


def test_no_cell_of_the_rejects_is_a_formula():
    rows = b"".join(start + b"x\n" for start in (b"=", b"+", b"-", b"@", b"\t", b'"\r'))
    found = rejects_of(prepare(b"a,popularity\nok,50\n" + rows, "songs.csv").rejects)
    assert len(found) > 5
    for row in found:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


def test_without_rejects_there_is_no_file_of_them():
    assert prepare(b"popularity\n5\n", "songs.csv").rejects == b""


def test_a_refused_file_has_a_reason_and_nothing_else():
    prepared = prepare(b"a,b\n1,2\n3\n", "songs.csv")
    assert prepared.report["status"] == "refused"
    assert prepared.refused is not None
    assert prepared.refused.startswith("songs.csv: no column holds the popularity; the columns are")
    assert prepared.cleaned == prepared.ready == b""
    assert len(rejects_of(prepared.rejects)) == 2


def test_the_unpacked_size_is_bounded():
    assert prepare(gzip.compress(SONGS), "songs.csv.gz", most=100).refused is not None
    assert prepare(gzip.compress(SONGS), "songs.csv.gz", most=10_000).refused is None


def test_the_same_bytes_give_the_same_bytes():
    first, second = prepare(SONGS, "songs.csv"), prepare(bytes(bytearray(SONGS)), "songs.csv")
    assert (first.cleaned, first.ready, first.rejects) == (
        second.cleaned,
        second.ready,
        second.rejects,
    )
    assert report_json(first.report) == report_json(second.report)


def test_the_bytes_are_the_same_on_every_machine():
    """Change these digests only together with SCHEMA_VERSION or for a fault in what is written."""
    prepared = prepare(SONGS, "songs.csv")
    assert digest(prepared.cleaned)[:16] == "2a2de1916a5d611b"
    assert digest(prepared.ready)[:16] == "ee81aad9a9ceddf0"


def test_a_stored_report_can_be_stored_again_unchanged():
    stored = report_json(prepare(SONGS, "songs.csv").report)
    assert report_json(json.loads(stored)) == stored


def test_gzip_makes_no_difference_to_the_songs():
    assert prepare(gzip.compress(SONGS), "songs.csv").ready == prepare(SONGS, "songs.csv").ready


HEADERS = (
    *("popularity", "track_id", "artists", "title", "genre", "key", "tempo", "duration"),
    *("energy_%", "time_signature", "release_date", "mode", "valence", "what"),
)
TEXT = st.text(st.sampled_from("aé,\"'\n\r;=0159.-/#[]%Pp\0 "), max_size=10)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "popularity",
                "track_id",
                "artists",
                "title",
                "genre",
                "key",
                "tempo",
                "duration",
                "energy_%",
                "time_signature",
                "release_date",
                "mode",
                "valence",
                "what",
            ]
        ),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.lists(TEXT, min_size=1, max_size=5), max_size=6),
)
def test_whatever_the_cells_hold_a_file_is_prepared_or_refused(header, rows):
    out = io.StringIO()
    csv.writer(out).writerows([["popularity", *header], *(["50", *row] for row in rows)])
    prepared = prepare(out.getvalue().encode(), "songs.csv")
    report_json(prepared.report)
    if prepared.refused is None:
        ready = read_ready(prepared.ready)
        assert to_csv(ready) == prepared.ready
        assert len(ready) == prepared.report["songs"] > 0
