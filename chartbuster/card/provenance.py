"""The sections that say what a run was made of, and what it is not made for."""

import json
from collections.abc import Iterator, Sequence

from chartbuster import wording
from chartbuster.card import pieces, words
from chartbuster.markup import Markup, element, joined
from chartbuster.report import GenreScore, Report
from chartbuster.runs import ModelEntry, RunManifest

# Fewer tested songs than this, and a genre's figures are mostly chance: no limit is named for it.
_ENOUGH_SONGS = 50


def data(run: RunManifest) -> pieces.Section:
    year = run.inputs.release_year
    facts = [
        ("Dataset", run.dataset),
        ("Version", run.dataset_version),
        ("Uploads", f"{len(run.uploads):,}"),
        ("Songs", f"{run.songs:,}"),
        ("Artists", f"{run.artists:,}" if run.artists else "not named in the data"),
        ("Genres", f"{len(run.inputs.genres):,}" if run.inputs.genres else "not in the data"),
        ("Release years", f"{year.low:.0f} to {year.high:.0f}" if year else "not in the data"),
        ("Columns of the model", f"{len(run.columns):,}"),
    ]
    audio = pieces.table(
        "Audio attributes in these songs",
        ("Attribute", "Lowest", "Median", "Highest"),
        [
            (words.spelt(name), *map(_figure, (seen.low, seen.default, seen.high)))
            for name, seen in sorted(run.inputs.audio.items())
        ],
    )
    return pieces.Section(
        "data", "Data", joined(pieces.facts(facts), audio if run.inputs.audio else Markup())
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}".replace("-", "−")


def configuration(run: RunManifest, report: Report | None) -> pieces.Section:
    facts = [
        ("Run", run.run_id),
        ("Finished", wording.moment(run.created)),
        ("Took", f"{run.seconds:,.0f} s"),
        ("Code", run.code),
        ("Locked packages", run.lock),
        ("Schema of prepared tables", str(run.schema_version)),
    ]
    return pieces.Section(
        "configuration",
        "Configuration",
        joined(
            pieces.paragraph("The same data, configuration, code and packages give the same run."),
            pieces.facts(facts),
            _search(run, report) if report and report.search else Markup(),
            element("h3", "Settings"),
            element(
                "pre", json.dumps(run.configuration, indent=2, sort_keys=True, ensure_ascii=False)
            ),
        ),
    )


def _search(run: RunManifest, report: Report) -> Markup:
    """The search for settings: per model how many were tried, and which were kept."""
    titles = {entry.name: entry.title for entry in run.models}
    found = []
    for name in dict.fromkeys(each.model for each in report.search):
        tried = [each for each in report.search if each.model == name]
        kept = [each for each in tried if each.chosen]
        found += [
            (
                titles.get(name, name),
                f"{len(tried):,}",
                f"{each.mae:.2f}",
                f"{each.songs:,}",
                ", ".join(f"{key} {value:g}" for key, value in sorted(each.settings.items())),
            )
            for each in kept
        ]
    return joined(
        element("h3", "Search"),
        pieces.paragraph(report.search_note) if report.search_note else Markup(),
        pieces.table(
            "Settings that were searched for, within the songs learnt from",
            ("Model", "Tried", "Error of the kept", "Songs", "Kept"),
            found,
        )
        if found
        else Markup(),
    )


def limits(run: RunManifest, best: ModelEntry, report: Report | None) -> pieces.Section:
    year = run.inputs.release_year
    when = f" released from {year.low:.0f} to {year.high:.0f}" if year else ""
    said = [
        (
            "Do not decide with it about people: whom to sign, to pay or to play. It errs by the "
            "points above on average, and by far more on single songs."
        ),
        (
            "Do not read causes into it. It has seen what goes along with popularity; changing a "
            "song until the prediction rises does not make it popular."
        ),
        (
            f"It speaks of songs like its own: {wording.learnt_from(run)}{when}. Other genres, "
            "markets or times are beyond what was tested."
        ),
        (
            "Popularity is a figure of the day the data was collected. It moves, and the model "
            "does not move with it."
        ),
        (
            "It knows the columns of its data and nothing else: not the sound itself, the words, "
            "the promotion or the playlists."
        ),
        *_measured_limits(best, report),
    ]
    if wording.is_synthetic(run.dataset):
        said.insert(0, "Its songs are synthetic. Use it to try ChartBuster, and for nothing else.")
    return pieces.Section(
        "limits", "What not to use it for", element("ul", *(element("li", each) for each in said))
    )


def _measured_limits(best: ModelEntry, report: Report | None) -> Iterator[str]:
    """The limits that this run's own figures show."""
    scores = best.new_artists or best.known_artists
    if scores and scores.hits and scores.hits.precision < 0.5:
        yield (
            "Do not trust it to name hits: even of the songs it is surest of, only "
            f"{words.percent(scores.hits.precision)} are."
        )
    if report is None:
        return
    tested = [each for each in report.genres if each.songs >= _ENOUGH_SONGS]
    if worse := [each for each in tested if each.mae >= each.baseline]:
        yield f"It is no better than the genre's mean in {_named(worse)}."
    if narrow := [each for each in tested if each.covered < report.interval - 0.05]:
        yield (
            f"The interval holds over all songs together, and clearly less often in "
            f"{_named(narrow)}."
        )


def _named(genres: Sequence[GenreScore]) -> str:
    """The genres with the most songs, by name."""
    ranked = sorted(genres, key=lambda each: (-each.songs, each.genre))
    more = len(ranked) - 5
    names = ", ".join(each.genre for each in ranked[:5])
    return f"{names} and {more} more" if more > 0 else names
