"""What the programs about champions share: which run is meant, and how a model and a move read."""

import contextlib
from collections.abc import Iterable

from chartbuster.errors import ChartBusterError, Misconfigured, NotFound
from chartbuster.identity import checked_dataset
from chartbuster.registry import Registry
from chartbuster.runs import Champion, ModelEntry, Scores, crowns


def the_run(prefix: str, run_ids: Iterable[str]) -> str:
    """The one run whose id begins with `prefix`.

    Raises `NotFound` when there is none, `Misconfigured` when there are several.
    """
    found = sorted(run_id for run_id in run_ids if run_id.startswith(prefix))
    if prefix in found:
        return prefix
    if not found:
        raise NotFound(f"no run begins with {prefix!r}; `make models` lists the runs")
    if len(found) > 1:
        raise Misconfigured(
            f"{len(found)} runs begin with {prefix!r}; expected one of {', '.join(found)}"
        )
    return found[0]


def the_dataset(given: str | None, names: Iterable[str], *, command: str) -> str:
    """The dataset `given`, or else the only one of `names`.

    `command` is what could be typed, for the message. Raises `InvalidName`, `NotFound` when there
    is no dataset and `Misconfigured` when there are several to choose from.
    """
    if given:
        return checked_dataset(given)
    known = sorted(set(names))
    if not known:
        raise NotFound("no dataset has a champion yet; `make demo DATA=songs.csv.gz` trains one")
    if len(known) > 1:
        raise Misconfigured(
            f"DATASET is needed, one of {', '.join(known)}; "
            f"for example: {command} DATASET={known[0]}"
        )
    return known[0]


def moved(registry: Registry, champion: Champion, *, undo: str) -> list[str]:
    """What the last decision about `champion` changed, line by line, and how to undo it.

    `undo` may name the fields {dataset}, {run} and {model}, the last two of the champion before.
    """
    # From the history, because somebody may have moved the champion between our look and our step.
    *_, before = (None, *crowns(champion.history[:-1]))
    lines = [
        f"dataset  {champion.dataset}",
        f"before   {said(registry, before.run_id, before.model) if before else 'no champion'}",
        f"now      {said(registry, champion.run_id, champion.model)}",
    ]
    if before:
        back = undo.format(dataset=champion.dataset, run=before.run_id, model=before.model)
        lines.append(f"undo     {back}")
    return [*lines, "The app follows within seconds."]


def said(registry: Registry, run_id: str, model: str) -> str:
    """A model by its name and run, with its scores where its run can be read."""
    name = f"{model} of run {run_id}"
    with contextlib.suppress(ChartBusterError, KeyError):
        return f"{name} ({scored(registry.manifest(run_id).model(model))})"
    return name


def scored(entry: ModelEntry) -> str:
    """The scores of a model, in words."""
    protocols = (("new", entry.new_artists), ("known", entry.known_artists))
    parts = [f"{who} artists: {_figures(scores)}" for who, scores in protocols if scores]
    return "; ".join(parts) or "without scores"


def _figures(scores: Scores) -> str:
    return f"R2 {scores.r2:.3f}, MAE {scores.mae:.2f}"
