"""Follows the champions in the store and predicts with their models; knows nothing of pages."""

import contextlib
import dataclasses
import gc
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from chartbuster import layout
from chartbuster.answers import Answer
from chartbuster.batches import Ask
from chartbuster.errors import (
    ChartBusterError,
    Corrupt,
    InvalidName,
    InvalidSong,
    NotFound,
    TryAgain,
    Unreachable,
    UntrustedModel,
)
from chartbuster.identity import checked_run
from chartbuster.layout import SONGS
from chartbuster.learn.answering import answers
from chartbuster.learn.library import Library
from chartbuster.learn.predictor import Predictor
from chartbuster.learn.study import study
from chartbuster.outlooks import OUTLOOK, Outlooks
from chartbuster.ports import ObjectStore
from chartbuster.progress import Note, note_of
from chartbuster.registry import Champion, Registry
from chartbuster.runs import BASELINE, RunManifest
from chartbuster.study import Study
from webapp.states import Away, Broken, Connecting, Showing, Shown, State, Waiting

log = logging.getLogger(__name__)

_WATCHED = 2.0
_IDLE = 15.0
_WATCHED_FOR = 10.0
_REFUSED_FOR = 10.0
_OTHERS = 2


@dataclass(frozen=True)
class Prediction:
    """A song's popularity, 0 to 100, and what the genre-mean baseline says of it, if it can."""

    popularity: float
    genre_mean: float | None


