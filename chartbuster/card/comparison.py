"""The sections that set the model beside others: genres, sizes, models, splits, columns."""

from collections.abc import Sequence

from chartbuster.card import pieces, words
from chartbuster.markup import Markup, joined
from chartbuster.plots import About, Line, Mark, Row, lines, rows
from chartbuster.report import Ablated, Report
from chartbuster.runs import ModelEntry, RunManifest, Scores

_MOST_GENRES = 24
_MOST_IMPORTANCES = 15


def genres(report: Report) -> pieces.Section:
    ranked = sorted(report.genres, key=lambda each: (-each.songs, each.genre))
    shown = sorted(ranked[:_MOST_GENRES], key=lambda each: (each.mae, each.genre))
    plot = rows(
        About(
            "genres-plot",
            "Mean absolute error by genre",
            "Per genre the model's error and that of guessing the genre's mean; further left is "
            "better.",
        ),
        [Row(each.genre, (Mark(each.mae), Mark(each.baseline))) for each in shown],
        series=("this model", "the genre's mean"),
        axis="mean absolute error, points",
        tied=True,
    )
    table = pieces.table(
        "By genre, for new artists",
        ("Genre", "Songs", "Error", "Mean's error", "Too high by", "Within interval", "Width"),
        [
            (
                each.genre,
                f"{each.songs:,}",
                f"{each.mae:.2f}",
                f"{each.baseline:.2f}",
                words.signed(each.bias),
                words.percent(each.covered, 1),
                words.points(each.width),
            )
            for each in shown
        ],
    )
    left = len(ranked) - len(shown)
    better = sum(each.mae < each.baseline for each in ranked)
    return pieces.Section(
        "genres",
        "Error by genre",
        joined(
            pieces.paragraph(
                "For songs by artists it did not know, the model is closer than the genre's mean "
                f"in {better} of {len(ranked)} genres.",
                f" Shown are the {len(shown)} genres with the most songs." if left else "",
            ),
            pieces.pair(plot, table),
        ),
    )


def learning_curve(report: Report) -> pieces.Section:
    by_protocol = {
        protocol: sorted(
            (point for point in report.learning_curve if point.protocol == protocol),
            key=lambda point: point.songs,
        )
        for protocol in words.PROTOCOLS
    }
    there = {protocol: points for protocol, points in by_protocol.items() if points}
    plot = lines(
        About(
            "learning-plot",
            "Error against the number of songs learnt from",
            "One line per kind of artist; the number of songs grows by factors.",
        ),
        [
            Line(protocol, tuple((point.songs, point.mae) for point in points))
            for protocol, points in there.items()
        ],
        across="songs learnt from",
        up="mean absolute error, points",
        log=True,
    )
    table = pieces.table(
        "Tested on the same songs every time",
        ("Tested on", "Learnt from", "Error", "R²"),
        [
            (protocol, f"{point.songs:,}", f"{point.mae:.2f}", f"{point.r2:.3f}")
            for protocol, points in there.items()
            for point in points
        ],
    )
    steps = [
        f"From {points[-2].songs:,} to {points[-1].songs:,} songs the error for {protocol} "
        f"{_moved(points[-2].mae, points[-1].mae)}."
        for protocol, points in there.items()
        if len(points) > 1
    ]
    return pieces.Section(
        "learning",
        "Would more songs help?",
        joined(pieces.paragraph(" ".join(steps)) if steps else Markup(), pieces.pair(plot, table)),
    )


def _moved(before: float, after: float) -> str:
    moved = round(after - before, 2)
    if moved == 0:
        return "stayed the same"
    return f"{'rose' if moved > 0 else 'fell'} by {abs(moved):.2f} points"


