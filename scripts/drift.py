"""Shows how far each dataset's newest songs are from those its champion comes from.

PSI is the population stability index, "chance" what it reaches without any drift among so few
songs. What PSI has beyond chance makes the level: some from 0.1 on, much from 0.25 on. KS is the
Kolmogorov-Smirnov statistic.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chartbuster.drift import LEVELS, AttributeDrift, DriftReport, figure
from chartbuster.identity import checked_dataset
from chartbuster.registry import Registry
from scripts.command import run
from scripts.running import running_stack

_STYLES = dict(zip(LEVELS, ("green", "yellow", "red"), strict=True))
_MOST_GENRES = 8


def reports_of(registry: Registry, dataset: str | None) -> tuple[DriftReport, ...]:
    """The newest report of `dataset`, or of every one, the most drifted first."""
    if dataset is None:
        return tuple(sorted(registry.drifts(), key=lambda report: (-report.excess, report.dataset)))
    report = registry.drift(checked_dataset(dataset))
    return () if report is None else (report,)


def nothing(dataset: str | None) -> str:
    """What to say where there is no report."""
    whose = (
        f"The dataset {dataset!r} has no drift report yet."
        if dataset
        else "No dataset has a drift report yet."
    )
    return (
        f"{whose} One is made when songs arrive for a dataset that has a champion:\n"
        "make demo DATA=songs.csv.gz DATASET=name"
    )


def as_json(reports: Sequence[DriftReport]) -> str:
    """Everything, for programs."""
    return json.dumps([dataclasses.asdict(report) for report in reports], indent=2)


def show(reports: Sequence[DriftReport], console: Console) -> None:
    """Everything, for people."""
    for report in reports:
        console.print(
            Text.assemble((report.dataset, "bold"), "  ", (report.level, _STYLES[report.level]))
        )
        console.print(Text(report.sentence), soft_wrap=True)
        console.print(Text(_what(report), style="dim"), soft_wrap=True)
        console.print(_attributes(report))
        for what, genres in (("new", report.new_genres), ("vanished", report.vanished_genres)):
            if genres:
                console.print(Text(f"{what} genres: {_listed(genres)}"), soft_wrap=True)
        console.print()


def _what(report: DriftReport) -> str:
    at = report.at[:16].replace("T", " ")
    return (
        f"version {report.version}: {report.songs_now:,} songs, {report.songs_shared:,} of them "
        f"among the {report.songs_before:,} of the champion's run {report.champion}; {at} UTC"
    )


def _attributes(report: DriftReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("attribute", "drift"):
        table.add_column(column)
    for column in ("PSI", "chance", "KS", "median", "missing"):
        table.add_column(column, justify="right")
    for each in sorted((report.popularity, *report.features), key=lambda each: -each.excess):
        table.add_row(*_row(each))
    return table


def _row(each: AttributeDrift) -> tuple[Text | str, ...]:
    return (
        each.name,
        Text(each.level, style=_STYLES[each.level]),
        f"{each.psi:.3f}",
        f"{each.chance:.3f}",
        "" if each.ks is None else f"{each.ks:.3f}",
        _change(figure(each.median_before), figure(each.median_now)),
        _change(f"{each.missing_before:.1%}", f"{each.missing_now:.1%}"),
    )


def _change(before: str, now: str) -> str:
    return before if before == now else f"{before or '-'} → {now or '-'}"


def _listed(genres: Mapping[str, float]) -> str:
    ranked = sorted(genres.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{name} ({share:.1%})" for name, share in ranked[:_MOST_GENRES])
    more = len(ranked) - _MOST_GENRES
    return f"{listed} and {more} more" if more > 0 else listed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make drift DATASET=spotify-2019 FORMAT=json",
    )
    parser.add_argument("--dataset", help="the dataset's name; every one without it")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args()

    def drift() -> int:
        reports = reports_of(Registry(running_stack().artifacts), options.dataset)
        if options.format == "json":
            print(as_json(reports))
        elif reports:
            show(reports, Console(highlight=False))
        else:
            print(nothing(options.dataset))
        return 0

    return run(drift)


if __name__ == "__main__":
    sys.exit(main())
