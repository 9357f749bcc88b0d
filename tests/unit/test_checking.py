"""What will become of a file is known before any model is asked, and is what then becomes of it."""

import gzip
import io

import pytest

from chartbuster.batches import Tally, score
from chartbuster.checking import MOST_TOLD, Checked, Limits, blocks, check
from chartbuster.errors import UnreadableUpload
from tests.unit.test_batches import HEADER, INPUTS, ask, song

LIMITS = Limits(rows=1_000, unpacked=1_000_000)


def checked(body: bytes, *, limits: Limits = LIMITS, rows: int = 20_000) -> Checked:
    return check(io.BytesIO(body), INPUTS, limits=limits, rows=rows)


def table(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


MIXED = table(
    song(n=1),
    song(energy="loud", n=2),
    "1,2,3",
    song(n=4, genre="Gabber|Pop"),
    ",,,,,,,,,",
    song(tempo="", n=6),
)


@pytest.mark.parametrize("rows", [1, 2, 20_000])
def test_what_is_said_before_is_what_happens_then(rows: int) -> None:
    before = checked(MIXED, rows=rows)

    after = Tally()
    for block in score(
        blocks(io.BytesIO(MIXED), before.how, limits=LIMITS), ask, INPUTS, how=before.how
    ):
        after.add(block)

    assert before.tally == after
    assert (after.rows, after.scored, after.rejected) == (6, 3, 3)
    assert after.unknown_genres == {"Gabber": 1}


def test_rejected_rows_are_told_with_their_lines_and_reasons() -> None:
    assert [(each.line, each.reason) for each in checked(MIXED).rejected] == [
        (3, "energy is 'loud', expected 0 to 1"),
        (4, "the row has 3 fields; expected 10"),
        (6, "the row says nothing of a song"),
    ]


def test_only_the_first_of_many_rejected_rows_are_told_one_by_one() -> None:
    found = checked(table(*(song(energy="loud", n=n) for n in range(MOST_TOLD + 50))), rows=40)

    assert len(found.rejected) == MOST_TOLD
    assert found.tally.rejected == MOST_TOLD + 50


def test_the_first_rows_come_as_they_are_and_long_cells_are_cut() -> None:
    long = "x" * 1_000
    found = checked(f"track_id;energy\na;{long}\nb;0.5".encode())

    assert found.how.header == ("track_id", "energy")
    assert found.first == (("a", long[:200]), ("b", "0.5"))
    assert found.delimiter == ";"


def test_how_far_it_is_can_be_watched() -> None:
    seen: list[int] = []

    check(
        io.BytesIO(table(*(song(n=n) for n in range(10)))),
        INPUTS,
        limits=LIMITS,
        rows=4,
        watch=lambda tally: seen.append(tally.rows),
    )

    assert seen == [4, 8, 10]


def test_units_are_settled_by_many_rows_however_small_the_blocks() -> None:
    # By itself the first row would be a share; the column is in percent.
    rows = [f"id{n},{energy}" for n, energy in enumerate([1, 50, 60, 70])]
    found = checked("\n".join(["track_id,energy", *rows]).encode(), rows=1)

    assert found.how.units.percent == {"energy"}
    assert found.tally.scored == 4


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "is empty"),
        (HEADER.encode(), "has a header but no row"),
        (b"PK\x03\x04 and so on", "an Excel workbook"),
        (bytes(range(256)) * 50, "NUL bytes"),
        (b"track_id|energy\nx|0.5\n", "has one column, 'track_id|energy'; expected several"),
        (b"a,b\n1,2\n", "no column holds an attribute the model looks at"),
        (b"schema_version,energy\n1,0.5\n", "is a ready_data.csv"),
        (gzip.compress(MIXED)[:-9], "damaged or cut off"),
    ],
)
def test_a_file_that_cannot_be_scored_says_why(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableUpload, match=why.replace("|", r"\|")):
        checked(body)


def test_too_many_rows_are_refused() -> None:
    rows = [song(n=n) for n in range(11)]

    assert checked(table(*rows[:10]), limits=Limits(rows=10, unpacked=10_000)).tally.rows == 10
    with pytest.raises(UnreadableUpload, match="more than 10 rows; expected at most"):
        checked(table(*rows), limits=Limits(rows=10, unpacked=10_000))


def test_a_small_file_that_unpacks_to_a_large_one_is_refused() -> None:
    bomb = gzip.compress(table(*[song()] * 100_000))
    assert len(bomb) < 50_000

    with pytest.raises(UnreadableUpload, match="more than 1,000,000 bytes"):
        checked(bomb, limits=Limits(rows=10**9, unpacked=1_000_000))


def test_the_wider_the_rows_the_fewer_are_held_at_a_time() -> None:
    wide = 5_000
    header = ",".join(["energy", *(f"column {n}" for n in range(wide))])
    body = io.BytesIO("\n".join([header, *["0.5" + ",1" * wide] * 250]).encode())
    large = Limits(rows=1_000, unpacked=10**8)

    found = check(body, INPUTS, limits=large)

    assert found.tally.scored == 250
    assert [len(block) for block in blocks(body, found.how, limits=large)] == [119, 119, 12]