def models(run: RunManifest) -> pieces.Section:
    measured = [
        protocol
        for protocol in words.PROTOCOLS
        if any(words.scores(entry, protocol) for entry in run.models)
    ]
    tables = [
        _model_table(run.models, protocol)
        if protocol in measured
        else pieces.paragraph(_unmeasured(run, protocol))
        for protocol in words.PROTOCOLS
    ]
    says = pieces.paragraph(
        "The error is the mean absolute error in points. For new artists, no artist is both learnt "
        "from and tested on; for known artists, other songs of the same artists may be learnt "
        "from. ",
        f"Intervals are of {words.percent(0.95)}, over artists or over songs. All models meet the "
        "same songs, so a difference between two of them is surer than their intervals look."
        if _with_intervals(run)
        else "",
    )
    files = _files(run.models)
    body = (
        pieces.pair(_model_plot(run.models, measured), joined(*tables), under=files)
        if measured
        else joined(*tables, files)
    )
    return pieces.Section("models", "Models beside one another", joined(says, body))


def _model_plot(models: Sequence[ModelEntry], measured: Sequence[str]) -> Markup:
    return rows(
        About(
            "models-plot",
            "Mean absolute error of every model",
            "Per model a mark for each kind of artist with its 95 % interval; further left is "
            "better.",
        ),
        [
            Row(
                entry.title,
                tuple(
                    pieces.mark(scores.mae, scores.intervals.get("mae"))
                    if (scores := words.scores(entry, protocol))
                    else None
                    for protocol in measured
                ),
            )
            for entry in sorted(models, key=lambda entry: (entry.deciding_mae, entry.name))
        ],
        series=measured,
        axis="mean absolute error, points",
    )


def _model_table(models: Sequence[ModelEntry], protocol: str) -> Markup:
    scored = sorted(
        (scores.mae, entry.name, _model_cells(entry, scores))
        for entry in models
        if (scores := words.scores(entry, protocol)) is not None
    )
    return pieces.table(
        f"Tested on {protocol}, the model with the smallest error first",
        ("Model", "Error", "R²", "RMSE", "Rank correlation", "Within interval", "Songs"),
        [cells for _, _, cells in scored],
    )


def _unmeasured(run: RunManifest, protocol: str) -> str:
    if protocol == words.NEW and not run.artists:
        return "New artists: not available, because the data names no artists."
    return f"{protocol.capitalize()}: not available, because too few songs were left to test on."


def _model_cells(entry: ModelEntry, scores: Scores) -> tuple[str, ...]:
    sure = scores.intervals
    return (
        entry.title,
        pieces.with_interval(f"{scores.mae:.2f}", sure.get("mae")),
        pieces.with_interval(f"{scores.r2:.3f}", sure.get("r2")),
        pieces.with_interval(f"{scores.rmse:.2f}", sure.get("rmse")),
        "–"
        if scores.spearman is None
        else pieces.with_interval(f"{scores.spearman:.3f}", sure.get("spearman")),
        "–" if scores.covered is None else words.percent(scores.covered, 1),
        f"{scores.songs:,}",
    )


def _files(models: Sequence[ModelEntry]) -> Markup:
    return pieces.table(
        "What a model costs, the smallest first",
        ("Model", "File", "Fitting"),
        [
            (entry.title, _size(entry.bytes), f"{entry.fit_seconds:,.1f} s")
            for entry in sorted(models, key=lambda entry: entry.bytes)
        ],
    )


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} KB"


def _with_intervals(run: RunManifest) -> bool:
    scored = (words.scores(entry, p) for entry in run.models for p in words.PROTOCOLS)
    return any(scores is not None and "mae" in scores.intervals for scores in scored)


