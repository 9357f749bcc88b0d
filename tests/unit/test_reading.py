"""From text to a table: every record has the header's width or is a reject with its line."""

import csv
import gzip
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster.errors import UnreadableUpload
from chartbuster.reading import RawTable, read_table


def cells(table: RawTable) -> list[list[str]]:
    columns = [[column.texts[code] for code in column.codes] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def rejected(table: RawTable) -> list[tuple[int, str]]:
    return [(reject.line, reject.reason) for reject in table.rejects]


def test_texts_stay_as_they_were_written():
    table = read_table(b"title,popularity\nNA,1\nnull,2\n007,3\nNone,\n")
    assert cells(table) == [["NA", "1"], ["null", "2"], ["007", "3"], ["None", ""]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_line_ends_delimiters_and_encodings_do_not_show(end, delimiter, encoding):
    lines = [["title", "popularity"], ["Café", "1"], ["B", "2"], [""], ["C", "3"]]
    text = end.join(delimiter.join(line) for line in lines) + end
    table = read_table(text.encode(encoding))
    assert table.header == ("title", "popularity")
    assert cells(table) == [["Café", "1"], ["B", "2"], ["C", "3"]]
    assert table.lines.tolist() == [2, 3, 5]


def test_the_delimiter_is_the_one_that_gives_the_header_most_fields():
    table = read_table(b"title;artists, all;popularity\nA;B;1,5\n")
    assert table.delimiter == ";"
    assert cells(table) == [["A", "B", "1,5"]]


def test_excels_own_first_line_names_the_delimiter():
    table = read_table(b"sep=;\r\ntitle;popularity\r\nA;1\r\n")
    assert (table.header, cells(table)) == (("title", "popularity"), [["A", "1"]])


def test_rows_of_another_width_are_rejects_with_line_and_reason():
    table = read_table(b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n4,5,6\n")
    assert cells(table) == [["1", "2", "3"], ["4", "5", "6"]]
    assert rejected(table) == [
        (3, "the row has 2 fields; expected 3"),
        (4, "the row has 4 fields; expected 3"),
    ]
    assert table.rejects[1].text == "1,2,3,4"


def test_a_surplus_field_in_every_row_does_not_move_the_columns():
    with pytest.raises(UnreadableUpload, match=r"no row that can be read.*has 3 fields"):
        read_table(b"a,b\nx,1,2\ny,1,2\n")


def test_rs_row_names_are_an_unnamed_column():
    table = read_table(b'"title","popularity"\n"1","A",5\n"2","B",6\n')
    assert table.header == ("", "title", "popularity")
    assert cells(table)[1] == ["2", "B", "6"]
    assert "counts the rows" in table.notes[0]


def test_line_numbers_count_the_lines_inside_quotes():
    table = read_table(b'a,b\n"one\ntwo",1\nx\ny,2\n')
    assert table.lines.tolist() == [2, 5]
    assert rejected(table)[0][0] == 4


def test_a_quote_that_does_not_end_costs_its_own_line_only():
    table = read_table(b'a,b\n1,2\n3,"4\n5,6\n7,8\n')
    assert cells(table) == [["1", "2"], ["5", "6"], ["7", "8"]]
    assert rejected(table)[0][0] == 3
    assert "quotes" in rejected(table)[0][1]


@pytest.mark.parametrize("place", [4_094, 4_095, 4_096, 4_097, 8_191, 8_192, 8_193])
def test_unusual_rows_are_found_wherever_they_stand(place):
    """Rows are read in batches, so whatever happens at their edges happens here."""
    rows = [f"{n},x" for n in range(9_000)]
    rows[place] = f'{place},"one\ntwo"'
    rows[place + 2] = "alone"
    rows[place + 4] = ""
    table = read_table(("a,b\n" + "\n".join(rows)).encode())
    assert rejected(table) == [(place + 5, "the row has 1 fields; expected 2")]
    expected = [n + 2 + (n > place) for n in range(9_000) if n - place not in {2, 4}]
    assert table.lines.tolist() == expected
    assert cells(table)[place] == [str(place), "one\ntwo"]
    assert [row[0] for row in cells(table)] == [
        str(n) for n in range(9_000) if n - place not in {2, 4}
    ]


def test_text_after_a_closing_quote_is_a_reject():
    table = read_table(b'a,b\n"x"y,2\n5,6\n')
    assert cells(table) == [["5", "6"]]


def test_a_file_made_of_stray_quotes_is_refused_in_bounded_time():
    with pytest.raises(UnreadableUpload, match="quotes do not end"):
        read_table(b"a,b\n" + b'x","\n' * 1_500)


def test_a_field_longer_than_the_reader_takes_is_a_reject():
    table = read_table(b"a,b\n" + b"x" * 200_000 + b",1\n5,6\n")
    assert cells(table) == [["5", "6"]]
    assert len(table.rejects[0].text) <= 2_000


def test_a_nul_byte_is_a_reject_and_in_the_header_a_refusal():
    table = read_table(b"a,b\n1,\0\n5,6\n")
    assert (cells(table), rejected(table)) == ([["5", "6"]], [(2, "the row holds a NUL byte")])
    with pytest.raises(UnreadableUpload, match="NUL"):
        read_table("a,b\n1,2\n".encode("utf-16-le"))


def test_a_header_alone_is_refused():
    with pytest.raises(UnreadableUpload, match=r"header but no row.*rows of 2 fields"):
        read_table(b"a,b\n\n")


def test_a_header_that_cannot_be_read_is_refused():
    for header in (b'a,"b\n1,2\n', b'"' + b"x" * 200_000 + b'"\n1\n'):
        with pytest.raises(UnreadableUpload, match="header"):
            read_table(header)


def test_a_row_can_be_shown_as_it_was():
    table = read_table(b'a;b;c\n1;"x;y";"he said ""no"""\n')
    assert table.row_text(0) == '1;"x;y";"he said ""no"""'


@given(st.binary(max_size=400))
def test_whatever_the_bytes_reading_raises_nothing_else(body):
    for stored in (body, gzip.compress(body), b"popularity,a\n" + body):
        with suppress(UnreadableUpload):
            read_table(stored, most=10_000)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=20))
def test_what_a_csv_writer_wrote_is_read_back(rows):
    out = io.StringIO()
    csv.writer(out).writerows([("a", "b", "c"), *rows])
    table = read_table(out.getvalue().encode())
    assert cells(table) == [list(row) for row in rows]
    assert table.rejects == ()
