"""From the stored bytes of an upload to the bytes of its text, and the encoding they are in.

A gzip file of 100 KB can unpack to gigabytes, so unpacking stops at a limit and never holds more.
"""

import codecs
import gzip
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from chartbuster.errors import UnreadableUpload

if TYPE_CHECKING:
    from collections.abc import Buffer

MOST_UNPACKED = 512 * 2**20
"""The bytes an upload may have once unpacked, unless the caller says otherwise."""

UTF8_OR_CP1252 = "chartbuster.utf8_or_cp1252"
"""The error handler that reads what is no UTF-8 as cp1252, for a text that is not known whole."""

_GZIP = b"\x1f\x8b"
_STEP = 2**20
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF document"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"\x89PNG", "a picture"),
    (b"SQLite format 3", "a SQLite database"),
)
_LONGEST_MAGIC = max(len(magic) for magic, _ in _OTHER_FORMATS)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class Text:
    """The bytes of a text with the encoding to read them in; a BOM has been taken off."""

    body: bytes
    encoding: str


def unpack(stored: bytes, *, most: int = MOST_UNPACKED) -> Text:
    """The text in `stored`, plain or gzip (several members as well), of at most `most` bytes.

    UTF-8 and UTF-16 with a BOM, else UTF-8, else cp1252. Raises `UnreadableUpload` for a gzip file
    that is cut or damaged, for one that unpacks to more than `most` bytes, for what is plainly
    another format, and for nothing at all.
    """
    body = _gunzip(stored, most) if stored.startswith(_GZIP) else stored
    if len(body) > most:
        raise UnreadableUpload(f"the file has {len(body):,} bytes; expected at most {most:,}")
    for magic, what in _OTHER_FORMATS:
        if body.startswith(magic):
            raise UnreadableUpload(f"the file is {what}; expected a CSV file, plain or gzip")
    text = _decoded(body)
    if not text.body.strip():
        raise UnreadableUpload("the file is empty; expected a header line and one line per song")
    return text


def unpacking(stream: BinaryIO, *, most: int | None = None) -> tuple[BinaryIO, str]:
    """The bytes of the text in `stream`, plain or gzip, unpacked as they are read; its encoding.

    A BOM has been taken off. Nothing but a buffer is held, so there is a limit only where `most`
    gives one, in unpacked bytes. Reading raises `UnreadableUpload` where `unpack` would; without a
    BOM the encoding is UTF-8, to be read with the error handler UTF8_OR_CP1252.
    """
    packed = io.BufferedReader(_Filled(stream))
    inner = packed
    if packed.peek(len(_GZIP)).startswith(_GZIP):
        inner = io.BufferedReader(_Filled(gzip.GzipFile(fileobj=packed, mode="rb"), most))
    elif most is not None:
        inner = io.BufferedReader(_Filled(packed, most))
    head = inner.peek(_LONGEST_MAGIC)
    for magic, what in _OTHER_FORMATS:
        if head.startswith(magic):
            raise UnreadableUpload(f"the file is {what}; expected a CSV file, plain or gzip")
    if not head:
        raise UnreadableUpload("the file is empty; expected a header line and one line per song")
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            inner.read(len(bom))
            return inner, encoding
    return inner, "utf-8"


class _Filled(io.RawIOBase):
    """Another stream's bytes: no read is short before the end, and all are at most `most`."""

    def __init__(self, stream: BinaryIO | gzip.GzipFile, most: int | None = None) -> None:
        self._stream = stream
        self._most = most
        self._given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer)
        try:
            piece = self._stream.read(len(view))
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableUpload(
                f"the gzip file is damaged or cut off ({error}); expected it whole"
            ) from error
        self._given += len(piece)
        if self._most is not None and self._given > self._most:
            raise UnreadableUpload(
                f"the file has more than {self._most:,} bytes; expected at most that"
            )
        view[: len(piece)] = piece
        return len(piece)


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


codecs.register_error(UTF8_OR_CP1252, _as_cp1252)


def _gunzip(stored: bytes, most: int) -> bytes:
    """Every member of a gzip file, one after another."""
    unpacked = bytearray()
    rest = memoryview(stored)
    while rest[:2] == _GZIP:
        rest = _member(rest, unpacked, most)
    # gzip files may be padded with zeros up to a block's end; anything else is not gzip.
    if bytes(rest).strip(b"\0"):
        raise UnreadableUpload("the gzip file is followed by other bytes; expected gzip throughout")
    return bytes(unpacked)


def _member(packed: memoryview, unpacked: bytearray, most: int) -> memoryview:
    """Unpack the gzip member at the start of `packed`; returns what follows it."""
    inflater = zlib.decompressobj(31)
    given = 0
    try:
        while not inflater.eof:
            # What did not fit the last step comes first, so no byte is ever held twice for long.
            piece = inflater.unconsumed_tail
            if not piece:
                piece = bytes(packed[given : given + _STEP])
                given += len(piece)
            if not piece:
                raise UnreadableUpload("the gzip file is cut off; expected it whole")
            unpacked += inflater.decompress(piece, min(_STEP, most + 1 - len(unpacked)))
            if len(unpacked) > most:
                raise UnreadableUpload(
                    f"the gzip file unpacks to more than {most:,} bytes; expected at most that"
                )
    except zlib.error as error:
        raise UnreadableUpload(f"the gzip file is damaged ({error}); expected it whole") from error
    return packed[given - len(inflater.unused_data) :]


def _decoded(body: bytes) -> Text:
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return Text(body[len(bom) :], encoding)
    return Text(body, "utf-8" if _is_utf8(body) else "cp1252")


def _is_utf8(body: bytes) -> bool:
    """Whether `body` is UTF-8, up to a character that the end of the file may have cut."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(body), _STEP):
            decoder.decode(body[start : start + _STEP])
    except UnicodeDecodeError:
        return False
    return True
