"""The card's page: the verdict on top, and the sections under it."""

from collections.abc import Iterator
from pathlib import Path

from chartbuster import plots, wording
from chartbuster.card import comparison, pieces, provenance, trust, words
from chartbuster.markup import Markup, element
from chartbuster.report import Report
from chartbuster.runs import BASELINE, ModelEntry, RunManifest

_STYLE = Path(__file__).with_name("style.css")
# A page that needs nothing may as well be forbidden to load anything, whatever its texts hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def model_card(run: RunManifest, report: Report | None) -> str:
    """The card of the run's best model as an HTML page.

    A run without a report has a card of its scores alone. Raises `ValueError` when the report is
    about another model than the run's best.
    """
    best = run.model(run.best)
    parts = sections(run, report)
    title = f"{best.title} on {run.dataset}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", f"{title}: ChartBuster model card"),
        element("style", Markup(_STYLE.read_text(encoding="utf-8") + plots.style())),
    )
    links = (element("li", element("a", part.heading, href=f"#{part.name}")) for part in parts)
    body = element(
        "body",
        element(
            "main",
            element("p", "ChartBuster model card", class_="quiet"),
            element("h1", title),
            pieces.paragraph(
                f"Learnt from {wording.learnt_from(run)}, {wording.moment(run.created)}."
            ),
            _verdict(run, best),
            _without_report() if report is None else Markup(),
            element("nav", element("ul", *links), aria_label="Contents"),
            *(
                element("section", element("h2", part.heading, id=part.name), part.body)
                for part in parts
            ),
        ),
        element("footer", f"Run {run.run_id} of dataset {run.dataset}."),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def sections(run: RunManifest, report: Report | None) -> tuple[pieces.Section, ...]:
    """The sections this run has figures for, in the order of the card.

    Raises `ValueError` when the report is about another model than the run's best.
    """
    if report is not None and report.model != run.best:
        raise ValueError(
            f"the report is about {report.model!r}; expected the run's best model {run.best!r}"
        )
    return tuple(_sections(run, run.model(run.best), report))


def _sections(
    run: RunManifest, best: ModelEntry, report: Report | None
) -> Iterator[pieces.Section]:
    if report is not None and any(map(any, report.predicted_against_actual)):
        yield trust.predicted_against_actual(report)
    yield trust.interval(best, report)
    yield trust.hits(best, report)
    if report is not None and report.genres:
        yield comparison.genres(report)
    if report is not None and report.learning_curve:
        yield comparison.learning_curve(report)
    yield comparison.models(run)
    if report is not None and report.leaks:
        yield comparison.leaks(report)
    if report is not None and report.ablation:
        yield comparison.ablation(report)
    if report is not None and report.importances:
        yield comparison.importances(report)
    yield provenance.data(run)
    yield provenance.configuration(run, report)
    yield provenance.limits(run, best, report)


def _verdict(run: RunManifest, best: ModelEntry) -> Markup:
    """One sentence on how good the model is, and its errors in large type."""
    tiles = []
    for protocol in words.PROTOCOLS:
        scores = words.scores(best, protocol)
        if scores is None:
            continue
        error = element("dd", words.points(scores.mae), class_="number")
        sure = scores.intervals.get("mae")
        says = [
            "points off on average",
            f" ({words.percent(0.95)} interval {words.between(sure)})" if sure else "",
        ]
        if best.name != BASELINE and (guess := words.baseline(run, protocol)) is not None:
            says.append(f"; {_beside_guessing(scores.mae, guess.mae)}")
        tiles += [
            element("div", element("dt", words.whose(run, protocol)), error, element("dd", *says))
        ]
    return element(
        "div",
        element("p", _sentence(run, best), class_="verdict"),
        element("dl", *tiles, class_="tiles") if tiles else Markup(),
        element("p", "Learnt from synthetic songs, so it says nothing about real music.")
        if wording.is_synthetic(run.dataset)
        else Markup(),
        class_="result",
    )


def _sentence(run: RunManifest, best: ModelEntry) -> str:
    measured = [
        (scores, protocol)
        for protocol in words.PROTOCOLS
        if (scores := words.scores(best, protocol))
    ]
    if not measured:
        return f"How good {best.title} is could not be measured on this data."
    errors = " and ".join(
        f"{words.points(scores.mae)} points {words.for_whom(run, protocol)}"
        for scores, protocol in measured
    )
    if best.name == BASELINE:
        return (
            f"No model was better than guessing {words.guess(run)}, which is off by {errors}, on a "
            "scale from 0 to 100."
        )
    guesses = [words.baseline(run, protocol) for _, protocol in measured]
    beside = " and ".join(words.points(scores.mae) for scores in guesses if scores is not None)
    return (
        f"On a scale from 0 to 100, {best.title} is off on average by {errors}"
        + (f", where guessing {words.guess(run)} is off by {beside}" if beside else "")
        + "."
    )


def _beside_guessing(error: float, guess: float) -> str:
    better = round(round(guess, 1) - round(error, 1), 1)
    if better > 0:
        return f"{words.points(better)} better than guessing"
    return f"{words.points(-better)} worse than guessing" if better else "no better than guessing"


def _without_report() -> Markup:
    return pieces.paragraph(
        "This run left no report beside its scores, so there is nothing here on genres, learning "
        "or leaks."
    )
