"""Fits models side by side, each on one thread.

One thread per fit, because sums made by several come out in another order on another machine, and
because threads that wait for each other crawl on a busy one. Several fits at once use the machine
as well and give the same models everywhere.
"""

import time
import warnings
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from chartbuster.learn.blend import Blend
from chartbuster.learn.bootstrap import Numbers
from chartbuster.learn.evaluate import Rows, clipped
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import Recipe, sized


@dataclass(frozen=True)
class Fitted:
    """A fitted model, and what it predicts for the songs it was asked about, 0 to 100 each."""

    model: Pipeline | Blend
    predicted: Numbers
    seconds: float


@dataclass(frozen=True)
class Bench:
    """Where models are fitted; `pool` runs one fit per thread."""

    features: pd.DataFrame
    popularity: Numbers
    seed: int
    pool: ThreadPoolExecutor
    monotonic: Callable[[], float]

    def fit(
        self,
        recipe: Recipe,
        rows: Rows,
        *,
        ask: Rows,
        history: bool = False,
        without: Collection[str] = (),
    ) -> Future[Fitted]:
        """The model of `recipe` fitted on the songs `rows`, as soon as it is its turn.

        With `history` it sees artists. It never sees the columns `without`.
        """
        return self.pool.submit(self._fit, recipe, rows, ask, history, without)

    def fit_pipeline(self, model: Pipeline, rows: Rows, *, ask: Rows) -> Future[Fitted]:
        """The unfitted `model`, which no recipe describes, fitted and asked as `fit` does."""
        return self.pool.submit(self._fit_pipeline, model, rows, ask)

    def later[T](self, work: Callable[[], T]) -> Future[T]:
        """Whatever else `work` finds out with fitted models, in its turn among the fits."""
        return self.pool.submit(work)

    def _fit(
        self, recipe: Recipe, rows: Rows, ask: Rows, history: bool, without: Collection[str]
    ) -> Fitted:
        columns = [name for name in self.features.columns if name not in without]
        model = pipeline(sized(recipe, len(rows)), columns, seed=self.seed, history=history)
        return self._fit_pipeline(model, rows, ask)

    def _fit_pipeline(self, model: Pipeline, rows: Rows, ask: Rows) -> Fitted:
        started = self.monotonic()
        model.fit(self.features.iloc[rows], self.popularity[rows])
        seconds = self.monotonic() - started
        asked = self.features.iloc[ask]
        predicted = model.predict(asked) if len(ask) else np.empty(0)
        return Fitted(model, clipped(np.asarray(predicted, dtype=np.float64)), seconds)


@contextmanager
def bench(
    features: pd.DataFrame,
    popularity: Numbers,
    *,
    seed: int,
    jobs: int,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Bench]:
    """A bench with room for `jobs` fits at a time; leaving it drops those not begun."""
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        # How long a network learns is a setting; reaching the end of it is no fault.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # OpenMP's limit belongs to the thread that sets it, so each thread sets its own.
        pool = ThreadPoolExecutor(jobs, initializer=threadpool_limits, initargs=(1, "openmp"))
        try:
            yield Bench(features, popularity, seed, pool, monotonic)
        finally:
            pool.shutdown(cancel_futures=True)
