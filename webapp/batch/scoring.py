"""A whole file, scored block by block into a table to browse and a file to take away."""

import io
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chartbuster.batches import Ask, ScoredBlock, Tally, Understanding, score
from chartbuster.checking import Checked, blocks
from chartbuster.runs import Inputs
from webapp.batch.limits import BLOCK, LIMITS

_BOM = b"\xef\xbb\xbf"
_LABELS = {"song_id": "Song id", "artist": "Artist", "title": "Title"}
_NAME = re.compile(r"[^\w-]+")
_LONGEST_STEM = 60
_LONGEST_CELL = 400
# Whoever moves a slider meanwhile waits 50 ms instead of 20, one time in twenty.
_REST = 0.5
_WAIT = 0.3

_turn = threading.Lock()


@dataclass(frozen=True)
class Job:
    """What is to be scored by which model: an upload's id, a run's id, a model's name."""

    upload: str
    run_id: str
    model: str


@dataclass(frozen=True)
class Results:
    """The scored rows of a file called `name`, and whose answers they are.

    `table` has one row per row of the file, in its order: what identifies the song, the figures
    (missing where a row was rejected), what was assumed, why it was rejected, and its line. Long
    texts are cut in it.
    `packed` are the bytes of the file to take away, compressed.
    """

    job: Job
    name: str
    dataset: str
    title: str
    tally: Tally
    table: pa.Table
    packed: bytes
    seconds: float

    def csv(self) -> bytes:
        """The answers as CSV: no cell is taken for a formula by a spreadsheet.

        It begins with a byte order mark, without which Excel does not know UTF-8.
        """
        return zlib.decompress(self.packed)

    @property
    def file_name(self) -> str:
        """`songs.demo.4ce0ee90880944dc.boosting.csv`: the songs and whose answers they are."""
        return ".".join((_stem(self.name), self.dataset, self.job.run_id, self.job.model, "csv"))

    def figures(self, column: str) -> NDArray[np.float64]:
        """The figures of `column`, of the rows that have any."""
        found = self.table[column].drop_null().to_numpy()
        return np.asarray(found, dtype=np.float64)


def scored(
    songs: BinaryIO,
    checked: Checked,
    ask: Ask,
    inputs: Inputs,
    *,
    job: Job,
    name: str,
    dataset: str,
    title: str,
    watch: Callable[[int], object],
) -> Results:
    """Score the file `songs` as it was understood; `watch` hears after each block how many rows.

    Nothing is kept when it raises, as `ask` or `watch` may. Raises `UnreadableUpload`.
    """
    began = time.monotonic()
    tally, packer, packed = Tally(), zlib.compressobj(level=1), io.BytesIO()
    tables: list[pa.Table] = []
    read = blocks(songs, checked.how, limits=LIMITS, rows=BLOCK)
    for block in score(read, ask, inputs, how=checked.how):
        if not tables:
            packed.write(packer.compress(_BOM + block.header()))
        packed.write(packer.compress(block.to_csv()))
        tables.append(_table(block, checked.how))
        tally.add(block)
        watch(tally.rows)
    packed.write(packer.flush())
    return Results(
        job=job,
        name=name,
        dataset=dataset,
        title=title,
        tally=tally,
        table=pa.concat_tables(tables).unify_dictionaries().combine_chunks(),
        packed=packed.getvalue(),
        seconds=time.monotonic() - began,
    )


@contextmanager
def turn(waiting: Callable[[], object]) -> Iterator[None]:
    """One file at a time in this process; `waiting` is called while another one is at it.

    Two at once would each take twice as long and twice the memory.
    """
    while not _turn.acquire(timeout=_WAIT):
        waiting()
    try:
        yield
    finally:
        _turn.release()


class Pace:
    """Called between blocks, it rests for half as long as the last one took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self) -> None:
        time.sleep(_REST * (time.monotonic() - self._began))
        self._began = time.monotonic()


def _table(block: ScoredBlock, how: Understanding) -> pa.Table:
    columns: dict[str, pa.Array] = {
        _LABELS[each.field]: _texts(cells)
        for each, cells in zip(how.given, block.given, strict=True)
    }
    for name in ("popularity", "low", "high", "percentile"):
        columns[name] = _numbers(np.round(getattr(block, name), 1))
    columns["hit"] = _numbers(np.round(block.hit, 3))
    columns["assumed"] = _texts(block.assumed).dictionary_encode()
    columns["reason"] = _texts(block.reasons).dictionary_encode()
    columns["line"] = pa.array(block.lines, pa.int32())
    return pa.table(columns)


def _texts(cells: Sequence[str]) -> pa.Array:
    return pa.array([cell[:_LONGEST_CELL] for cell in cells], pa.string())


def _numbers(figures: NDArray[np.float64]) -> pa.Array:
    return pa.array(figures.astype(np.float32), from_pandas=True)


def _stem(name: str) -> str:
    """The name of a file without its endings, of plain letters."""
    stem = PurePath(name).name.split(".")[0]
    return _NAME.sub("-", stem).strip("-")[:_LONGEST_STEM] or "songs"
