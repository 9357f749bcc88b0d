"""Follows the champions in the store and predicts with their models; knows nothing of pages."""

import dataclasses
import gc
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster import layout
from chartbuster.batches import Ask
from chartbuster.errors import (
    ChartBusterError,
    Corrupt,
    InvalidName,
    InvalidSong,
    NotFound,
    TryAgain,
    UntrustedModel,
)
from chartbuster.learn.predictor import Predictor
from chartbuster.learn.study import study
from chartbuster.outlooks import OUTLOOK
from chartbuster.ports import ObjectStore
from chartbuster.registry import Champion, Registry
from chartbuster.runs import BASELINE
from chartbuster.scoring import song_table
from chartbuster.study import Study
from webapp.states import Away, Broken, Connecting, Progress, Showing, Shown, State, Waiting

log = logging.getLogger(__name__)

_WATCHED = 2.0
_IDLE = 15.0
_WATCHED_FOR = 10.0
_REFUSED_FOR = 10.0


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
        self._refused: dict[tuple[str, str], tuple[float, ChartBusterError]] = {}
        self._refreshing = threading.Lock()

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
        while not wait(_WATCHED):
            rested += _WATCHED
            if rested >= self.pause():
                self.refresh()
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

    def predict(self, shown: Shown, model: str, song: Mapping[str, Any]) -> Prediction:
        """What `model` of the run says of `song`.

        Raises `InvalidSong`, `UntrustedModel` (the stored file is not what the run vouches for),
        `NotFound`, or `Unreachable` when a model not loaded yet cannot be fetched.
        """
        table = song_table([song], shown.run.inputs)
        predictor = self._predictor(shown)
        said = self._with_memory(predictor, model, lambda: predictor.predict(model, table))
        mean = self._if_there(predictor, BASELINE, lambda: predictor.predict(BASELINE, table))
        return Prediction(float(said[0]), None if mean is None else float(mean[0]))

    def study(self, shown: Shown, model: str, song: Mapping[str, Any]) -> Study:
        """Everything `model` of the run says of `song`; raises what `predict` raises.

        What the run cannot say besides, because it is older or a file of it is damaged, is None.
        """
        predictor = self._predictor(shown)
        row = predictor.ground.matrix(song)
        mean = self._if_there(predictor, BASELINE, lambda: predictor.said(BASELINE, row))
        return self._with_memory(
            predictor,
            model,
            lambda: study(
                predictor,
                model,
                song,
                outlooks=self._if_there(predictor, OUTLOOK, predictor.outlooks),
                genre_mean=None if mean is None else float(mean[0]),
            ),
        )

    def ask(self, shown: Shown, model: str) -> Ask:
        """What answers whole tables with `model` of the run, from here on and whoever is champion.

        Asking raises what `predict` raises, and `NotFound` for a run that cannot say how sure it
        is.
        """
        predictor = self._predictor(shown)
        return lambda table: self._with_memory(
            predictor, model, lambda: predictor.outlook(model, table)
        )

    def _if_there[Answer](
        self, predictor: Predictor, what: str, ask: Callable[[], Answer]
    ) -> Answer | None:
        """The answer, or None where the run cannot give it."""
        try:
            return self._with_memory(predictor, what, ask)
        except ChartBusterError:
            # It is on record already, once and not at every move of a slider.
            return None

    def _with_memory[Answer](
        self, predictor: Predictor, model: str, ask: Callable[[], Answer]
    ) -> Answer:
        """Ask, but fetch a model that was refused a moment ago only once in a while."""
        name = (predictor.manifest.run_id, model)
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
            log.exception("model_failed", extra={"model": model})
            failure = UntrustedModel(
                f"model {model!r} of run {name[0]} fails on the run's own columns: {error}"
            )
        log.warning("model_refused", extra={"model": model, "why": str(failure)})
        self._refused[name] = (self._monotonic(), failure)
        raise failure

    def _predictor(self, shown: Shown) -> Predictor:
        run = shown.run
        predictor = self._predictors.get(run.run_id)
        if predictor is None or predictor.manifest != run:
            predictor = Predictor(run, lambda name: self._registry.file(run, name))
            self._predictors[run.run_id] = predictor
        return predictor

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
        current = {found.run.run_id for found in shown}
        gone = self._predictors.keys() - current
        for run_id in gone:
            self._predictors.pop(run_id, None)
        new = [found for found in shown[:1] if found.run.run_id not in self._predictors]
        for found in new:
            try:
                self.predict(found, found.champion.model, {})
            except ChartBusterError as error:
                # The page meets the same error and says so.
                log.warning("champion_not_loaded", extra={"why": str(error)})
        if new or gone:
            # What is loaded stays: without this, every visit walks through all of it to find
            # garbage, which costs ten times the prediction itself.
            gc.unfreeze()
            gc.collect()
            gc.freeze()

    def _progress(self) -> tuple[Progress, ...]:
        found = []
        for item in list(self._store.list(layout.PROGRESS)):
            name = item.key.removeprefix(layout.PROGRESS).removesuffix(".json")
            try:
                found.append(progress_of(name, self._store.read(item.key).body))
            except (Corrupt, NotFound) as error:
                log.warning("progress_unreadable", extra={"dataset": name, "why": str(error)})
        return tuple(found)

    def _without_store(self) -> State:
        if isinstance(self._state, Showing):
            return dataclasses.replace(self._state, asleep=True)
        return Away()


def progress_of(dataset: str, body: bytes) -> Progress:
    """How far a run is, from what the trainer wrote; raises `Corrupt`."""
    try:
        record = json.loads(body)
        stage, fraction = str(record["stage"]), float(record["fraction"])
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(
            f"the progress of {dataset!r} is {body[:80]!r}; expected stage and fraction"
        ) from error
    return Progress(dataset, stage, min(max(fraction, 0.0), 1.0))


def _why(error: ChartBusterError) -> str:
    if isinstance(error, NotFound):
        return "Its champion belongs to a run that is not in the store."
    return "The record of its champion, or of the run behind it, is damaged."
