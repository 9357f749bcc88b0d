"""What there is of one dataset: its champion, the runs, and what a rollback would return to."""

from collections.abc import Iterable
from dataclasses import dataclass

from chartbuster.errors import Corrupt, NotFound
from chartbuster.runs import Champion, Decision, ModelEntry, RunManifest, datasets_of, former


@dataclass(frozen=True)
class Shelf:
    """A dataset with its champion, if it has one that can be read, and its runs, newest first."""

    dataset: str
    champion: Champion | None
    runs: tuple[RunManifest, ...]

    def run(self, run_id: str) -> RunManifest | None:
        """The run `run_id`, or None where it is not among the runs."""
        return next((run for run in self.runs if run.run_id == run_id), None)

    def entry(self, run_id: str, model: str) -> ModelEntry | None:
        """The model `model` of the run `run_id`, or None where there is none such."""
        run = self.run(run_id)
        return next((each for each in run.models if each.name == model), None) if run else None

    def is_champion(self, run_id: str, model: str) -> bool:
        """Whether `model` of the run `run_id` is the champion."""
        return self.champion is not None and self.champion.is_model(run_id, model)

    @property
    def former(self) -> Decision | None:
        """The crowning a rollback returns to, or None where there is none."""
        if self.champion is None:
            return None
        try:
            return former(self.champion)
        except (Corrupt, NotFound):
            return None

    def named(self, run_id: str, model: str) -> str:
        """A model in words: its title where its run can be read, and its run."""
        entry = self.entry(run_id, model)
        return f"{entry.title if entry else model} of run {short(run_id)}"


def shelf(dataset: str, champion: Champion | None, runs: Iterable[RunManifest]) -> Shelf:
    """The shelf of `dataset` out of everybody's `runs`."""
    champions = (champion,) if champion else ()
    own = (run for run in runs if dataset in datasets_of(run, champions))
    return Shelf(dataset, champion, tuple(own))


def short(run_id: str) -> str:
    """As much of a run's id as tells it from others at a glance."""
    return run_id[:12]
