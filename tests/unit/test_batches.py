"""A whole file is scored block by block: every row answers in its place, or says why it cannot."""

import csv
import gc
import gzip
import io
import tracemalloc
from collections.abc import Iterator
from typing import Any
from weakref import ref

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster.batches import ScoredBlock, Tally, score
from chartbuster.errors import UnreadableUpload
from chartbuster.features import genre_columns
from chartbuster.outlook import Outlook
from chartbuster.reading import RawTable, read_blocks
from chartbuster.runs import AttributeRange, Inputs
from chartbuster.scoring import song_table
from chartbuster.songs import AUDIO

INPUTS = Inputs(
    audio={a.name: AttributeRange(a.low, a.high, (a.low + a.high) / 2) for a in AUDIO},
    release_year=AttributeRange(1960.0, 2019.0, 2005.0),
    key="C",
    mode="Major",
    time_signature="4/4",
    genres=("Hip-Hop", "Pop", "anime"),
    genre_defaults={"Pop": {"energy": 0.7, "key": "G", "release_year": 2015.0}},
)
HEADER = "track_id,artist_name,track_name,genre,energy,tempo,duration_ms,key,mode,time_signature"
# With these only the valence and the year are left to assume.
FULL = f"{HEADER},acousticness,danceability,instrumentalness,liveness,loudness,speechiness"
REST = ",0.1,0.2,0.3,0.4,-5,0.6"


def ask(table: pd.DataFrame) -> Outlook:
    """A model by a rule one can follow: energy, less one for every minute, and ten for Pop."""
    minutes = table["duration_ms"].to_numpy() / 60_000
    said = 50 * table["energy"].to_numpy() - minutes + 10 * table["genre=Pop"].to_numpy()
    said = np.clip(said + table["title_live"].to_numpy(), 0, 100)
    known = table["artist"].notna().to_numpy()
    return Outlook(said, said / 2, (said + 100) / 2, said / 100, said, known)


def blocks(body: bytes, *, rows: int = 20_000, sample: int = 20_000) -> list[ScoredBlock]:
    return list(score(read_blocks(io.BytesIO(body), rows=rows, sample=sample), ask, INPUTS))


def answers(text: str | bytes, **sizes: int) -> list[dict[str, str]]:
    """The answers, a dictionary each, as somebody reads them who opens the CSV file."""
    found = blocks(text if isinstance(text, bytes) else text.encode(), **sizes)
    body = found[0].header() + b"".join(block.to_csv() for block in found)
    return list(csv.DictReader(io.StringIO(body.decode())))


def tallied(text: str) -> Tally:
    tally = Tally()
    for block in blocks(text.encode()):
        tally.add(block)
    return tally


def song(energy: object = 0.5, tempo: object = 120, *, genre: str = "Pop", n: int = 1) -> str:
    return f"id{n},Artist,Title,{genre},{energy},{tempo},180000,C#,Major,4/4"


def test_every_row_comes_back_in_its_place_with_what_identifies_it() -> None:
    rows = [(0.9, 3), (0.1, 1), (0.9, 3)]
    told = answers("\n".join([FULL, *(f"{song(e, n=n)}{REST}" for e, n in rows)]))

    assert [each["track_id"] for each in told] == ["id3", "id1", "id3"]
    assert [each["popularity"] for each in told] == ["52.0", "12.0", "52.0"]
    assert told[0] == {
        "track_id": "id3",
        "artist_name": "Artist",
        "track_name": "Title",
        "popularity": "52.0",
        "low": "26.0",
        "high": "76.0",
        "percentile": "52.0",
        "hit_probability": "0.520",
        "assumed": "valence=0.500; release_year=2015",
        "reason": "",
        "line": "2",
    }


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ({"energy": "loud"}, "energy is 'loud', expected 0 to 1"),
        ({"energy": 1.5}, "energy is '1.5', expected 0 to 1"),
        ({"tempo": "900"}, "tempo is '900', expected 20 to 300 beats per minute"),
        (
            {"energy": "x", "tempo": "y"},
            "energy is 'x', expected 0 to 1; tempo is 'y', expected 20 to 300 beats per minute",
        ),
    ],
)
def test_a_value_that_cannot_be_right_leaves_the_row_without_a_prediction_and_says_why(
    cell: dict[str, Any], reason: str
) -> None:
    told = answers("\n".join([HEADER, song(n=1), song(**cell, n=2), song(n=3)]))

    assert [each["reason"] for each in told] == ["", reason, ""]
    assert [each["popularity"] != "" for each in told] == [True, False, True]
    assert told[1]["track_id"] == "id2"
    assert told[1]["assumed"] == told[1]["hit_probability"] == ""


