"""Lists every dataset's runs and models with their scores, its champion, and how it came to be.

Scores are those of songs held back: of artists the model never met, and of artists it knew.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from chartbuster.errors import Corrupt, NotFound
from chartbuster.registry import Registry
from chartbuster.runs import (
    ROLLBACK,
    TRAINING,
    Champion,
    Decision,
    RunManifest,
    Scores,
    datasets_of,
)
from scripts.command import run
from scripts.running import running_stack

_WIDTH_WITHOUT_TERMINAL = 100


@dataclass(frozen=True)
class Shelf:
    """One dataset: its champion, if it has one, and its runs, the newest first."""

    dataset: str
    champion: Champion | None
    runs: tuple[RunManifest, ...]

    def is_champion(self, run_id: str, model: str) -> bool:
        """Whether `model` of the run `run_id` is this dataset's champion."""
        return self.champion is not None and self.champion.is_model(run_id, model)


@dataclass(frozen=True)
class Holdings:
    """All there is; `unreadable` says of damaged runs what is wrong with each."""

    shelves: tuple[Shelf, ...]
    unreadable: tuple[str, ...] = ()


def holdings(
    registry: Registry,
    dataset: str | None = None,
    *,
    watched: Callable[[tuple[str, ...]], Iterable[str]] = iter,
) -> Holdings:
    """What the registry holds of `dataset`, or of all; raises `NotFound` for an unknown one.

    `watched` goes over the run ids, so that somebody can see how far it is.
    """
    champions = {champion.dataset: champion for champion in registry.champions()}
    runs: dict[str, list[RunManifest]] = {name: [] for name in champions}
    unreadable = []
    for run_id in watched(registry.runs()):
        try:
            found = registry.manifest(run_id)
        except Corrupt as error:
            unreadable.append(str(error))
            continue
        for name in datasets_of(found, champions.values()):
            runs.setdefault(name, []).append(found)
    if dataset and dataset not in runs:
        known = ", ".join(sorted(runs)) or "none yet"
        raise NotFound(f"dataset {dataset!r} has no runs; expected one of: {known}")
    shelves = (
        Shelf(name, champions.get(name), tuple(_newest_first(runs[name])))
        for name in sorted(runs)
        if dataset in (None, "", name)
    )
    return Holdings(tuple(shelves), tuple(unreadable))


def as_json(found: Holdings) -> str:
    """Everything, for programs."""
    described = {
        "datasets": [_described(shelf) for shelf in found.shelves],
        "unreadable": found.unreadable,
    }
    return json.dumps(described, indent=2, ensure_ascii=False)


def show(found: Holdings, console: Console) -> None:
    """Everything, for people."""
    if not found.shelves:
        console.print("There are no runs yet; `make demo DATA=songs.csv.gz` makes one.")
    for shelf in found.shelves:
        console.print(_table(shelf))
        if shelf.champion:
            console.print(Text(f"Decisions about {shelf.dataset}, oldest first"), style="italic")
            for decision in shelf.champion.history:
                for line in told(decision):
                    console.print(Text(line), soft_wrap=True)
    for fault in found.unreadable:
        console.print(Text(f"not readable: {fault}", style="red"), soft_wrap=True)


def told(decision: Decision) -> Iterator[str]:
    """A decision in words, and on a line of their own the figures it was taken on."""
    name = f"{decision.model} of run {decision.run_id}"
    who = f" by {decision.who}" if decision.who else ""
    yield f"{_moment(decision.at)}  {_what(decision)} {name}{who}: {decision.reason}"
    if decision.figures:
        figures = (f"{figure} {value:.4g}" for figure, value in sorted(decision.figures.items()))
        yield f"{'':16}  {', '.join(figures)}"


def _what(decision: Decision) -> str:
    if not decision.crowned:
        return "refused"
    if decision.by == ROLLBACK:
        return "returned to"
    return "crowned" if decision.by == TRAINING else "promoted"


def _table(shelf: Shelf) -> Table:
    title = f"Dataset {shelf.dataset}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("run (UTC), model", no_wrap=True)
    for protocol in ("new", "known"):
        for metric in ("R2", "MAE"):
            table.add_column(f"{metric}, {protocol}", justify="right")
    for each in shelf.runs:
        table.add_row(Text(f"{each.run_id}  {_moment(each.created)}", style="bold"))
        for model in sorted(each.models, key=lambda entry: entry.deciding_mae):
            champion = shelf.is_champion(each.run_id, model.name)
            cells = (*_cells(model.new_artists), *_cells(model.known_artists))
            name = f"  {model.name}{' (champion)' if champion else ''}"
            table.add_row(Text(name), *cells, style="green" if champion else None)
    return table


def _cells(scores: Scores | None) -> tuple[str, str]:
    return (f"{scores.r2:.3f}", f"{scores.mae:.2f}") if scores else ("not available", "")


def _moment(at: str) -> str:
    return at[:16].replace("T", " ")


def _newest_first(runs: Iterable[RunManifest]) -> list[RunManifest]:
    return sorted(runs, key=lambda each: (each.created, each.run_id), reverse=True)


def _described(shelf: Shelf) -> Mapping[str, Any]:
    champion = shelf.champion
    crown = {"run_id": champion.run_id, "model": champion.model} if champion else None
    if champion and crown:
        crown |= {"since": champion.since, "reason": champion.reason}
    return {
        "dataset": shelf.dataset,
        "champion": crown,
        "runs": [
            {
                "run_id": each.run_id,
                "created": each.created,
                "songs": each.songs,
                "artists": each.artists,
                "best": each.best,
                "models": [
                    {
                        "name": model.name,
                        "title": model.title,
                        "champion": shelf.is_champion(each.run_id, model.name),
                        **model.figures,
                    }
                    for model in each.models
                ],
            }
            for each in shelf.runs
        ],
        "decisions": [dataclasses.asdict(each) for each in champion.history] if champion else [],
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make models DATASET=mine",
    )
    parser.add_argument("--dataset", help="only this dataset (default: all)")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args()

    def models() -> int:
        bar = Console(stderr=True)

        def watched(run_ids: tuple[str, ...]) -> Iterable[str]:
            quiet = not bar.is_terminal
            return track(run_ids, "reading", console=bar, transient=True, disable=quiet)

        registry = Registry(running_stack().artifacts)
        found = holdings(registry, options.dataset, watched=watched)
        if options.format == "json":
            print(as_json(found))
        else:
            console = Console(highlight=False)
            if not console.is_terminal:
                console.width = _WIDTH_WITHOUT_TERMINAL
            show(found, console)
        return 0

    return run(models)


if __name__ == "__main__":
    sys.exit(main())
