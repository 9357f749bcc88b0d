"""What will become of a file of songs, found out before any model is asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from chartbuster.batches import CheckedBlock, Tally, Understanding, check_block, understand
from chartbuster.errors import UnreadableUpload
from chartbuster.reading import BLOCK_ROWS, RawTable, read_blocks
from chartbuster.runs import Inputs

MOST_TOLD = 200
"""How many rejected rows are told one by one."""

_ROWS_SHOWN = 5
_A_FEW = 50
_LONGEST_CELL = 200
# A block is held whole, however wide its rows are.
_MOST_CELLS = 600_000


@dataclass(frozen=True)
class Limits:
    """What a file may have: rows, rejected ones among them, and bytes once it is unpacked."""

    rows: int
    unpacked: int


@dataclass(frozen=True)
class Rejected:
    """A row that will have no prediction: the line it begins on, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class Checked:
    """A file as it is understood, and what will become of its rows.

    `first` are its first rows, cell by cell in the order of its columns, long cells cut; `rejected`
    are the first of those that cannot be scored.
    """

    how: Understanding
    tally: Tally
    first: tuple[tuple[str, ...], ...]
    rejected: tuple[Rejected, ...]
    encoding: str
    delimiter: str
    notes: tuple[str, ...]


def check(
    songs: BinaryIO,
    inputs: Inputs,
    *,
    limits: Limits,
    rows: int = BLOCK_ROWS,
    watch: Callable[[Tally], object] = lambda _: None,
) -> Checked:
    """What will become of the file `songs`, which must be seekable and is read to its end.

    It is read in blocks of `rows` rows, and `watch` hears after each how far it is. `inputs` are
    those of the run that is to answer. Raises `UnreadableUpload` for what cannot be scored at all,
    and for what is over a limit.
    """
    first = _beginning(songs, limits, rows=_A_FEW)
    # However wide the rows are, what settles how they are read fits into the memory.
    sample = max(1, min(BLOCK_ROWS, _MOST_CELLS // len(first.header)))
    first = _beginning(songs, limits, rows=sample)
    how = understand(first, inputs)
    shown = tuple(
        tuple(column.texts[column.codes[row]][:_LONGEST_CELL] for column in first.columns)
        for row in range(min(len(first), _ROWS_SHOWN))
    )
    encoding, delimiter, notes = first.encoding, first.delimiter, first.notes
    del first
    tally, rejected = Tally(), list[Rejected]()
    for block in blocks(songs, how, limits=limits, rows=rows):
        found = check_block(block, how, inputs)
        tally.add(found)
        if tally.rows > limits.rows:
            raise UnreadableUpload(
                f"the file has more than {limits.rows:,} rows; expected at most that many"
            )
        rejected += islice(_rejected(found), MOST_TOLD - len(rejected))
        watch(tally)
    return Checked(
        how=how,
        tally=tally,
        first=shown,
        rejected=tuple(rejected),
        encoding=encoding,
        delimiter=delimiter,
        notes=(*notes, *how.recognised.notes),
    )


def blocks(
    songs: BinaryIO, how: Understanding, *, limits: Limits, rows: int = BLOCK_ROWS
) -> Iterator[RawTable]:
    """The file `songs` from its beginning in blocks of `rows` rows, fewer where they are wide.

    Raises `UnreadableUpload` where no row of the first block can be read.
    """
    songs.seek(0)
    most = max(1, min(rows, _MOST_CELLS // len(how.header)))
    return read_blocks(songs, rows=most, sample=most, most=limits.unpacked)


def _beginning(songs: BinaryIO, limits: Limits, *, rows: int) -> RawTable:
    songs.seek(0)
    return next(read_blocks(songs, sample=rows, most=limits.unpacked))


def _rejected(block: CheckedBlock) -> Iterator[Rejected]:
    for line, reason in zip(block.lines.tolist(), block.reasons, strict=True):
        if reason:
            yield Rejected(line, reason)