def test_lines_that_are_no_rows_come_back_with_their_number_and_reason() -> None:
    broken = '"id2,never ends,0.5'
    told = answers("\n".join([HEADER, song(n=1), broken, "1,2,3", "", song(n=5)]))

    assert [each["line"] for each in told] == ["2", "3", "4", "6"]
    assert told[1]["reason"].startswith("the row's quotes do not match")
    assert told[2]["reason"] == "the row has 3 fields; expected 10"
    assert [each["track_id"] for each in told] == ["id1", "", "", "id5"]


def test_a_row_that_excel_left_empty_says_nothing_and_is_not_given_the_average_song() -> None:
    told = answers("\n".join([HEADER, song(), "," * 9]))

    assert told[1]["reason"] == "the row says nothing of a song"
    assert told[1]["popularity"] == ""


def test_what_is_missing_is_assumed_as_for_one_song_and_said() -> None:
    told = answers("genre,energy,key\nPop,,\nanime,0.5,-1\n,0.5,D\n")

    assert "energy=0.700" in told[0]["assumed"]
    assert "key=G" in told[0]["assumed"]
    assert "key=C" in told[1]["assumed"]
    assert "energy" not in told[1]["assumed"]
    assert told[2]["assumed"].startswith("genre=none; ")


def test_a_genre_the_model_does_not_know_is_left_out_and_said() -> None:
    text = "\n".join([HEADER, song(genre="Gabber"), song(genre="pop;Gabber"), song(genre="POP")])
    told = answers(text)

    notes = [each["assumed"].split("; ")[0] for each in told]
    assert notes[:2] == ["genre=none (unknown: Gabber)", "genre=Pop (unknown: Gabber)"]
    assert "genre" not in notes[2]
    assert [each["popularity"] for each in told] == ["22.0", "32.0", "32.0"]
    assert tallied(text).unknown_genres == {"Gabber": 2}


