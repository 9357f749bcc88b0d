"""Fits models side by side, each on one thread.

One thread per fit, because sums made by several come out in another order on another machine, and
because threads that wait for each other crawl on a busy one. Several fits at once use the machine
as well and give the same models everywhere.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from chartbuster.learn.evaluate import Numbers, Split
from chartbuster.learn.models import pipeline
from chartbuster.learn.recipes import Recipe


@dataclass(frozen=True)
class Fitted:
    """A model fitted on a split's fit songs, and what it predicts for its test songs."""

    model: Pipeline
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

    def fit(self, recipe: Recipe, split: Split) -> Future[Fitted]:
        """The model of `recipe` fitted on `split`, as soon as it is its turn."""
        return self.pool.submit(self._fit, recipe, split)

    def _fit(self, recipe: Recipe, split: Split) -> Fitted:
        started = self.monotonic()
        model = pipeline(recipe, tuple(self.features.columns), seed=self.seed)
        model.fit(self.features.iloc[split.fit], self.popularity[split.fit])
        seconds = self.monotonic() - started
        return Fitted(model, model.predict(self.features.iloc[split.test]), seconds)


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