def leaks(report: Report) -> pieces.Section:
    plot = rows(
        About(
            "leaks-plot",
            "R² as a random split claims it and as it is",
            "Per model two marks tied by a line, whose length is how much the split flatters.",
        ),
        [Row(each.title, (Mark(each.honest), Mark(each.claimed))) for each in report.leaks],
        series=("honest", "a random split"),
        axis="R²",
        tied=True,
    )
    table = pieces.table(
        "The same models, learnt from equally many rows",
        ("Model", "Claimed R²", "Honest R²", "Too good by", "Songs met before", "Rows"),
        [
            (
                each.title,
                f"{each.claimed:.3f}",
                f"{each.honest:.3f}",
                words.signed(each.flatters, 3),
                words.percent(each.shared, 1),
                f"{each.rows:,}",
            )
            for each in report.leaks
        ],
    )
    ours = next(
        (each for each in report.leaks if each.model == report.model),
        max(report.leaks, key=lambda each: each.flatters),
    )
    return pieces.Section(
        "leaks",
        "What a random split would have claimed",
        joined(
            pieces.paragraph(
                f"A random split of rows would have claimed an R² of {ours.claimed:.3f} for "
                f"{ours.title}; with no artist on both sides it is {ours.honest:.3f}. "
                f"{words.percent(ours.shared, 1)} of the rows tested would have been of songs that "
                "were learnt from."
            ),
            pieces.pair(plot, table),
        ),
    )


def ablation(report: Report) -> pieces.Section:
    groups = sorted(
        {each.group for each in report.ablation},
        key=lambda group: (
            -max(each.cost.high for each in report.ablation if each.group == group),
            group,
        ),
    )
    there = [p for p in words.PROTOCOLS if any(each.protocol == p for each in report.ablation)]
    found = {(each.group, each.protocol): each for each in report.ablation}
    plot = rows(
        About(
            "ablation-plot",
            "What leaving a group of columns out costs",
            "Per group the rise of the error with its 95 % interval; further right is worse to "
            "miss.",
        ),
        [
            Row(words.spelt(group), tuple(_cost_mark(found.get((group, p))) for p in there))
            for group in groups
        ],
        series=tuple(there),
        axis="rise of the error, points",
        beside=0.0,
    )
    table = pieces.table(
        "The model learnt anew without each group, tested on the same songs",
        ("Left out", "Tested on", "With", "Without", "Cost", "Songs"),
        [
            (
                words.spelt(each.group),
                each.protocol,
                f"{each.full:.2f}",
                f"{each.without:.2f}",
                pieces.with_interval(
                    words.signed(each.without - each.full, 2), each.cost, words.signed_between
                ),
                f"{each.songs:,}",
            )
            for group in groups
            for protocol in there
            if (each := found.get((group, protocol)))
        ],
    )
    return pieces.Section(
        "ablation",
        "What each group of columns is worth",
        joined(
            pieces.paragraph("Where the interval holds zero, the group may be worth nothing."),
            pieces.pair(plot, table),
        ),
    )


def _cost_mark(each: Ablated | None) -> Mark | None:
    return None if each is None else pieces.mark(each.without - each.full, each.cost)


def importances(report: Report) -> pieces.Section:
    ranked = sorted(report.importances.items(), key=lambda item: (-item[1], item[0]))
    shown = ranked[:_MOST_IMPORTANCES]
    plot = rows(
        About(
            "importances-plot",
            "What the model leans on",
            "Per attribute a bar as long as the rise of the error when the attribute is shuffled.",
        ),
        [Row(words.spelt(name), (Mark(value),)) for name, value in shown],
        series=("rise",),
        axis="rise of the error, points",
        zero=True,
    )
    table = pieces.table(
        "Rise of the error for new artists when an attribute is shuffled among the songs",
        ("Attribute", "Rise"),
        [(words.spelt(name), words.signed(value, 2)) for name, value in shown],
    )
    left = len(ranked) - len(shown)
    return pieces.Section(
        "importances",
        "What the model leans on",
        joined(
            pieces.paragraph(
                "An attribute the model leans on is not for that a cause of popularity. Of "
                "attributes that say much the same, each looks less important than it is. The "
                "songs are of artists the model does not know, so no artist's record counts here.",
                f" The {left} least important are not shown." if left else "",
            ),
            pieces.pair(plot, table),
        ),
    )
