"""Tables as CSV bytes: the same table gives the same bytes, quickly.

Every distinct value of a column is written once and then looked up, which for song tables is many
times faster than formatting each cell. Whole numbers have no decimal point, a missing value is an
empty cell, and every other number is the shortest text that reads back as the same number.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CHUNK = 16_384
_NEEDS_QUOTES = re.compile(r'[",\r\n]')
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def to_csv(frame: pd.DataFrame) -> bytes:
    """`frame` without its index, as UTF-8 with LF line ends."""
    columns = [_written(frame[name]) for name in frame.columns]
    out = io.BytesIO()
    out.write((",".join(_quoted(name) for name in frame.columns) + "\n").encode())
    for start in range(0, len(frame), _CHUNK):
        cells = [texts[codes[start : start + _CHUNK]].tolist() for codes, texts in columns]
        lines = map(",".join, zip(*cells, strict=True))
        out.write(("\n".join(lines) + "\n").encode())
    return out.getvalue()


def safe_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A small table for people to open: no cell is taken for a formula by a spreadsheet."""
    return safe_rows([header, *rows])


def safe_rows(rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as `safe_csv` writes them, a header of somebody else's among them or not."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([harmless(str(cell)) for cell in row] for row in rows)
    return out.getvalue().encode(errors="replace")


def harmless(cell: str) -> str:
    """`cell` behind an apostrophe if a spreadsheet would compute it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _written(column: "pd.Series[str]") -> tuple[NDArray[np.signedinteger], NDArray[np.object_]]:
    """Codes into the written forms of the distinct values; the last form is the empty cell."""
    codes, distinct = pd.factorize(column.to_numpy())
    values = distinct.tolist()
    texts = [_quoted(value) if isinstance(value, str) else _number(value) for value in values]
    forms = np.empty(len(texts) + 1, dtype=object)
    forms[:] = [*texts, ""]
    # -1, the code of a missing value, is the last form. Small codes keep wide tables small.
    return codes.astype(np.min_scalar_type(-len(forms))), forms


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