class Serving:
    """The champions as last seen, and their models.

    Pages read `state`, which never waits for the store; `follow` runs in a thread of its own and
    is the only one that asks it. Safe to share between threads.
    """

    def __init__(
        self, store: ObjectStore, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._registry = Registry(store)
        self._monotonic = monotonic
        self._state: State = Connecting()
        self._looked_at = monotonic()
        self._seen: dict[str, tuple[str, Shown]] = {}
        self._predictors: dict[str, Predictor] = {}
        self._libraries: dict[str, Library] = {}
        self._refused: dict[tuple[str, str], tuple[float, ChartBusterError]] = {}
        self._reigning: frozenset[str] = frozenset()
        self._refreshing = threading.Lock()
        self._linking = threading.Lock()
        self._keeping = threading.Lock()
        self._reading = threading.Lock()

    @property
    def state(self) -> State:
        """What was found when the store was last asked; the same object until it changes."""
        self._looked_at = self._monotonic()
        return self._state

    def follow(self, wait: Callable[[float], bool]) -> None:
        """Refresh until `wait` (which rests for so many seconds) says stop.

        Every 2 s while somebody looks, so that a new champion shows within seconds; every 15 s
        while nobody does, because each look is a request that AWS charges for. Rests are short
        all the same: whoever opens a page would wait for the end of a long one.
        """
        rested = 0.0
        self._read_ahead()
        while not wait(_WATCHED):
            rested += _WATCHED
            if rested >= self.pause():
                self.refresh()
                self._read_ahead()
                rested = 0.0

    def pause(self) -> float:
        """How many seconds after the last time the store is asked again."""
        watched = self._monotonic() - self._looked_at < _WATCHED_FOR
        return _WATCHED if watched else _IDLE

    def refresh(self) -> None:
        """Ask the store once. Never raises: what goes wrong becomes the state pages show."""
        with self._refreshing:
            try:
                state = self._look()
            except (TryAgain, NotFound) as error:
                # Not found is the bucket itself: the store is up but not laid out yet.
                state = self._without_store()
                if state != self._state:
                    log.warning("store_not_answering", extra={"why": str(error)})
            except Exception:
                log.exception("refresh_failed")
                state = self._without_store()
            if state != self._state:
                log.info("state_changed", extra={"state": type(state).__name__})
                self._state = state

    def run(self, dataset: str, run_id: str) -> Shown:
        """The run `run_id` of a dataset that is shown, also one that has no champion any more.

        Such a run is read when it is first asked for, with its best model. The models of the two
        that were last used are kept. Raises `InvalidName` for what can be no run's id, `NotFound`
        where the dataset has no such run or no champion, `Corrupt` for damaged records, and
        `Unreachable`.
        """
        shown = self._champions(dataset)
        if run_id == shown.run.run_id:
            return shown
        checked_run(run_id)
        # One after the other: whoever follows a link may wait for another's to be read, and nobody
        # can make the app read many runs at once.
        with self._linking:
            held = self._predictors.get(run_id)
            run = held.manifest if held else self._manifest(run_id)
            history = shown.champion.history
            # The same uploads under two names are one run, which names the dataset it was made for.
            if run.dataset != dataset and all(run_id != met.run_id for met in history):
                raise NotFound(f"dataset {dataset!r} has no run {run_id!r}; it is of another")
            shown = dataclasses.replace(shown, run=run)
            if held is None:
                self._load(shown)
                _settle()
        return shown

    def _champions(self, dataset: str) -> Shown:
        """The dataset as it is shown now, by its champion."""
        state = self.state
        if isinstance(state, Away | Connecting):
            raise Unreachable("the store has not answered yet, so no run can be read from it")
        found = state.datasets if isinstance(state, Showing) else ()
        for each in found:
            if each.dataset == dataset:
                if isinstance(each, Broken):
                    raise Corrupt(f"dataset {dataset!r} cannot be shown: {each.why}")
                return each
        known = ", ".join(each.dataset for each in found) or "none"
        raise NotFound(f"dataset {dataset!r} has no champion; those that have one: {known}")

    def _manifest(self, run_id: str) -> RunManifest:
        if isinstance(self._state, Showing) and self._state.asleep:
            raise Unreachable(f"the store does not answer now, so run {run_id} cannot be read")
        return self._with_memory(run_id, "manifest.json", lambda: self._registry.manifest(run_id))

    def predict(self, shown: Shown, model: str, song: Mapping[str, Any]) -> Prediction:
        """What `model` of the run says of `song`.

        Raises `InvalidSong`, `UntrustedModel` (the stored file is not what the run vouches for),
        `NotFound`, or `Unreachable` when a model not loaded yet cannot be fetched.
        """
        predictor = self._predictor(shown)
        run, row = shown.run.run_id, self._row(predictor, model, song)
        said = self._with_memory(run, model, lambda: predictor.said(model, row))
        return Prediction(float(said[0]), self._genre_mean(predictor, row))

    def study(self, shown: Shown, model: str, song: Mapping[str, Any]) -> Study:
        """Everything `model` of the run says of `song`; raises what `predict` raises.

        What the run cannot say besides, because it is older or a file of it is damaged, is None.
        """
        predictor = self._predictor(shown)
        run, row = shown.run.run_id, self._row(predictor, model, song)
        outlooks = self._if_there(run, OUTLOOK, predictor.outlooks)
        mean = self._genre_mean(predictor, row)
        return self._with_memory(
            run,
            model,
            lambda: study(predictor, model, song, outlooks=outlooks, genre_mean=mean),
        )

    def ask(self, shown: Shown, model: str) -> Ask:
        """What answers whole tables with `model` of the run, from here on and whoever is champion.

        Asking raises what `predict` raises, and `NotFound` for a run that cannot say how sure it
        is.
        """
        predictor = self._predictor(shown)
        return lambda table: self._with_memory(
            shown.run.run_id, model, lambda: predictor.outlook(model, table)
        )

    def _row(self, predictor: Predictor, model: str, song: Mapping[str, Any]) -> NDArray[Any]:
        """The song as the run's models see it."""
        run = predictor.manifest.run_id
        return self._with_memory(run, model, lambda: predictor.ground.row(song))

    def _genre_mean(self, predictor: Predictor, row: NDArray[Any]) -> float | None:
        run = predictor.manifest.run_id
        said = self._if_there(run, BASELINE, lambda: predictor.said(BASELINE, row))
        return None if said is None else float(said[0])

    def outlooks(self, shown: Shown) -> Outlooks | None:
        """What the run knows of its models' errors; None where it cannot say, as in `study`."""
        predictor = self._predictor(shown)
        return self._if_there(shown.run.run_id, OUTLOOK, predictor.outlooks)

    def _if_there[Answer](self, run: str, what: str, ask: Callable[[], Answer]) -> Answer | None:
        """The answer, or None where the run cannot give it."""
        try:
            return self._with_memory(run, what, ask)
        except ChartBusterError:
            # It is on record already, once and not at every move of a slider.
            return None

    def answers(
        self, shown: Shown, model: str, songs: Sequence[Mapping[str, Any]], *, explain: bool = False
    ) -> tuple[Answer, ...]:
        """What `model` of the run says of each of `songs`; raises what `predict` raises."""
        predictor = self._predictor(shown)
        run = shown.run.run_id
        outlooks = self._if_there(run, OUTLOOK, predictor.outlooks)
        return self._with_memory(
            run,
            model,
            lambda: answers(predictor, model, songs, outlooks=outlooks, explain=explain),
        )

    def library(self, shown: Shown) -> Library:
        """The songs the run learnt from; takes a second or two where nobody asked before.

        Raises `NotFound` for a run made before there were any, `UntrustedModel` or `Corrupt` when
        the stored file is not what the run vouches for, or `Unreachable` while it cannot be read.
        """
        run = shown.run
        if SONGS not in run.files:
            raise NotFound(
                f"run {run.run_id} has no {SONGS}, so its songs cannot be searched; put the "
                "dataset's file in again to train it anew"
            )
        # One after the other: reading takes several times the memory of what is kept.
        with self._reading:
            library = self._libraries.pop(run.run_id, None)
            if library is None:
                library = self._with_memory(
                    run.run_id,
                    SONGS,
                    lambda: Library.read(self._registry.file(run, SONGS), run.inputs),
                )
                self._libraries[run.run_id] = library
                self._drop_libraries()
                _settle()
            # Last in the order, as `_predictor` has it.
            self._libraries[run.run_id] = library
        return library

    def _read_ahead(self) -> None:
        """Read the songs of the first dataset while no visitor waits; forget those not shown."""
        with self._reading:
            gone = self._drop_libraries()
        if gone:
            _settle()
        state = self._state
        for found in state.datasets[:1] if isinstance(state, Showing) else ():
            if isinstance(found, Shown):
                # Whoever needs them meets the same error and says so.
                with contextlib.suppress(ChartBusterError):
                    self.library(found)

    def _drop_libraries(self) -> bool:
        """Forget the songs of runs without champion but for the last asked; whether any were."""
        others = [run_id for run_id in self._libraries if run_id not in self._reigning]
        for run_id in others[:-1]:
            del self._libraries[run_id]
        return len(others) > 1

    def _with_memory[Answer](self, run: str, what: str, ask: Callable[[], Answer]) -> Answer:
        """Ask, but fetch what was refused a moment ago, a model mostly, only once in a while."""
        name = (run, what)
        refused = self._refused.get(name)
        if refused and self._monotonic() - refused[0] < _REFUSED_FOR:
            raise refused[1]
        try:
            return ask()
        except (TryAgain, InvalidSong):
            raise
        except ChartBusterError as error:
            failure = error
        except Exception as error:
            # A file may be to the byte what its run vouches for and still not fit the run.
            log.exception("model_failed", extra={"run": run, "model": what})
            failure = UntrustedModel(
                f"model {what!r} of run {run} fails on the run's own columns: {error}"
            )
        log.warning("model_refused", extra={"run": run, "model": what, "why": str(failure)})
        now = self._monotonic()
        # Links may name any number of runs, so what nobody asks for any more is forgotten.
        fresh = {n: r for n, r in list(self._refused.items()) if now - r[0] < _REFUSED_FOR}
        self._refused = fresh | {name: (now, failure)}
        raise failure

    def _predictor(self, shown: Shown) -> Predictor:
        run = shown.run
        with self._keeping:
            predictor = self._predictors.pop(run.run_id, None)
            if predictor is None or predictor.manifest != run:
                predictor = Predictor(run, lambda name: self._registry.file(run, name))
            # Last in the order, so that the run which is dropped is the one used longest ago.
            self._predictors[run.run_id] = predictor
            self._drop_others()
            return predictor

    def _drop_others(self) -> bool:
        """Forget runs that have no champion, but for the few last used; whether there were any."""
        others = [run_id for run_id in self._predictors if run_id not in self._reigning]
        for run_id in others[:-_OTHERS]:
            del self._predictors[run_id]
        for run_id in self._libraries.keys() - self._reigning - self._predictors.keys():
            self._libraries.pop(run_id, None)
        return len(others) > _OTHERS

    def _look(self) -> State:
        pointers = {item.key: item.etag for item in self._store.list(layout.CHAMPIONS)}
        datasets = tuple(
            found for key, etag in pointers.items() if (found := self._dataset(key, etag))
        )
        if not datasets:
            return Waiting(self._progress())
        first = self._first()
        datasets = tuple(
            sorted(datasets, key=lambda found: (found.dataset != first, found.dataset))
        )
        self._make_ready(datasets)
        return Showing(datasets)

    def _dataset(self, key: str, etag: str) -> Shown | Broken | None:
        """The dataset behind one champion pointer; what was read before is not read again."""
        name = key.removeprefix(layout.CHAMPIONS).removesuffix(".json")
        known = self._seen.get(key)
        if known and known[0] == etag:
            return known[1]
        try:
            champion = self._registry.champion(name)
            if champion is None:
                return None
            shown = self._shown(champion)
        except InvalidName:
            return None
        except (Corrupt, NotFound) as error:
            log.warning("champion_unreadable", extra={"dataset": name, "why": str(error)})
            # Not kept: a store that is being restored may hold the pointer before the run.
            return Broken(name, _why(error))
        self._seen[key] = (etag, shown)
        return shown

    def _shown(self, champion: Champion) -> Shown:
        run = self._registry.manifest(champion.run_id)
        try:
            run.model(champion.model)
        except KeyError as error:
            raise Corrupt(error.args[0]) from error
        return Shown(champion.dataset, champion, run)

    def _first(self) -> str | None:
        try:
            return self._registry.active()
        except Corrupt as error:
            log.warning("active_unreadable", extra={"why": str(error)})
            return None

    def _make_ready(self, datasets: tuple[Shown | Broken, ...]) -> None:
        """Load the models the first page needs before anybody is shown it; forget old runs."""
        shown = [found for found in datasets if isinstance(found, Shown)]
        with self._keeping:
            self._reigning = frozenset(found.run.run_id for found in shown)
            gone = self._drop_others()
        new = [found for found in shown[:1] if found.run.run_id not in self._predictors]
        for found in new:
            self._load(found)
        if new or gone:
            _settle()

    def _load(self, shown: Shown) -> None:
        """Read what a study of a song needs, so that the first visitor does not wait for it."""
        try:
            self.study(shown, shown.model, {})
        except ChartBusterError as error:
            # The page meets the same error and says so.
            log.warning("model_not_loaded", extra={"why": str(error)})

    def _progress(self) -> tuple[Note, ...]:
        found = []
        for item in list(self._store.list(layout.PROGRESS)):
            name = item.key.removeprefix(layout.PROGRESS).removesuffix(".json")
            try:
                body = self._store.read(item.key).body
                found.append(note_of(name, body, at=item.modified, where=item.key))
            except (Corrupt, NotFound) as error:
                log.warning("progress_unreadable", extra={"dataset": name, "why": str(error)})
        return tuple(found)

    def _without_store(self) -> State:
        if isinstance(self._state, Showing):
            return dataclasses.replace(self._state, asleep=True)
        return Away()


def _settle() -> None:
    """Take what is loaded out of garbage collection, after looking at all of it once.

    It stays: without this, every visit walks through all of it to find garbage, which costs ten
    times the prediction itself.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _why(error: ChartBusterError) -> str:
    if isinstance(error, NotFound):
        return "Its champion belongs to a run that is not in the store."
    return "The record of its champion, or of the run behind it, is damaged."
