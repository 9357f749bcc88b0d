"""Every run in the store, for the pages that show more than the champions'. Knows no pages."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chartbuster import layout
from chartbuster.card import Section, model_card, sections
from chartbuster.errors import (
    ChartBusterError,
    Corrupt,
    NotFound,
    TryAgain,
    Unreachable,
    UntrustedModel,
)
from chartbuster.records import from_json
from chartbuster.registry import Registry
from chartbuster.report import REPORT, Report
from chartbuster.runs import RunManifest

log = logging.getLogger(__name__)

_FRESH_FOR = 10.0
_AT_ONCE = 8
_CARDS = 8


@dataclass(frozen=True)
class Runs:
    """The runs of all datasets, the newest first, and the ids of those that cannot be read.

    `stale` says that the store does not answer and these are the ones it held before.
    """

    runs: tuple[RunManifest, ...]
    damaged: tuple[str, ...] = ()
    stale: bool = False


@dataclass(frozen=True)
class Card:
    """A run's model card: its sections, and the file. `whole` is false without a good report."""

    sections: tuple[Section, ...]
    file: bytes
    whole: bool


class Archive:
    """The runs in the store, each read once. Safe to share between threads.

    A manifest never changes, so only which runs there are is asked again: when the caller has seen
    something change, and every 10 s.
    """

    def __init__(
        self, registry: Registry, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry = registry
        self._monotonic = monotonic
        self._manifests: dict[str, RunManifest] = {}
        self._cards: dict[str, Card] = {}
        self._found: tuple[object, float, Runs] | None = None
        self._looking = threading.Lock()

    def runs(self, seen: object = None) -> Runs:
        """The runs there are; `seen` is what changes together with them.

        Raises `Unreachable` or `NotFound` (the bucket) when the store never answered.
        """
        with self._looking:
            now = self._monotonic()
            if self._found is not None:
                before, at, runs = self._found
                if before is seen and now - at < _FRESH_FOR:
                    return runs
            try:
                found = self._look()
            except (TryAgain, NotFound) as error:
                if self._found is None:
                    raise
                log.warning("runs_not_listed", extra={"why": str(error)})
                found = Runs(self._found[2].runs, self._found[2].damaged, stale=True)
            self._found = (seen, now, found)
            return found

    def card(self, run: RunManifest) -> Card:
        """The model card of `run`; raises `Unreachable` when its report cannot be fetched."""
        known = self._cards.get(run.run_id)
        if known is not None:
            return known
        report, whole = self._report(run)
        try:
            card = Card(sections(run, report), self._file(run, report), whole)
        except ValueError as error:
            log.warning("report_unfit", extra={"run": run.run_id, "why": str(error)})
            card = Card(sections(run, None), self._file(run, None), whole=False)
        if card.whole:
            self._cards[run.run_id] = card
            for oldest in list(self._cards)[:-_CARDS]:
                self._cards.pop(oldest, None)
        return card

    def _look(self) -> Runs:
        ids = self._registry.runs()
        for gone in self._manifests.keys() - set(ids):
            del self._manifests[gone]
        damaged = []
        new = [run_id for run_id in ids if run_id not in self._manifests]
        with ThreadPoolExecutor(_AT_ONCE) as readers:
            for run_id, read in zip(new, readers.map(self._manifest, new), strict=True):
                match read:
                    case RunManifest():
                        self._manifests[run_id] = read
                    case Corrupt():
                        log.warning("run_unreadable", extra={"run": run_id, "why": str(read)})
                        damaged.append(run_id)
                    case Unreachable():
                        raise read
        newest = sorted(
            self._manifests.values(), key=lambda run: (run.created, run.run_id), reverse=True
        )
        return Runs(tuple(newest), tuple(damaged))

    def _manifest(self, run_id: str) -> RunManifest | ChartBusterError:
        try:
            return self._registry.manifest(run_id)
        except ChartBusterError as error:
            return error

    def _report(self, run: RunManifest) -> tuple[Report | None, bool]:
        """The run's report, or None where it has none, and whether all is well with it."""
        if REPORT not in run.files:
            return None, True
        try:
            return from_json(Report, self._registry.file(run, REPORT), where=REPORT), True
        except (Corrupt, NotFound, UntrustedModel) as error:
            log.warning("report_unreadable", extra={"run": run.run_id, "why": str(error)})
            return None, False

    def _file(self, run: RunManifest, report: Report | None) -> bytes:
        """The card as the run stored it, or made anew where it did not."""
        if layout.CARD in run.files and report is not None:
            try:
                return self._registry.file(run, layout.CARD)
            except (NotFound, UntrustedModel) as error:
                log.warning("card_unreadable", extra={"run": run.run_id, "why": str(error)})
        return model_card(run, report).encode()
