"""The tables of the page Data, for a spreadsheet too: no text of the data is a formula in them."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from chartbuster.drift import LEVELS, AttributeDrift, DriftReport
from chartbuster.learn.distributions import GenreSongs, Histogram, WordCounts
from chartbuster.quality import Columns, Rejected, UploadReport
from chartbuster.report import GenreScore
from chartbuster.tables import harmless
from webapp.data.sentences import label, shown, unit

# Shape and word say it; in a table there is no icon to draw.
_LEVELS = dict(zip(LEVELS, ("○ none", "◐ some", "● much"), strict=True))


def bins(found: Sequence[Histogram], words: Sequence[WordCounts] = ()) -> pd.DataFrame:
    """Every bar of every plot: attribute, from, to (or the value), songs."""
    numbers = [
        (label(each.name), _short(each.name, low), _short(each.name, high), count)
        for each in found
        for low, high, count in zip(each.edges, each.edges[1:], each.counts, strict=False)
    ]
    texts = [
        (label(each.name), word, "", count) for each in words for word, count in each.counts.items()
    ]
    return pd.DataFrame([*numbers, *texts], columns=["Attribute", "From", "To", "Songs"])


def middles(found: Sequence[Histogram]) -> pd.DataFrame:
    """Per attribute its quarters, and how many songs lack it or lie beyond the plot's ends."""
    return pd.DataFrame(
        [
            (
                label(each.name),
                *(_short(each.name, value) for value in each.quarters),
                each.missing,
                each.below + each.above,
            )
            for each in found
        ],
        columns=[
            "Attribute",
            "A quarter at most",
            "Half at most",
            "Three quarters at most",
            "Missing",
            "Beyond the plot",
        ],
    )


def genre_table(found: Sequence[GenreSongs], scores: Sequence[GenreScore]) -> pd.DataFrame:
    """Every genre: songs, popularity, and the best model's error for new artists where known."""
    by_genre = {score.genre: score for score in scores}
    rows = [
        (
            harmless(each.genre),
            each.songs,
            each.mean,
            each.quarters[0],
            each.quarters[1],
            each.quarters[2],
            *_errors(by_genre.get(each.genre)),
        )
        for each in sorted(found, key=lambda each: (-each.songs, each.genre))
    ]
    columns = ["Genre", "Songs", "Mean popularity", "Lower quarter", "Median", "Upper quarter"]
    frame = pd.DataFrame(rows, columns=[*columns, "Error", "Baseline's error", "Bias"])
    return frame if by_genre else frame[columns]


def genre_counts(reports: Sequence[UploadReport]) -> pd.DataFrame:
    """How many songs of the files have each genre, the commonest first."""
    counts: dict[str, int] = {}
    for report in reports:
        for genre, songs in report.genres.items():
            counts[genre] = counts.get(genre, 0) + songs
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return pd.DataFrame(
        [(harmless(genre), songs) for genre, songs in ordered], columns=["Genre", "Songs"]
    )


def taken(columns: Columns) -> pd.DataFrame:
    """What each column of a file was taken for."""
    return pd.DataFrame(
        [
            (harmless(each.column), label(each.field).split(" (")[0], unit(each.unit))
            for each in columns.understood
        ],
        columns=["Column", "Taken for", "Unit"],
    )


def lost(report: UploadReport) -> pd.DataFrame:
    """What is missing or unreadable in each attribute that has a column, the worst first.

    `Complete` is the share of rows with a value, 0 to 1.
    """
    absent = set(report.absent)
    rows = []
    for name, found in report.attributes.items():
        if name not in absent:
            gone = found.missing + found.unreadable
            complete = 1 - gone / report.rows.read if report.rows.read else 0.0
            # Rounded down, so that a hundred percent is said of nothing less.
            complete = max(math.floor(complete * 1_000) / 1_000, 0.0)
            examples = ", ".join(found.examples)
            rows.append(
                (
                    label(name).split(" (")[0],
                    complete,
                    found.missing,
                    found.unreadable,
                    harmless(examples),
                )
            )
    rows.sort(key=lambda row: row[1])
    return pd.DataFrame(
        rows, columns=["Attribute", "Complete", "Missing", "Unreadable", "For example"]
    )


def reasons(counts: Mapping[str, int]) -> pd.DataFrame:
    """How many rows were rejected for which kind of reason."""
    rows = [(harmless(reason), count) for reason, count in counts.items()]
    return pd.DataFrame(rows, columns=["Reason", "Rows"])


def rejected(found: Sequence[Rejected]) -> pd.DataFrame:
    """Rejected rows; their texts were made harmless when they were stored."""
    rows = [(each.line, each.reason, each.row) for each in found]
    return pd.DataFrame(rows, columns=["Line", "Reason", "Row"])


def drifted(report: DriftReport) -> pd.DataFrame:
    """The popularity, then the attributes, the most drifted first; missing values as shares."""
    return pd.DataFrame(
        [_drifted(each) for each in (report.popularity, *report.features)],
        columns=[
            "Attribute",
            "Change",
            "PSI beyond chance",
            "KS",
            "Median before",
            "Median now",
            "Missing before",
            "Missing now",
        ],
    )


def _drifted(each: AttributeDrift) -> tuple[object, ...]:
    before, now = (
        None if value is None else shown(each.name, value)
        for value in (each.median_before, each.median_now)
    )
    return (
        label(each.name),
        _LEVELS.get(each.level, each.level),
        max(each.excess, 0.0),
        each.ks,
        before,
        now,
        each.missing_before,
        each.missing_now,
    )


def _errors(score: GenreScore | None) -> tuple[float | None, float | None, float | None]:
    return (score.mae, score.baseline, score.bias) if score else (None, None, None)


def _short(name: str, value: float) -> str:
    return f"{shown(name, value):.4g}"
