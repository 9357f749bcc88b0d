"""Whole files of songs, scored block by block: one answer per row, in the rows' order.

How a file is read is settled once, by its header and its first block; after that every block stands
for itself, so a file of any length needs the memory of one block. Rows are never merged.

What becomes of a row:

- An attribute that is not given gets the default that `scoring.completed` gives it, and `assumed`
  says so.
- A genre the model does not know is left out, since other genres of the file may well be known, and
  no reading of the row is wrong because of it; `assumed` says which. A song whose genres are all
  unknown is scored as one without genre.
- An attribute that cannot be read or is out of range leaves the row without a prediction, and
  `reason` says which, what it holds and what would be right. So does a line that is no row, and a
  row that says nothing at all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster import cleaning, values
from chartbuster.columns import Recognised, Understood, listed, recognise
from chartbuster.errors import UnreadableUpload
from chartbuster.features import add_features
from chartbuster.measuring import MILLISECONDS, Measured, Units
from chartbuster.outlook import Outlook
from chartbuster.reading import RawTable
from chartbuster.runs import Inputs
from chartbuster.scoring import LETTERS, default_of
from chartbuster.songs import ATTRIBUTE, GENRE_SEPARATOR, RELEASE_YEAR
from chartbuster.tables import safe_rows

type Ask = Callable[[pd.DataFrame], Outlook]
"""What a model says of the songs of a ready table, one each, in their order."""

GIVEN = ("song_id", "artist", "title")
"""The fields that say which song a row is; their columns come back as they were given."""

ANSWERS = (
    *("popularity", "low", "high", "percentile", "hit_probability"),
    *("assumed", "reason", "line"),
)
"""The columns of the answers, after those that were given."""

_NUMBERS = ATTRIBUTE | {RELEASE_YEAR.name: RELEASE_YEAR}
_USED = (*_NUMBERS, *LETTERS)
_LONGEST_VALUE = 40
_MOST_COUNTED = 1_000
_OTHERS = "others"
_DURATION_UNITS = {"ms": "milliseconds", "s": "seconds", "min": "minutes"}
LETTERS_EXPECTED = {
    "key": "C to B, or 0 to 11",
    "mode": "Minor or Major, or 0 or 1",
    "time_signature": "1/4 to 7/4, or 1 to 7",
}
"""What the attributes that are no numbers may be, in words."""


@dataclass(frozen=True)
class Understanding:
    """How the rows of a file are read; `header` names its columns."""

    header: tuple[str, ...]
    recognised: Recognised
    units: Units

    @property
    def given(self) -> tuple[Understood, ...]:
        """The columns that come back as they are, in the order of GIVEN."""
        fields = self.recognised.fields
        return tuple(fields[name] for name in GIVEN if name in fields)

    @property
    def used(self) -> tuple[Understood, ...]:
        """The columns that say anything of a song; its popularity is what is asked."""
        fields = self.recognised.fields
        return tuple(fields[name] for name in fields if name != "popularity")


@dataclass(frozen=True, kw_only=True)
class CheckedBlock:
    """What becomes of some rows of a file, rejected ones among them, in the file's order.

    `lines` are the lines they begin on. `assumed` says what is assumed of each, an empty text where
    nothing is; `reasons` why it cannot be scored, an empty text where it can. `causes` counts the
    reasons by their kind and `unknown_genres` the rows by the genres the model does not know.
    """

    lines: NDArray[np.int64]
    assumed: tuple[str, ...]
    reasons: tuple[str, ...]
    causes: Mapping[str, int]
    unknown_genres: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, kw_only=True)
class ScoredBlock(CheckedBlock):
    """The answers for some rows of a file.

    `columns` are the names of the columns that come back, `given` their cells, one tuple per
    column. The figures are those of `Outlook`, NaN where `reasons` has a text.
    """

    columns: tuple[str, ...]
    given: tuple[tuple[str, ...], ...]
    popularity: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    percentile: NDArray[np.float64]
    hit: NDArray[np.float64]

    def header(self) -> bytes:
        """The first line of a CSV file of the answers."""
        return safe_rows([(*self.columns, *ANSWERS)])

    def to_csv(self) -> bytes:
        """The answers as lines of CSV; no cell is taken for a formula by a spreadsheet."""
        figures = (self.popularity, self.low, self.high, self.percentile)
        return safe_rows(
            zip(
                *self.given,
                *(_written(figure, decimals=1) for figure in figures),
                _written(self.hit, decimals=3),
                self.assumed,
                self.reasons,
                self.lines.tolist(),
                strict=True,
            )
        )


@dataclass
class Tally:
    """What became of the rows so far; of causes and genres the first thousand kinds are counted."""

    rows: int = 0
    rejected: int = 0
    assumed: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    unknown_genres: Counter[str] = field(default_factory=Counter)

    @property
    def scored(self) -> int:
        """The rows that have a prediction."""
        return self.rows - self.rejected

    def add(self, block: CheckedBlock) -> None:
        """Count the rows of `block` as well."""
        self.rows += len(block)
        self.rejected += sum(map(bool, block.reasons))
        self.assumed += sum(map(bool, block.assumed))
        _count(self.causes, block.causes)
        _count(self.unknown_genres, block.unknown_genres)


def looked_at(inputs: Inputs) -> tuple[str, ...]:
    """The attributes the run's data had; whatever a file says of another changes nothing."""
    return tuple(name for name in _USED if default_of(name, (), inputs) is not None)


