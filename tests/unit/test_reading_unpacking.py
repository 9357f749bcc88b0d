"""From stored bytes to text: gzip, limits, encodings, and files that are no text."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartbuster.errors import UnreadableUpload
from chartbuster.unpacking import unpack

TABLE = b"title,popularity\nA,1\n"


def test_plain_and_gzip_are_the_same_text():
    assert unpack(TABLE).body == unpack(gzip.compress(TABLE)).body == TABLE


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_every_member_of_a_gzip_file_is_read(parts):
    whole = b"a" + b"".join(parts)
    stored = gzip.compress(b"a") + b"".join(gzip.compress(part) for part in parts)
    assert unpack(stored).body in {whole, whole[2:], whole[3:]}


def test_a_gzip_file_padded_with_zeros_is_read():
    assert unpack(gzip.compress(TABLE) + b"\0" * 512).body == TABLE


def test_other_bytes_after_the_gzip_file_are_not_dropped_in_silence():
    with pytest.raises(UnreadableUpload, match="followed by other bytes"):
        unpack(gzip.compress(TABLE) + b"more,songs\n")


@pytest.mark.parametrize("kept", [12, 20, -1, -8])
def test_a_cut_gzip_file_is_refused(kept):
    with pytest.raises(UnreadableUpload, match="cut off"):
        unpack(gzip.compress(TABLE)[:kept])


def test_a_damaged_gzip_file_is_refused():
    stored = bytearray(gzip.compress(TABLE))
    stored[-6] ^= 1  # in the checksum
    with pytest.raises(UnreadableUpload, match="damaged"):
        unpack(bytes(stored))


def test_unpacking_stops_at_the_limit():
    bomb = gzip.compress(b"a" * 5_000_000)
    assert len(bomb) < 10_000
    with pytest.raises(UnreadableUpload, match="more than 1,000,000 bytes"):
        unpack(bomb, most=1_000_000)
    assert len(unpack(bomb, most=5_000_000).body) == 5_000_000


def test_the_limit_holds_over_all_members_and_for_plain_files():
    with pytest.raises(UnreadableUpload, match="more than 150 bytes"):
        unpack(gzip.compress(b"a" * 100) * 2, most=150)
    with pytest.raises(UnreadableUpload, match="at most 150"):
        unpack(b"a" * 151, most=150)


def test_unpacking_a_bomb_holds_no_more_than_the_limit():
    import tracemalloc

    bomb = gzip.compress(b"a" * 200_000_000)
    tracemalloc.start()
    with pytest.raises(UnreadableUpload):
        unpack(bomb, most=4 * 2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"\xef\xbb\xbf" + "é".encode(), "utf-8"),
        ("é".encode(), "utf-8"),
        ("é".encode()[:1] + b"x", "cp1252"),
        ("aé".encode()[:-1], "utf-8"),  # the file's end cut the character
        ("“é”".encode("cp1252"), "cp1252"),
        (b"\xff\xfe" + "é".encode("utf-16-le"), "utf-16-le"),
        (b"\xfe\xff" + "é".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_the_encoding_is_found_and_its_mark_taken_off(body, encoding):
    text = unpack(body)
    assert text.encoding == encoding
    assert "\ufeff" not in text.body.decode(encoding, errors="replace")


@pytest.mark.parametrize("stored", [b"", b" \n\r\n", b"\xef\xbb\xbf", gzip.compress(b"")])
def test_nothing_at_all_is_refused(stored):
    with pytest.raises(UnreadableUpload, match="empty"):
        unpack(stored)


@pytest.mark.parametrize(
    ("stored", "what"),
    [(b"PK\x03\x04xl/", "Excel"), (b"PAR1....", "Parquet"), (gzip.compress(b"%PDF-1"), "PDF")],
)
def test_another_format_is_named(stored, what):
    with pytest.raises(UnreadableUpload, match=f"{what}.*expected a CSV file"):
        unpack(stored)