_ENERGY = st.one_of(st.none(), st.floats(0, 1).map(lambda share: round(share, 3)))
_SONGS = st.lists(
    st.fixed_dictionaries(
        {
            "genre": st.lists(st.sampled_from(INPUTS.genres), max_size=2, unique=True),
            "energy": _ENERGY,
            "loudness": st.one_of(st.none(), st.integers(-60, 5).map(float)),
            "key": st.sampled_from([None, "C", "F#"]),
            "mode": st.sampled_from([None, "Minor", "Major"]),
            "time_signature": st.sampled_from([None, "3/4", "1/4", "7/4"]),
            "release_year": st.one_of(st.none(), st.integers(1900, 2020).map(float)),
            "title": st.sampled_from(["One", "Two (Live)"]),
            "artist": st.sampled_from(["A", "B & C"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(_SONGS)
def test_a_row_of_a_file_is_the_song_that_is_scored_alone(songs: list[dict[str, Any]]) -> None:
    seen: list[pd.DataFrame] = []

    def watching(table: pd.DataFrame) -> Outlook:
        seen.append(table)
        return ask(table)

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names := list(songs[0]))
    for each in songs:
        writer.writerow([*(";".join(each["genre"]) if n == "genre" else each[n] for n in names)])
    list(score(read_blocks(io.BytesIO(out.getvalue().encode())), watching, INPUTS))

    alone = song_table(songs, INPUTS)
    rest = [name for name in alone.columns if name != "song_id"]
    pd.testing.assert_frame_equal(pd.concat(seen)[rest], alone[rest])


_LINES = st.lists(
    st.one_of(
        st.integers(0, 1000).map(lambda n: song(n / 1000, n=n)),
        st.sampled_from(['"cut', "1,2", "", song("?"), song("loud"), song(7), song(genre="Zeuhl")]),
    ),
    max_size=40,
)


@given(_LINES, st.integers(1, 9))
def test_many_blocks_give_the_same_as_one(lines: list[str], rows: int) -> None:
    text = "\n".join([HEADER, song(), *lines])

    assert answers(text, rows=rows, sample=3) == answers(text, rows=10_000, sample=3)


@given(_LINES)
def test_there_is_one_answer_per_line_that_holds_anything(lines: list[str]) -> None:
    text = [HEADER, song(), *lines]
    told = answers("\n".join(text), rows=5, sample=2)

    filled = [number for number, line in enumerate(text, 1) if line and number > 1]
    assert [int(each["line"]) for each in told] == filled
    assert all((each["popularity"] == "") == (each["reason"] != "") for each in told)


def test_units_are_settled_once_for_the_whole_file() -> None:
    first = ["45.5,3.5"] * 3
    # By itself the second block would be seconds and shares.
    later = ["0.5,100.0"] * 3
    told = answers("\n".join(["energy,duration", *first, *later]), rows=3, sample=3)

    assert told[0]["popularity"] == f"{50 * 0.455 - 3.5:.1f}"
    assert "duration_ms" not in told[3]["assumed"]
    assert told[3]["reason"] == ""
    assert told[3]["popularity"] == "0.0"


def test_what_is_expected_is_said_in_the_file_s_own_unit() -> None:
    told = answers("energy,duration_min\n45,3\n55,4\n101,900\n")

    assert told[2]["reason"] == (
        "duration_ms is '900', expected 0.017 to 120 minutes; "
        "energy is '101', expected 0 to 100 percent"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_delimiters_and_gzip_do_not_show(
    encoding: str, delimiter: str, packed: bool
) -> None:
    lines = [["Song", "Energy"], ["Café “del” Mar", "0.5"], ["B", "0.75"]]
    body = "\r\n".join(delimiter.join(line) for line in lines).encode(encoding)
    told = answers(gzip.compress(body) if packed else body, rows=1, sample=1)

    assert [each["Song"] for each in told] == ["Café “del” Mar", "B"]
    assert all(each["popularity"] for each in told)


def test_a_letter_that_is_no_utf_8_far_down_the_file_is_read_as_windows_wrote_it() -> None:
    body = b"title,energy\n" + b"A,0.5\n" * 5_000 + "Beyoncé,0.5\n".encode("cp1252")

    assert answers(body)[-1]["title"] == "Beyoncé"


def test_cells_that_a_spreadsheet_would_compute_are_made_harmless() -> None:
    told = answers('=title,artist,energy\n"=1+1",@SUM(A1),0.5\n')

    assert told[0]["'=title"] == "'=1+1"
    assert told[0]["artist"] == "'@SUM(A1)"


def test_popularity_is_neither_needed_nor_looked_at() -> None:
    with_it = answers("title,popularity,energy\nA,none,0.5\nB,900,0.25\n")
    without = answers("title,energy\nA,0.5\nB,0.25\n")

    assert with_it == without


def test_a_file_without_any_attribute_is_refused_naming_its_columns() -> None:
    with pytest.raises(UnreadableUpload, match=r"no column holds an attribute.*'colour', 'price'"):
        answers("colour,price\nred,1\n")


def test_the_table_made_for_models_is_refused_with_the_one_to_take() -> None:
    with pytest.raises(UnreadableUpload, match=r"cleaned_data\.csv"):
        answers("song_id,energy,schema_version\nA,0.5,1\n")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04rest", "an Excel workbook"),
        (b"title,energy\n", "no row that can be read"),
        (gzip.compress(b"title,energy\nA,0.5\n" * 900)[:-9], "damaged or cut off"),
        (b"title,energy\nA," + b"x" * 300_000, "more than 262,144 characters"),
        (gzip.compress(b"title,energy\nA," + b"x" * 3_000_000), "more than 262,144 characters"),
    ],
    ids=["nothing", "workbook", "no rows", "cut gzip", "endless line", "gzip bomb"],
)
def test_what_is_no_table_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(UnreadableUpload, match=why):
        answers(body, rows=5, sample=5)


def test_unpacked_bytes_can_be_limited() -> None:
    body = gzip.compress(b"title,energy\n" + b"A,0.5\n" * 100_000)

    with pytest.raises(UnreadableUpload, match="more than 100,000 bytes"):
        list(read_blocks(io.BytesIO(body), rows=100, most=100_000))
    assert sum(map(len, read_blocks(io.BytesIO(body), rows=9_000, most=700_000))) == 100_000


def test_a_block_is_gone_before_the_one_after_the_next_is_read() -> None:
    alive: list[ref[RawTable]] = []

    def watched(tables: Iterator[RawTable]) -> Iterator[RawTable]:
        for table in tables:
            alive.append(ref(table))
            assert sum(1 for each in alive if each() is not None) <= 2
            yield table

    text = "\n".join([HEADER, *(song(n=n) for n in range(100))])
    tables = read_blocks(io.BytesIO(text.encode()), rows=10, sample=10)
    assert sum(map(len, score(watched(tables), ask, INPUTS))) == 100
    assert len(alive) == 10


def test_a_longer_file_needs_no_more_memory_and_no_garbage_collector() -> None:
    def peak(rows: int) -> int:
        lines = (song(n / rows, n=n).encode() + b"\n" for n in range(rows))
        body = gzip.compress(b"\n".join([HEADER.encode(), *lines]))
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            tables = read_blocks(io.BytesIO(body), rows=500, sample=500)
            answered = sum(len(block.to_csv()) > 0 for block in score(tables, ask, INPUTS))
            assert answered == rows / 500
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            gc.enable()

    peak(1_000)
    assert peak(10_000) < 1.25 * peak(2_000)


def test_a_file_of_nothing_but_rejects_after_its_first_row_is_read_in_blocks_too() -> None:
    text = "\n".join([HEADER, song(), *["1,2"] * 100])

    sizes = [len(block) for block in blocks(text.encode(), rows=10, sample=10)]
    assert sum(sizes) == 101
    assert max(sizes) == 10


def test_the_tally_counts_what_became_of_the_rows_by_kind() -> None:
    tally = tallied("\n".join([HEADER, song(), song("a"), song("b"), song(0.1, ""), "1,2"]))

    assert (tally.rows, tally.scored, tally.rejected, tally.assumed) == (5, 2, 3, 2)
    assert tally.causes == {"energy is not 0 to 1": 2, "the row has 2 fields; expected 10": 1}


def test_the_tally_of_a_file_whose_genres_all_differ_stays_small() -> None:
    tally = tallied("\n".join(["genre,energy", *(f"Genre {n},0.5" for n in range(3_000))]))

    assert len(tally.unknown_genres) == 1_001
    assert tally.unknown_genres.total() == 3_000


def test_attributes_the_model_never_saw_neither_matter_nor_are_assumed() -> None:
    inputs = Inputs(
        audio={"energy": INPUTS.audio["energy"]},
        release_year=None,
        key=None,
        mode=None,
        time_signature=None,
        genres=(),
        genre_defaults={},
    )

    def plain(table: pd.DataFrame) -> Outlook:
        assert genre_columns(table) == []
        said = table["energy"].to_numpy() * 100
        return Outlook(said, said, said, said / 100, said, np.zeros(len(said), dtype=bool))

    tables = read_blocks(io.BytesIO(b"genre,energy,tempo\nPop,0.5,fast\n"))
    (block,) = score(tables, plain, inputs)
    assert (block.popularity.tolist(), block.assumed, block.reasons) == ([50.0], ("",), ("",))