def understand(sample: RawTable, inputs: Inputs) -> Understanding:
    """How the file is read whose first rows are `sample`.

    Raises `UnreadableUpload` when no column holds anything that the models of `inputs` look at.
    """
    if "schema_version" in sample.header:
        raise UnreadableUpload(
            "the file is a ready_data.csv, which is made for models; expected the songs "
            "themselves, such as the cleaned_data.csv beside it"
        )
    recognised = recognise(
        sample.header, counting=cleaning.counting(sample), needs_popularity=False
    )
    wanted = {*looked_at(inputs), "genre", "subgenre", "title"}
    if not wanted & set(recognised.fields):
        if len(sample.header) == 1:
            raise UnreadableUpload(
                f"the file has one column, {sample.header[0][:80]!r}; expected several, separated "
                "by comma, semicolon or tab"
            )
        raise UnreadableUpload(
            "no column holds an attribute the model looks at; the columns are "
            f"{listed(sample.header)}; expected some of {', '.join(sorted(wanted))}"
        )
    return Understanding(sample.header, recognised, cleaning.units_of(sample, recognised))


def score(
    blocks: Iterable[RawTable], ask: Ask, inputs: Inputs, *, how: Understanding | None = None
) -> Iterator[ScoredBlock]:
    """The answers for the rows of `blocks`, block by block.

    `how` they are read is settled by the first one, where it was not before. `inputs` are those of
    the run that answers. Raises `UnreadableUpload` as `understand` and the blocks' reader do; what
    was answered before that stands.
    """
    for table in blocks:
        if how is None:
            how = understand(table, inputs)
        yield score_block(table, how, ask, inputs)


def check_block(table: RawTable, how: Understanding, inputs: Inputs) -> CheckedBlock:
    """What `score_block` will say of the rows and rejects of `table`, but for the figures.

    No model is asked, which takes a fraction of the time.
    """
    return _Judged(table, how, inputs).checked()


def score_block(table: RawTable, how: Understanding, ask: Ask, inputs: Inputs) -> ScoredBlock:
    """The answers for the rows and rejects of `table`."""
    judged = _Judged(table, how, inputs)
    checked, rows, order = judged.checked(), judged.rows, judged.order
    figures = np.full((5, len(order)), np.nan)
    if len(rows):
        said = ask(add_features(judged.songs(), genres=inputs.genres))
        figures[:, rows] = said.popularity, said.low, said.high, said.percentile, said.hit
    figures = figures[:, order]
    given = [table.columns[each.index] for each in how.given]
    empty = [""] * len(table.rejects)
    return ScoredBlock(
        lines=checked.lines,
        assumed=checked.assumed,
        reasons=checked.reasons,
        causes=checked.causes,
        unknown_genres=checked.unknown_genres,
        columns=tuple(each.column for each in how.given),
        given=tuple(
            _in_order([*(column.texts[code] for code in column.codes), *empty], order)
            for column in given
        ),
        popularity=figures[0],
        low=figures[1],
        high=figures[2],
        percentile=figures[3],
        hit=figures[4],
    )


