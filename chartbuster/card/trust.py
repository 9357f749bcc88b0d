"""The sections that say whether a prediction, its interval and its hit probability hold."""

from collections.abc import Sequence

from chartbuster.card import pieces, words
from chartbuster.markup import Markup, joined
from chartbuster.plots import About, Line, Row, heat, lines, rows
from chartbuster.report import Report
from chartbuster.runs import Interval, ModelEntry

_BAND = 5
"""How many points of popularity a row, or column, of the report's counts spans."""


def predicted_against_actual(report: Report) -> pieces.Section:
    counts = report.predicted_against_actual
    high = len(counts) * _BAND
    plot = heat(
        About(
            "against-plot",
            "Predicted against actual popularity",
            "A square of cells, the stronger the more songs are in it. Songs on the dashed "
            "diagonal are predicted exactly. The table has the same figures.",
        ),
        counts,
        high=high,
        across="actual popularity",
        up="predicted popularity",
    )
    # Two rows of the report at a time: twenty lines would say no more.
    bands = []
    for first in range(0, len(counts), 2):
        songs = [sum(column) for column in zip(*counts[first : first + 2], strict=True)]
        if not sum(songs):
            continue
        mean = sum(n * (place + 0.5) * _BAND for place, n in enumerate(songs)) / sum(songs)
        low, above = _middle(songs, 0.05) * _BAND, (_middle(songs, 0.95) + 1) * _BAND
        bands.append(
            (
                f"{first * _BAND} to {min((first + 2) * _BAND, high)}",
                f"{sum(songs):,}",
                f"{mean:.0f}",
                f"{low} to {above}",
            )
        )
    table = pieces.table(
        "Where songs by new artists really ended, by what was predicted",
        ("Predicted", "Songs", "Mean, about", "Nine in ten between"),
        bands,
    )
    return pieces.Section(
        "against",
        "Predicted against actual",
        joined(
            pieces.paragraph(
                "Every song by an artist the model did not know, once: what it predicted, and what "
                "the song's popularity was."
            ),
            pieces.pair(plot, table),
        ),
    )


def _middle(songs: Sequence[int], part: float) -> int:
    """The place at which `part` of all songs is reached."""
    reached, wanted = 0, part * sum(songs)
    for place, count in enumerate(songs):
        reached += count
        if reached >= wanted:
            return place
    return len(songs) - 1


def interval(best: ModelEntry, report: Report | None) -> pieces.Section:
    name, heading = "interval", "Is the interval right?"
    measured = [
        (protocol, scores, scores.covered)
        for protocol in words.PROTOCOLS
        if (scores := words.scores(best, protocol)) and scores.covered is not None
    ]
    if not measured:
        return pieces.Section(
            name,
            heading,
            pieces.paragraph(
                "This run gives no interval with its predictions, so there is none to judge."
            ),
        )
    wanted = report.interval if report else None
    plot = rows(
        About(
            "interval-plot",
            "Share of songs within their interval",
            "One mark per kind of artist with its 95 % interval; the dashed line is the share "
            "that was wanted.",
        ),
        [
            Row(protocol, (pieces.mark(covered * 100, scores.intervals.get("covered"), 100),))
            for protocol, scores, covered in measured
        ],
        series=("covered",),
        axis="songs within their interval, %",
        beside=wanted * 100 if wanted is not None else None,
    )
    table = pieces.table(
        "How often the popularity was within the interval given with the prediction",
        ("Tested on", "Wanted", "Within", "Mean width", "Songs"),
        [
            (
                protocol,
                words.percent(wanted) if wanted is not None else "–",
                pieces.with_interval(
                    words.percent(covered, 1),
                    scores.intervals.get("covered"),
                    words.percent_between,
                ),
                words.points(scores.width) if scores.width is not None else "–",
                f"{scores.songs:,}",
            )
            for protocol, scores, covered in measured
        ],
    )
    promise = (
        f"With every prediction comes an interval meant to hold the popularity of "
        f"{words.percent(wanted)} of songs. "
        if wanted is not None
        else "With every prediction comes an interval. "
    )
    kept = [
        f"For {protocol} it {_kept(scores.intervals['covered'], wanted)}."
        for protocol, scores, _ in measured
        if wanted is not None and "covered" in scores.intervals
    ]
    return pieces.Section(
        name, heading, joined(pieces.paragraph(promise, " ".join(kept)), pieces.pair(plot, table))
    )


def _kept(covered: Interval, wanted: float) -> str:
    if covered.high < wanted:
        return "holds too few: it promises more than it keeps"
    if covered.low > wanted:
        return "holds more than that: it is wider than it had to be"
    return "does, as far as these songs can tell"


def hits(best: ModelEntry, report: Report | None) -> pieces.Section:
    name, heading = "hits", "Is the hit probability right?"
    measured = [
        (protocol, scores, scores.hits)
        for protocol in words.PROTOCOLS
        if (scores := words.scores(best, protocol)) and scores.hits is not None
    ]
    if not measured:
        return pieces.Section(
            name,
            heading,
            pieces.paragraph(
                "This run did not measure it: its tested songs hold no hits, or nothing else, or "
                "it is older than hit probabilities are."
            ),
        )
    table = pieces.table(
        "How well hits are told from other songs",
        (
            "Tested on",
            "Hits",
            "Average precision",
            "Hits among the surest",
            "Calibration",
            "Brier score",
        ),
        [
            (
                protocol,
                joined(
                    f"{hits.hits:,}",
                    pieces.small(f"{words.percent(hits.hits / scores.songs, 1)} of all"),
                ),
                pieces.with_interval(
                    f"{hits.average_precision:.3f}", scores.intervals.get("average_precision")
                ),
                joined(words.percent(hits.precision), pieces.small(f"of {hits.k:,} songs")),
                pieces.with_interval(
                    f"{hits.calibration_error:.3f}", scores.intervals.get("calibration_error")
                ),
                pieces.with_interval(f"{hits.brier:.3f}", scores.intervals.get("brier")),
            )
            for protocol, scores, hits in measured
        ],
    )
    says = (
        "Average precision is to be read beside the share of hits, which is what naming songs at "
        "random would reach. A probability is right when, of the songs that were given "
        f"{words.percent(0.3)}, {words.percent(0.3)} are hits."
    )
    since = f"A hit is a song of popularity {report.hit_from:.0f} or more. " if report else ""
    return pieces.Section(
        name,
        heading,
        joined(
            pieces.paragraph(since, says),
            _reliability(report) if report and report.reliability else Markup(),
            table,
        ),
    )


def _reliability(report: Report) -> Markup:
    bins = sorted(report.reliability, key=lambda each: each.said)
    plot = lines(
        About(
            "hits-plot",
            "Hit probability against the share of hits",
            "One point per group of songs with about the same hit probability; on the dashed "
            "diagonal the probability is right.",
        ),
        [Line("hits", tuple((each.said * 100, each.seen * 100) for each in bins))],
        across="hit probability given, %",
        up="songs that were hits, %",
        square=(0, 100),
    )
    table = pieces.table(
        "Songs by the hit probability they were given",
        ("Given, on average", "Were hits", "Songs"),
        [
            (words.percent(each.said, 1), words.percent(each.seen, 1), f"{each.songs:,}")
            for each in bins
        ],
    )
    return pieces.pair(plot, table)
