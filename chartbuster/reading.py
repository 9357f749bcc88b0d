"""From the bytes of an upload to a table of texts; nothing is interpreted and nothing is lost.

Every record either has exactly the header's number of fields or becomes a reject with its line
number and reason. The standard library's strict CSV reader is used because faster ones repair
broken rows in silence: a surplus field moves every value by one column, `null` stops being text.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from chartbuster.errors import UnreadableUpload
from chartbuster.unpacking import MOST_UNPACKED, UTF8_OR_CP1252, unpack, unpacking

DELIMITERS = (",", ";", "\t")
"""The delimiters tried, the likeliest first."""

# The first line with which Excel tells itself the delimiter.
_ANNOUNCED = {f"sep={delimiter}": delimiter for delimiter in (*DELIMITERS, "|")}
BLOCK_ROWS = 20_000
"""The rows of a block, where a file is read block by block, unless the caller says otherwise."""

_BATCH = 256
# Of a file that is read block by block only a block is held, whatever its cells hold.
_LONGEST_LINE = 2**18
_MOST_CHARACTERS = 2**25
_LONGEST_TEXT = 2_000
# One stray quote swallows lines until the next one. Reading resumes on the line after it, at most
# this often, so that a file made of stray quotes cannot make reading it quadratic.
_MOST_RESUMED = 1_000


@dataclass(frozen=True)
class Column:
    """One column of texts: `texts` are the distinct ones, `codes` says which one each row holds.

    Song tables repeat themselves, so whatever is done to a text is done once per distinct text.
    """

    codes: NDArray[np.int32]
    texts: tuple[str, ...]

    def counts(self) -> NDArray[np.int64]:
        """How many rows hold each of `texts`."""
        return np.bincount(self.codes, minlength=len(self.texts))


@dataclass(frozen=True)
class Reject:
    """A row that was left out: the line it begins on (the header is line 1), why, and its text."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class RawTable:
    """A table as it was written. `lines` holds the line number each row begins on."""

    header: tuple[str, ...]
    columns: tuple[Column, ...]
    lines: NDArray[np.int64]
    rejects: tuple[Reject, ...]
    encoding: str
    delimiter: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def row_text(self, row: int) -> str:
        """The row as one line of CSV, quoted only where needed."""
        out = io.StringIO()
        cells = [column.texts[column.codes[row]] for column in self.columns]
        csv.writer(out, delimiter=self.delimiter, lineterminator="").writerow(cells)
        return out.getvalue()[:_LONGEST_TEXT]


def read_table(stored: bytes, *, most: int = MOST_UNPACKED) -> RawTable:
    """The table in `stored`: CSV, plain or gzip, separated by comma, semicolon or tab.

    Raises `UnreadableUpload` when there is no table in it at all: no text, no header, no rows.
    """
    text = unpack(stored, most=most)
    # Line ends inside quotes stay as they are; a character cut in two becomes a question mark.
    source = io.TextIOWrapper(
        io.BytesIO(text.body), encoding=text.encoding, errors="replace", newline=""
    )
    lines = _Lines(source)
    delimiter, header = _header(lines)
    rows = _Rows(header, delimiter)
    while rows.take(lines, _BATCH):
        pass
    return rows.table(encoding=text.encoding)


def read_blocks(
    stream: BinaryIO, *, rows: int = BLOCK_ROWS, sample: int = BLOCK_ROWS, most: int | None = None
) -> Iterator[RawTable]:
    """The table in `stream`, CSV as `read_table` takes it, in blocks of about `rows` rows.

    The first block has `sample` rows, so that what it decides does not depend on `rows`. Rejected
    rows count, and a block may hold nothing else, but for the first. However long the file is, one
    block is held at a time; `most` limits the unpacked bytes. Raises `UnreadableUpload` when there
    is no row to begin with, and later where the bytes end as no file does.
    """
    body, encoding = unpacking(stream, most=most)
    errors = UTF8_OR_CP1252 if encoding == "utf-8" else "replace"
    lines = _Lines(_bounded(io.TextIOWrapper(body, encoding=encoding, errors=errors, newline="")))
    delimiter, header = _header(lines)
    taken = _Rows(header, delimiter)
    wanted, more = sample, True
    while more:
        enough = lines.characters + _MOST_CHARACTERS
        while more and len(taken) < wanted and lines.characters < enough:
            more = taken.take(lines, min(_BATCH, wanted - len(taken)))
        if len(taken) or not taken.has_begun:
            yield taken.table(encoding=encoding)
            taken.begin()
        wanted = rows