class _Judged:
    """The rows of a table that can be scored, with what is assumed of them, and why others cannot.

    `order` puts the table's rows, followed by its rejects, into the order of their lines.
    """

    def __init__(self, table: RawTable, how: Understanding, inputs: Inputs) -> None:
        self._table, self._how = table, how
        self._found = cleaning.measures(table, how.recognised, how.units)
        self._reasons, self._causes = _reasons(table, how, self._found, inputs)
        self.rows = np.array([n for n, why in enumerate(self._reasons) if not why], dtype=np.int64)
        broken = np.array([each.line for each in table.rejects], dtype=np.int64)
        self._lines = np.concatenate([table.lines, broken])
        self.order = np.argsort(self._lines, kind="stable")
        self._genres = _Genres(table, how, self.rows, inputs)
        self._defaults = {
            name: [default_of(name, known, inputs) for known in self._genres.known]
            for name in _USED
        }

    def checked(self) -> CheckedBlock:
        """What becomes of every row."""
        broken = [each.reason for each in self._table.rejects]
        notes = np.full(len(self._lines), "", dtype=object)
        notes[self.rows] = self._notes()
        return CheckedBlock(
            lines=self._lines[self.order],
            assumed=_in_order(notes.tolist(), self.order),
            reasons=_in_order([*self._reasons, *broken], self.order),
            causes=self._causes + Counter(broken),
            unknown_genres=self._genres.unknown_rows,
        )

    def songs(self) -> pd.DataFrame:
        """The cleaned table of `rows`, completed as `scoring.completed` does."""
        rows, genres = self.rows, self._genres
        names = cleaning.names(self._table, self._how.recognised, rows)
        joined = [GENRE_SEPARATOR.join(known) or None for known in genres.known]
        columns: dict[str, object] = {
            "song_id": [f"row {n}" for n in range(len(rows))],
            "genres": genres.taken(joined),
            "popularity": np.full(len(rows), np.nan),
        }
        for name in ("artist", "title"):
            ranked = names[name]
            columns[name] = (
                np.full(len(rows), None, dtype=object)
                if ranked is None
                else ranked.taken(ranked.codes)
            )
        for name in _USED:
            measured = self._found[name].values[rows]
            missing = np.isnan(measured)
            assumed = genres.taken(self._defaults[name])
            if name in _NUMBERS:
                columns[name] = np.where(missing, assumed.astype(np.float64), measured)
            else:
                first = 1 if name == "time_signature" else 0
                words = np.array([*LETTERS[name], None], dtype=object)
                codes = np.where(missing, first - 1, measured).astype(np.int64) - first
                columns[name] = np.where(missing, assumed, words[codes])
        frame = pd.DataFrame(columns, columns=list(cleaning.CLEANED_COLUMNS))
        return frame.astype(dict.fromkeys(cleaning.TEXT_COLUMNS, "str"))

    def _notes(self) -> list[str]:
        """What is assumed of each of `rows`, in words; those with the same genres mostly share
        them.
        """
        genres, defaults = self._genres, self._defaults
        assumed = np.zeros(len(self.rows), dtype=np.int64)
        for place, name in enumerate(_USED):
            has_default = np.array([value is not None for value in defaults[name]], dtype=bool)
            missing = np.isnan(self._found[name].values[self.rows])
            assumed |= (missing & has_default[genres.codes]).astype(np.int64) << place
        every = list(zip(genres.codes.tolist(), assumed.tolist(), strict=True))
        written: dict[tuple[int, int], str] = {}
        for both in set(every):
            code, flags = both
            parts = [genres.notes[code]] if genres.notes[code] else []
            parts += [
                f"{name}={_value(name, defaults[name][code])}"
                for place, name in enumerate(_USED)
                if flags >> place & 1
            ]
            written[both] = "; ".join(parts)
        return [written[both] for both in every]


