"""Looks for better settings of each model: successive halving over a few candidates.

Candidates are fitted on some songs, and the better half again on four times as many (Jamieson and
Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, 2016). What was
configured stays in the race, and gives way only to what is better beyond chance at its end. Songs
to fit and to compare on never share an artist, and no song is among them that the stored model's
tests or calibration need. The other folds were in sight when the settings were chosen; with so few
candidates, that should flatter by little.

scikit-learn's HalvingRandomSearchCV does nearly this, but knows no limit of time or size and fits
on processes of its own.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chartbuster.learn import bootstrap, stored
from chartbuster.learn.bootstrap import Numbers
from chartbuster.learn.evaluate import FEWEST_TO_FIT, Rows
from chartbuster.learn.recipes import Baseline, Recipe
from chartbuster.learn.splits import Places
from chartbuster.report import Tried
from trainer.configuration import Search
from trainer.fitting import Bench

_VALIDATION = 1
"""The fold candidates are compared on."""
_GROWTH = 4
_SPAN = 2.5
"""A setting is tried from its configured value divided by this to it multiplied by this."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Found:
    """The settings to train with, every candidate, and what cut the search short, if anything."""

    recipes: tuple[Recipe, ...]
    tried: tuple[Tried, ...]
    note: str


def search(
    fitting: Bench, recipes: Sequence[Recipe], places: Places, allowed: Rows, budget: Search
) -> Found:
    """The best settings found for each of `recipes` within `budget`, on the songs `allowed`.

    The same songs, seed and budget find the same settings unless `budget.seconds` run out; then
    what was found is kept, the models not reached stay as configured, and the note says so.
    """
    rungs = _rungs(places, allowed, budget)
    if budget.candidates < 2 or not rungs:
        return Found(tuple(recipes), (), "")
    ends = fitting.monotonic() + budget.seconds
    chosen: list[Recipe] = []
    tried: list[Tried] = []
    skipped: list[str] = []
    for recipe in recipes:
        if isinstance(recipe, Baseline):
            chosen.append(recipe)
            continue
        if fitting.monotonic() >= ends:
            skipped.append(recipe.title)
            chosen.append(recipe)
            continue
        best, candidates = _halve(fitting, recipe, rungs, budget, ends)
        chosen.append(best)
        tried += candidates
    note = ""
    if skipped:
        note = f"the limit of {budget.seconds:g} s was reached before {', '.join(skipped)}"
    return Found(tuple(chosen), tuple(tried), note)


@dataclass(frozen=True)
class _Rung:
    fit: Rows
    test: Rows
    groups: Rows


def _rungs(places: Places, allowed: Rows, budget: Search) -> list[_Rung]:
    """Fit and comparison songs, fewest first; empty where there are too few."""
    order = allowed[np.argsort(places.draws[allowed], kind="stable")]
    fit = order[(places.folds[order] != 0) & (places.folds[order] != _VALIDATION)]
    test = order[places.folds[order] == _VALIDATION][: budget.songs // 2]
    sizes: list[int] = []
    size = min(budget.songs, len(fit))
    while size >= 2 * FEWEST_TO_FIT and len(sizes) < 2 and len(test) >= FEWEST_TO_FIT:
        sizes.append(size)
        size //= _GROWTH
    return [_Rung(fit[:size], test, places.groups[test]) for size in reversed(sizes)]


def _halve(
    fitting: Bench, recipe: Recipe, rungs: Sequence[_Rung], budget: Search, ends: float
) -> tuple[Recipe, list[Tried]]:
    candidates = _candidates(recipe, budget.candidates, fitting.seed)
    results: dict[Recipe, Tried] = {}
    best = recipe
    for number, rung in enumerate(rungs):
        fits = [(c, fitting.fit(c, rung.fit, ask=rung.test)) for c in candidates]
        truth = fitting.popularity[rung.test]
        losses: dict[Recipe, Numbers] = {}
        for candidate, fit in fits:
            fitted = fit.result()
            losses[candidate] = np.abs(truth - fitted.predicted)
            results[candidate] = Tried(
                model=recipe.name,
                settings=_settings(candidate),
                songs=len(rung.fit),
                mae=round(float(losses[candidate].mean()), 4),
                chosen=False,
            )
            if candidate != recipe and _megabytes(fitted.model) > budget.megabytes:
                del losses[candidate]
        ranked = sorted(losses, key=lambda candidate: results[candidate].mae)
        if number == len(rungs) - 1 or fitting.monotonic() >= ends:
            groups = bootstrap.draws(rung.groups, seed=fitting.seed)
            gained = bootstrap.gain(groups, losses[recipe], losses[ranked[0]])
            best = ranked[0] if gained.low > 0 else recipe
            break
        kept = ranked[: max(1, len(candidates) // 2)]
        candidates = kept if recipe in kept else [*kept, recipe]
    results[best] = dataclasses.replace(results[best], chosen=True)
    return best, list(results.values())


def _candidates(recipe: Recipe, count: int, seed: int) -> list[Recipe]:
    """`recipe` itself and others around it, `count` in all, drawn on a logarithmic scale."""
    generator = np.random.default_rng(seed)
    found = [recipe]
    for _ in range(count - 1):
        drawn: dict[str, Any] = {}
        for field in dataclasses.fields(recipe):
            value = getattr(recipe, field.name)
            scaled = value * _SPAN ** generator.uniform(-1, 1)
            within = float(np.clip(scaled, field.metadata["low"], field.metadata["high"]))
            drawn[field.name] = round(within) if field.type is int else float(f"{within:.3g}")
        candidate = dataclasses.replace(recipe, **drawn)
        if candidate not in found:
            found.append(candidate)
    return found


def _settings(recipe: Recipe) -> dict[str, float]:
    return {name: float(value) for name, value in dataclasses.asdict(recipe).items()}


def _megabytes(model: Any) -> float:
    return len(stored.dump(model)) / _MEGABYTE