def _bounded(text: io.TextIOWrapper) -> Iterator[str]:
    """The lines of `text`; one that never ends would fill the memory, so it is refused."""
    number = 0
    while line := text.readline(_LONGEST_LINE + 1):
        number += 1
        if len(line) > _LONGEST_LINE:
            raise UnreadableUpload(
                f"line {number:,} has more than {_LONGEST_LINE:,} characters; "
                "expected one line per song"
            )
        yield line


class _Lines:
    """The lines of a text, counted; those of the record in hand can be given back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._returned: list[str] = []
        self.record: list[str] = []
        self.number = 0
        self.characters = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._returned.pop() if self._returned else next(self._source)
        self.number += 1
        self.characters += len(line)
        self.record.append(line)
        return line

    def batch(self, most: int) -> list[str]:
        """Up to `most` lines at once, none of which belongs to a record in hand."""
        lines = list(islice(self._source, most))
        self.number += len(lines)
        self.characters += sum(map(len, lines))
        return lines

    def return_batch(self, lines: list[str]) -> None:
        """Give back a batch, to be had line by line."""
        self._returned.extend(reversed(lines))
        self.number -= len(lines)

    @property
    def holds_returned(self) -> bool:
        """Whether lines that were given back are still to be had."""
        return bool(self._returned)

    def give_back(self, *, after: int) -> None:
        """Give back the lines of the record in hand but for the first `after`."""
        surplus = self.record[after:]
        del self.record[after:]
        self._returned.extend(reversed(surplus))
        self.number -= len(surplus)


def _header(lines: _Lines) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the column names; blank lines above the header are skipped."""
    announced = ""
    for line in lines:
        plain = line.strip(" \r\n")
        if plain.lower() in _ANNOUNCED:
            announced = _ANNOUNCED[plain.lower()]
        elif plain.strip():
            break
        lines.record.clear()
    else:
        raise UnreadableUpload("the file has no header; expected one naming the columns")
    if "\0" in lines.record[0]:
        raise UnreadableUpload(
            "the header holds NUL bytes, so the file is no text or is UTF-16 without its mark; "
            "expected CSV in UTF-8"
        )
    line = lines.record[0]
    lines.give_back(after=0)
    try:
        candidates = (announced,) if announced else DELIMITERS
        delimiter = max(candidates, key=lambda candidate: len(_fields(line, candidate)))
        header = next(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UnreadableUpload(
            f"the header {line.strip()[:200]!r} cannot be read ({error}); "
            "expected column names, with quotes in pairs"
        ) from error
    lines.record.clear()
    return delimiter, tuple(" ".join(name.split()) for name in header)


def _fields(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter), [])


