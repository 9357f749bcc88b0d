"""Every model under both protocols: what it says of songs it never saw, and the model to keep.

A song of an artist who is unknown is predicted by the model that never met the artist, also where
songs are split by their ids: then it is the artist's only one.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from chartbuster.errors import JobUnusable
from chartbuster.learn.artists import ARTIST, ByArtist, history_of
from chartbuster.learn.blend import Blend
from chartbuster.learn.bootstrap import Numbers
from chartbuster.learn.evaluate import (
    KNOWN,
    NEW,
    Held,
    Protocol,
    Rows,
    Split,
    Yardstick,
    calibrates,
    splits,
)
from chartbuster.learn.models import takes_history
from chartbuster.learn.recipes import Recipe
from chartbuster.learn.splits import Places, by_artist, by_song
from chartbuster.learn.uncertainty import between, chance, spread_of
from chartbuster.outlooks import Spread, Spreads
from trainer.configuration import Configuration
from trainer.fitting import Bench, Fitted


@dataclass(frozen=True)
class Exams:
    """The splits of both protocols, empty where the data has none, and what they come from.

    `codes` are the artist codes of all songs, None where artists do not count: no song names one,
    or there are too few to hold some back.
    """

    songs: Places
    artists: Places | None
    new: tuple[Split, ...]
    known: tuple[Split, ...]
    codes: Numbers | None
    calibration: float

    def parts(self, protocol: Protocol) -> tuple[Split, ...]:
        """The splits of `protocol`."""
        return self.new if protocol == NEW else self.known

    def folds(self, protocol: Protocol) -> Rows:
        """The fold of every song under `protocol`."""
        places = self.artists if protocol == NEW and self.artists else self.songs
        return places.folds


def exams_of(songs: pd.DataFrame, features: pd.DataFrame, configuration: Configuration) -> Exams:
    """The exams `songs` allow; raises `JobUnusable` where they allow none."""
    if len(songs) < configuration.fewest_songs:
        raise JobUnusable(
            f"the dataset has {len(songs)} songs; expected at least {configuration.fewest_songs} "
            "to fit and test models on"
        )
    artists, alone = by_artist(songs), by_song(songs)
    share, count = configuration.calibration, configuration.folds
    new = splits(NEW, artists, count=count, calibration=share)
    known = splits(KNOWN, alone, count=count, calibration=share)
    if not new and not known:
        raise JobUnusable(
            f"no part of the dataset's {len(songs)} songs is large enough to test models on"
        )
    codes = features[ARTIST].to_numpy() if new and ARTIST in features else None
    return Exams(alone, artists, new, known, codes, share)


def yardstick(songs: pd.DataFrame, exams: Exams, configuration: Configuration) -> Yardstick:
    """What the scores of a run are taken with."""
    popularity = songs["popularity"].to_numpy(dtype=np.float64)
    artists = exams.artists or exams.songs
    return Yardstick(
        popularity=popularity,
        groups={NEW: artists.groups, KNOWN: exams.songs.groups},
        hit_from=hit_from(popularity, configuration.hits.top),
        precision_at=configuration.hits.precision_at,
        seed=configuration.seed,
    )


def hit_from(popularity: Numbers, top: float) -> float:
    """The lowest popularity that no more than the share `top` of songs reach, if any song does."""
    least = float(np.quantile(popularity, 1 - top, method="higher"))
    above = popularity[popularity > least]
    if (popularity >= least).mean() > top and len(above):
        return float(above.min())
    return least


@dataclass(frozen=True)
class Examined:
    """A model to keep, how it scatters, and what was said of the songs each protocol tests.

    `seconds` is how long the kept model took to fit.
    """

    model: Any
    spreads: Spreads
    held: Mapping[Protocol, Held]
    seconds: float


@dataclass(frozen=True)
class Candidate:
    """The fits of one model that were asked for, by protocol and fold; `kept` has no fold."""

    new: tuple[Future[Fitted], ...]
    known: tuple[Future[Fitted], ...]
    kept: Future[Fitted] | None


def begin(fitting: Bench, recipe: Recipe, exams: Exams) -> Candidate:
    """Ask for every fit that `examined` needs."""
    history = exams.codes is not None and takes_history(recipe)

    def ask(split: Split, *, known: bool) -> Future[Fitted]:
        return fitting.fit(recipe, split.fit, ask=_asked(split), history=known)

    kept = None
    if history:
        calibration = _kept_calibration(exams)
        fit = np.setdiff1d(exams.new[0].fit, calibration)
        kept = fitting.fit(recipe, fit, ask=calibration, history=True)
    return Candidate(
        new=tuple(ask(split, known=False) for split in exams.new),
        known=tuple(ask(split, known=history) for split in exams.known),
        kept=kept,
    )


def begin_without_history(
    fitting: Bench, unfitted: Callable[[], Pipeline], exams: Exams
) -> Candidate:
    """The same for a pipeline no recipe describes, which never sees an artist: `unfitted` is called
    for each fit.
    """

    def ask(split: Split) -> Future[Fitted]:
        return fitting.fit_pipeline(unfitted(), split.fit, ask=_asked(split))

    return Candidate(new=tuple(map(ask, exams.new)), known=tuple(map(ask, exams.known)), kept=None)


def _asked(split: Split) -> Rows:
    """The songs of a split a model is asked about, in the order `_answer` takes them apart."""
    return np.concatenate([split.test, split.calibration])


def mixed(candidates: Sequence[Candidate]) -> Candidate:
    """The blend of `candidates`, from the fits they asked for already. Waits for them."""
    new = zip(*(candidate.new for candidate in candidates), strict=True)
    known = zip(*(candidate.known for candidate in candidates), strict=True)
    kept = [candidate.kept for candidate in candidates if candidate.kept is not None]
    return Candidate(
        new=tuple(map(_mixed, new)),
        known=tuple(map(_mixed, known)),
        kept=_mixed(kept) if kept else None,
    )


def _mixed(fits: Sequence[Future[Fitted]]) -> Future[Fitted]:
    parts = [fit.result() for fit in fits]
    done: Future[Fitted] = Future()
    predicted: Numbers = np.mean([part.predicted for part in parts], axis=0)
    done.set_result(
        Fitted(
            Blend([part.model for part in parts]), predicted, sum(part.seconds for part in parts)
        )
    )
    return done


def searchable(exams: Exams) -> Rows:
    """The songs settings may be chosen on: those the kept model is fitted on, whoever is known."""
    first = (exams.new or exams.known)[0].fit
    if not exams.new:
        return first
    return np.setdiff1d(first, _kept_calibration(exams))


def _kept_calibration(exams: Exams) -> Rows:
    """The songs that calibrate what the kept model says of artists it knows.

    They stay out of its fit; what the first new-artist split keeps out, stays out as well.
    """
    return np.intersect1d(
        exams.new[0].fit, np.flatnonzero(calibrates(exams.songs, 0, exams.calibration))
    )


def examined(candidate: Candidate, exams: Exams, stick: Yardstick, *, interval: float) -> Examined:
    """What came of a candidate's fits. Waits for them."""
    history = candidate.kept is not None
    new = [
        _answer(fit.result(), split.test, split.calibration, None, stick, interval)
        for split, fit in zip(exams.new, candidate.new, strict=True)
    ]
    codes = exams.codes if history else None
    known = [
        _answer(fit.result(), split.test, split.calibration, codes, stick, interval)
        for split, fit in zip(exams.known, candidate.known, strict=True)
    ]
    held = {NEW: Held.nothing(len(stick.popularity)), KNOWN: Held.nothing(len(stick.popularity))}
    for answer in new:
        held[NEW].put(answer.rows, answer.said)
    if history:
        for split in exams.known:
            # Whoever the history does not know is a debut; the others are answered below.
            held[KNOWN].put(split.test, held[NEW].of(split.test))
    for answer in known:
        held[KNOWN].put(answer.rows, answer.said)
    first = (candidate.new or candidate.known)[0].result()
    debut = (new or known)[0].spread
    if candidate.kept is None:
        return Examined(first.model, Spreads(debut, debut), held, first.seconds)
    kept = candidate.kept.result()
    answer = _answer(kept, _NONE, _kept_calibration(exams), codes, stick, interval)
    return Examined(
        ByArtist(first.model, kept.model),
        Spreads(debut, answer.spread),
        held,
        first.seconds + kept.seconds,
    )


_NONE: Rows = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class _Answer:
    """What a fitted model says of test songs `rows`, with the spread its calibration gave it."""

    spread: Spread
    rows: Rows
    said: Held


def _answer(
    fitted: Fitted,
    test: Rows,
    calibration: Rows,
    codes: Numbers | None,
    stick: Yardstick,
    interval: float,
) -> _Answer:
    """Calibrate and ask a model fitted with `test` and `calibration` left out.

    With `codes`, of all songs, it is about artists the model's history knows, and no others.
    """
    tested, calibrated = fitted.predicted[: len(test)], fitted.predicted[len(test) :]
    if codes is not None:
        history = history_of(fitted.model)
        met, meant = history.known(codes[test]), history.known(codes[calibration])
        test, tested = test[met], tested[met]
        calibration, calibrated = calibration[meant], calibrated[meant]
    spread = spread_of(calibrated, stick.popularity[calibration])
    low, high = between(spread, tested, interval=interval)
    hit = np.round(chance(spread, tested, reaches=stick.hit_from), 4)
    return _Answer(spread, test, Held(tested, low, high, hit))