class _Genres:
    """The genres of `rows`: those the run knows and those it does not."""

    def __init__(
        self, table: RawTable, how: Understanding, rows: NDArray[np.int64], inputs: Inputs
    ) -> None:
        spelt = {known.casefold(): known for known in inputs.genres}
        self.codes, lists = cleaning.genres_of(table, how.recognised, rows)
        self.known = [
            sorted({spelt[name.casefold()] for name in names if name.casefold() in spelt})
            for names in lists
        ]
        # Where the data had no genres, no model looks at them, and none is missed.
        self.unknown = [
            [name for name in names if name.casefold() not in spelt] if spelt else []
            for names in lists
        ]
        self.notes = ["" if not spelt else _genre_note(*both) for both in self._both()]
        self.unknown_rows: Counter[str] = Counter()
        used = np.bincount(self.codes, minlength=len(lists))
        for names, count in zip(self.unknown, used, strict=True):
            for name in names if count else ():
                self.unknown_rows[name] += int(count)

    def taken(self, per_list: Sequence[object]) -> NDArray[np.object_]:
        """What each row gets of what its list of genres gets."""
        objects = np.empty(len(per_list), dtype=object)
        objects[:] = per_list
        return objects[self.codes]

    def _both(self) -> Iterator[tuple[list[str], list[str]]]:
        return zip(self.known, self.unknown, strict=True)


def _genre_note(known: Sequence[str], unknown: Sequence[str]) -> str:
    if known and not unknown:
        return ""
    left_out = f" (unknown: {', '.join(unknown)})" if unknown else ""
    return f"genre={', '.join(known) or 'none'}{left_out}"


def _value(name: str, default: object) -> str:
    return f"{default:.{_NUMBERS[name].decimals}f}" if name in _NUMBERS else str(default)


def _reasons(
    table: RawTable, how: Understanding, found: Mapping[str, Measured], inputs: Inputs
) -> tuple[list[str], Counter[str]]:
    """Why each row cannot be scored, an empty text where it can; and the reasons by their kind."""
    parts: dict[int, list[str]] = {}
    causes: Counter[str] = Counter()
    for name in looked_at(inputs):
        wrong = np.flatnonzero(found[name].unreadable)
        if not len(wrong):
            continue
        column = table.columns[how.recognised.fields[name].index]
        expected = _expected(name, how.units)
        causes[f"{name} is not {expected}"] += len(wrong)
        for row in wrong.tolist():
            text = column.texts[column.codes[row]].strip()[:_LONGEST_VALUE]
            parts.setdefault(row, []).append(f"{name} is {text!r}, expected {expected}")
    reasons = ["; ".join(parts.get(row, ())) for row in range(len(table))]
    for row in np.flatnonzero(_says_nothing(table, how)).tolist():
        reasons[row] = "the row says nothing of a song"
        causes[reasons[row]] += 1
    return reasons, causes


def _says_nothing(table: RawTable, how: Understanding) -> NDArray[np.bool_]:
    """The rows without anything in the columns that are used, such as Excel leaves at the end."""
    silent = np.ones(len(table), dtype=bool)
    for each in how.used:
        if not silent.any():
            break
        column = table.columns[each.index]
        empty = np.array([values.is_stand_in(text.strip()) for text in column.texts], dtype=bool)
        silent &= empty[column.codes] if len(empty) else True
    return silent


def _expected(name: str, units: Units) -> str:
    """What an attribute may be, in the unit the file has it in."""
    if name in LETTERS_EXPECTED:
        return LETTERS_EXPECTED[name]
    attribute = _NUMBERS[name]
    if name in units.percent:
        return f"{attribute.low * 100:g} to {attribute.high * 100:g} percent"
    if name == "duration_ms":
        unit = units.duration or "ms"
        low, high = (
            _plain(bound / MILLISECONDS[unit]) for bound in (attribute.low, attribute.high)
        )
        return f"{low} to {high} {_DURATION_UNITS[unit]}"
    return attribute.range


def _plain(value: float) -> str:
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def _in_order(texts: Sequence[str], order: NDArray[np.int64]) -> tuple[str, ...]:
    return tuple(texts[place] for place in order.tolist())


def _written(figures: NDArray[np.float64], *, decimals: int) -> list[str]:
    return ["" if figure != figure else f"{figure:.{decimals}f}" for figure in figures.tolist()]


def _count(counted: Counter[str], more: Mapping[str, int]) -> None:
    """Add `more`; a file that is all different must not fill the memory."""
    for name, count in more.items():
        known = name in counted or len(counted) < _MOST_COUNTED
        counted[name if known else _OTHERS] += count