class _Rows:
    """The rows taken since the last `begin`, column by column."""

    def __init__(self, header: tuple[str, ...], delimiter: str) -> None:
        self._header = header
        self._delimiter = delimiter
        self._width = 0
        self.has_begun = False
        self._clear()

    def _clear(self) -> None:
        self._notes: list[str] = []
        self._rejects: list[Reject] = []
        self._resumed = 0
        self._numbers: list[int] = []
        self._codes: list[list[NDArray[np.int32]]] = []
        self._code_of: list[defaultdict[str, int]] = []

    def begin(self) -> None:
        """Forget the rows, which make a table by themselves, and go on with the next ones."""
        self.has_begun = True
        for code_of in self._code_of:
            # It refers to itself, so it would stay until the garbage collector comes by.
            code_of.default_factory = None
        self._clear()
        self._add_columns()

    def __len__(self) -> int:
        return len(self._numbers) + len(self._rejects)

    def take(self, lines: _Lines, most: int) -> bool:
        """Take up to `most` records of `lines`; false when there are no more.

        Those of another width or broken become rejects.
        """
        # The first rows settle the width, and a batch with anything unusual goes row by row.
        if self._width and not lines.holds_returned:
            batch = lines.batch(most)
            if not batch:
                return False
            if self._take_plain(batch, last=lines.number):
                return True
            lines.return_batch(batch)
        return self._take_carefully(lines, most)

    def _take_plain(self, batch: list[str], *, last: int) -> bool:
        """Take lines that are one whole row each, the usual case; else take nothing."""
        if any("\0" in line for line in batch):
            return False
        try:
            rows = list(csv.reader(batch, delimiter=self._delimiter, strict=True))
        except csv.Error:
            return False
        if len(rows) != len(batch) or set(map(len, rows)) != {self._width}:
            return False
        self._store(rows, range(last - len(rows) + 1, last + 1))
        return True

    def _take_carefully(self, lines: _Lines, most: int) -> bool:
        """Take up to `most` records one by one; false when there are no more."""
        reader = csv.reader(lines, delimiter=self._delimiter, strict=True)
        rows: list[list[str]] = []
        numbers: list[int] = []
        more = True
        for _ in range(most):
            lines.record.clear()
            first = lines.number + 1
            try:
                row = next(reader)
            except StopIteration:
                more = False
                break
            except csv.Error as error:
                self._reject_broken(first, error, lines)
                continue
            if not row:
                continue
            if not self._width:
                self._settle_width(row)
            if len(row) != self._width:
                reason = f"the row has {len(row):,} fields; expected {self._width:,}"
                self._reject(first, reason, lines)
            elif any("\0" in line for line in lines.record):
                self._reject(first, "the row holds a NUL byte", lines)
            else:
                rows.append(row)
                numbers.append(first)
        lines.record.clear()
        self._store(rows, numbers)
        return more

    def _reject_broken(self, first: int, error: csv.Error, lines: _Lines) -> None:
        """Reject the line a broken record begins on; reading resumes on the line after it."""
        if len(lines.record) > 1:
            self._resumed += 1
            lines.give_back(after=1)
        if self._resumed > _MOST_RESUMED:
            raise UnreadableUpload(
                f"more than {_MOST_RESUMED:,} quotes do not end, the latest on line {first:,}; "
                "expected quotes in pairs"
            ) from error
        self._reject(first, f"the row's quotes do not match ({error})", lines)

    def table(self, *, encoding: str) -> RawTable:
        """What was taken; raises `UnreadableUpload` when there never was a row."""
        if not self._numbers and not self.has_begun:
            why = "".join(f": line {each.line}, {each.reason}" for each in self._rejects[:1])
            raise UnreadableUpload(
                f"the file has a header but no row that can be read{why}; "
                f"expected rows of {len(self._header)} fields"
            )
        columns = tuple(
            Column(np.concatenate(codes or [np.zeros(0, dtype=np.int32)]), tuple(texts))
            for codes, texts in zip(self._codes, self._code_of, strict=True)
        )
        return RawTable(
            header=self._header,
            columns=columns,
            lines=np.asarray(self._numbers, dtype=np.int64),
            rejects=tuple(self._rejects),
            encoding=encoding,
            delimiter=self._delimiter,
            notes=tuple(self._notes),
        )

    def _settle_width(self, row: list[str]) -> None:
        """Every row must have as many fields as the header, but for R's row names."""
        if len(row) == len(self._header) + 1 and row[0].strip() in {"0", "1"}:
            # R's write.table counts the rows in a first column that the header does not name.
            self._header = ("", *self._header)
            self._notes.append("the first column has no name and counts the rows")
        self._width = len(self._header)
        self._add_columns()

    def _add_columns(self) -> None:
        for _ in self._header:
            code_of: defaultdict[str, int] = defaultdict()
            # A new text gets the next number: the count of those already there.
            code_of.default_factory = code_of.__len__
            self._code_of.append(code_of)
            self._codes.append([])

    def _store(self, rows: list[list[str]], numbers: Sequence[int]) -> None:
        self._numbers.extend(numbers)
        for cells, code_of, codes in zip(
            zip(*rows, strict=True), self._code_of, self._codes, strict=False
        ):
            codes.append(np.array(list(map(code_of.__getitem__, cells)), dtype=np.int32))

    def _reject(self, line: int, reason: str, lines: _Lines) -> None:
        text = "".join(lines.record).rstrip("\r\n")[:_LONGEST_TEXT]
        self._rejects.append(Reject(line, reason, text))
