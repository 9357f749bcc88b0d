"""The leaderboard of a run and the list of runs, as markup."""

from collections.abc import Sequence

from chartbuster import wording
from chartbuster.card import pieces, words
from chartbuster.markup import Markup, element, joined
from chartbuster.plots import About, Row, rows
from chartbuster.runs import BASELINE, ModelEntry, RunManifest, Scores
from webapp.models.shelf import Shelf, short

PROTOCOLS = (words.NEW, words.KNOWN)
"""The one that decides first."""

_MOST_RUNS = 20


def leaderboard(shelf: Shelf, run: RunManifest) -> Markup:
    """The run's models under both protocols: a plot of their errors, and all figures."""
    measured = [each for each in PROTOCOLS if any(words.scores(m, each) for m in run.models)]
    tables = [
        _table(shelf, run, protocol) if protocol in measured else _unmeasured(run, protocol)
        for protocol in PROTOCOLS
    ]
    plot = element("figure", _plot(shelf, run, measured)) if measured else Markup()
    return joined(plot, *tables)


def _plot(shelf: Shelf, run: RunManifest, measured: Sequence[str]) -> Markup:
    ranked = sorted(run.models, key=lambda entry: (entry.deciding_mae, entry.name))
    return rows(
        About(
            "leaderboard-plot",
            "Error of every model",
            "Per model the mean absolute error for each kind of artist with its 95 % interval; "
            "further left is better. The tables have the same figures.",
        ),
        [
            Row(
                _marked(shelf, run, entry),
                tuple(
                    pieces.mark(scores.mae, scores.intervals.get("mae"))
                    if (scores := words.scores(entry, protocol))
                    else None
                    for protocol in measured
                ),
            )
            for entry in ranked
        ],
        series=tuple(measured),
        axis="mean absolute error, points",
    )


def _marked(shelf: Shelf, run: RunManifest, entry: ModelEntry) -> str:
    return f"★ {entry.title}" if shelf.is_champion(run.run_id, entry.name) else entry.title


def _table(shelf: Shelf, run: RunManifest, protocol: str) -> Markup:
    guess = words.baseline(run, protocol)
    scored = sorted(
        (
            (scores.mae, entry.name == BASELINE, entry.name, entry, scores)
            for entry in run.models
            if (scores := words.scores(entry, protocol)) is not None
        ),
        key=lambda each: each[:3],
    )
    songs = scored[0][4].songs
    return pieces.table(
        f"Tested on {songs:,} songs of {_whom(run, protocol)}, the smallest error first",
        (
            "Model",
            "Error",
            "Beside the baseline",
            "R²",
            "Hits found",
            "Within interval",
            "Interval width",
        ),
        [_cells(shelf, run, entry, scores, guess) for *_, entry, scores in scored],
    )


def _whom(run: RunManifest, protocol: str) -> str:
    if protocol == words.NEW:
        return "artists the models did not know"
    return "artists the models knew" if run.artists else "all artists"


def _cells(
    shelf: Shelf, run: RunManifest, entry: ModelEntry, scores: Scores, guess: Scores | None
) -> tuple[str, ...]:
    sure, hits = scores.intervals, scores.hits
    beside = "–" if guess is None else words.signed(scores.mae - guess.mae, 2)
    return (
        joined(entry.title, _badge(shelf, run, entry)),
        pieces.with_interval(f"{scores.mae:.2f}", sure.get("mae")),
        "the one to beat" if entry.name == BASELINE else beside,
        pieces.with_interval(f"{scores.r2:.3f}", sure.get("r2")),
        "–"
        if hits is None
        else pieces.with_interval(f"{hits.average_precision:.3f}", sure.get("average_precision")),
        "–"
        if scores.covered is None
        else pieces.with_interval(
            words.percent(scores.covered, 1), sure.get("covered"), words.percent_between
        ),
        "–" if scores.width is None else words.points(scores.width),
    )


def _badge(shelf: Shelf, run: RunManifest, entry: ModelEntry) -> Markup:
    if not shelf.is_champion(run.run_id, entry.name):
        return Markup()
    return joined(" ", element("span", "champion", class_="cb-badge"))


def _unmeasured(run: RunManifest, protocol: str) -> Markup:
    why = (
        "the data names no artists"
        if protocol == words.NEW and not run.artists
        else "too few songs were left to test on"
    )
    return pieces.paragraph(f"{protocol.capitalize()}: not available, because {why}.")


def runs(shelf: Shelf) -> Markup:
    """The dataset's runs with their best models, the newest first."""
    shown = shelf.runs[:_MOST_RUNS]
    return pieces.table(
        "Runs, the newest first"
        + (
            f": the last {len(shown)} of {len(shelf.runs):,}"
            if len(shelf.runs) > len(shown)
            else ""
        ),
        ("Run", "Finished", "Songs", "Best model", "Error, new artists", "Error, known artists"),
        [_run_cells(shelf, run) for run in shown],
    )


def _run_cells(shelf: Shelf, run: RunManifest) -> tuple[str, ...]:
    best = next((each for each in run.models if each.name == run.best), None)
    holds = shelf.champion is not None and shelf.champion.run_id == run.run_id
    return (
        joined(short(run.run_id), _of_champion() if holds else Markup()),
        wording.moment(run.created),
        f"{run.songs:,}",
        best.title if best else run.best,
        *(_error(best, protocol) for protocol in PROTOCOLS),
    )


def _of_champion() -> Markup:
    return joined(" ", element("span", "has the champion", class_="cb-badge"))


def _error(entry: ModelEntry | None, protocol: str) -> str:
    scores = words.scores(entry, protocol) if entry else None
    if scores is None:
        return "–"
    return pieces.with_interval(f"{scores.mae:.2f}", scores.intervals.get("mae"))
