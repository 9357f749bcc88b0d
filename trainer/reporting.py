"""What a run says of its best model beyond the scores: see `chartbuster.report`.

Whatever needs fits of its own (ablation, learning curve, leak audit) is done on a sample of the
songs, so that a report costs about as much for a large dataset as for a small one. The sample is
taken by whole artists where artists count.
"""

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from chartbuster.features import GENRE_PREFIX, LOGARITHMS, genre_columns
from chartbuster.learn import bootstrap
from chartbuster.learn.bootstrap import Numbers
from chartbuster.learn.dataset import matrix
from chartbuster.learn.evaluate import (
    FEWEST_TO_FIT,
    FEWEST_TO_TEST,
    KNOWN,
    NEW,
    Held,
    Protocol,
    Rows,
    Yardstick,
)
from chartbuster.learn.recipes import FOLDS, Recipe
from chartbuster.learn.rows import unmerged as unmerged_rows
from chartbuster.learn.splits import by_artist, by_song
from chartbuster.report import Ablated, Claim, CurvePoint, GenreScore
from chartbuster.songs import AUDIO_NAMES
from trainer.exams import Exams
from trainer.fitting import Bench, Fitted

CELLS = 20
"""Rows and columns of predicted against actual; each is five points wide."""
_CURVE_STEPS = 4
_FEWEST_OF_A_GENRE = 20

ARTIST_HISTORY = "artist history"
GROUPS: Mapping[str, Sequence[str]] = {
    "audio": (*AUDIO_NAMES, *(f"log_{name}" for name in LOGARITHMS)),
    "key, mode, time signature": ("key=", "mode=", "time_signature="),
    "title flags": ("title_",),
    "release year": ("release_year",),
    "genres": (GENRE_PREFIX,),
}
"""The features that are left out together, by the beginnings of their columns' names."""


@dataclass(frozen=True)
class Sample:
    """Songs to fit and to test on, of one protocol; `tested` draws the test songs."""

    protocol: Protocol
    fit: Rows
    test: Rows
    history: bool


def samples(exams: Exams, most: int) -> tuple[Sample, ...]:
    """Up to `most` songs to fit on and half as many to test on, from the first split of each
    protocol that there is.

    What is tested in the known protocol are songs of artists who are known.
    """
    found = []
    for protocol in (NEW, KNOWN):
        for split in exams.parts(protocol)[:1]:
            places = exams.artists if protocol == NEW and exams.artists else exams.songs
            order = np.argsort(places.draws[split.fit], kind="stable")
            fit = split.fit[order[::-1][:most]]
            tests = split.test[np.argsort(places.draws[split.test], kind="stable")]
            history = protocol == KNOWN and exams.codes is not None
            if history and exams.codes is not None:
                tests = tests[np.isin(exams.codes[tests], exams.codes[fit])]
            test = tests[: most // 2]
            if len(fit) >= FEWEST_TO_FIT and len(test) >= FEWEST_TO_TEST:
                found.append(Sample(protocol, fit, test, history))
    return tuple(found)


def ablation(
    fitting: Bench, recipe: Recipe, sample: Sample, stick: Yardstick
) -> tuple[Ablated, ...]:
    """What each group of features is worth to the model of `recipe`.

    The interval is that of the paired difference on the same songs.
    """
    columns = list(fitting.features.columns)
    groups = {
        name: [c for c in columns if c.startswith(tuple(begins))] for name, begins in GROUPS.items()
    }

    def fit(without: Collection[str] = (), *, history: bool) -> Future[Fitted]:
        return fitting.fit(
            recipe, sample.fit, ask=sample.test, history=history, without=frozenset(without)
        )

    whole = fit(history=sample.history)
    parts = {
        name: fit(without, history=sample.history) for name, without in groups.items() if without
    }
    if sample.history:
        parts[ARTIST_HISTORY] = fit(history=False)
    truth = stick.popularity[sample.test]
    drawn = stick.drawn(sample.protocol, sample.test)
    full = np.abs(truth - whole.result().predicted)
    found = []
    for name, future in parts.items():
        without = np.abs(truth - future.result().predicted)
        found.append(
            Ablated(
                group=name,
                protocol=sample.protocol,
                full=round(float(full.mean()), 4),
                without=round(float(without.mean()), 4),
                cost=bootstrap.gain(drawn, without, full),
                songs=len(sample.test),
            )
        )
    return tuple(found)


def learning_curve(
    fitting: Bench, recipe: Recipe, sample: Sample, stick: Yardstick
) -> tuple[CurvePoint, ...]:
    """The error after fitting on more and more songs, each step twice as many."""
    sizes = [len(sample.fit) // 2**step for step in reversed(range(_CURVE_STEPS))]
    sizes = [size for size in sizes if size >= FEWEST_TO_FIT]
    fits = [
        fitting.fit(recipe, sample.fit[:size], ask=sample.test, history=sample.history)
        for size in sizes
    ]
    truth = stick.popularity[sample.test]
    points = []
    for size, fit in zip(sizes, fits, strict=True):
        errors = truth - fit.result().predicted
        spread = float(((truth - truth.mean()) ** 2).mean())
        points.append(
            CurvePoint(
                protocol=sample.protocol,
                songs=size,
                mae=round(float(np.abs(errors).mean()), 4),
                r2=round(1 - float((errors**2).mean()) / spread, 4) if spread else 0.0,
            )
        )
    return tuple(points)


def leaks(
    fitting: Bench, recipes: Sequence[Recipe], songs: pd.DataFrame, most: int
) -> tuple[Claim, ...]:
    """What each of `recipes` would have claimed if rows had been split at random, as they came.

    A song listed under several genres or playlists is then fitted and tested on. It is about twice
    `most` rows, those of whole songs; the honest figure is for new artists among the same rows,
    after fitting on equally many. Nobody's history is used. Empty where no song names an artist.
    """
    rows = _some_rows(songs, 2 * most)
    artists = by_artist(rows)
    if artists is None:
        return ()
    order = np.random.default_rng(fitting.seed).permutation(len(rows))
    random = order[len(rows) // FOLDS :], order[: len(rows) // FOLDS]
    apart = order[artists.folds[order] != 0], order[artists.folds[order] == 0]
    size = min(len(random[0]), len(apart[0]))
    if size < FEWEST_TO_FIT or len(apart[1]) < FEWEST_TO_TEST:
        return ()
    features = matrix(rows, tuple(fitting.features.columns))
    popularity = rows["popularity"].to_numpy(dtype=np.float64)
    unmerged = replace(fitting, features=features, popularity=popularity)
    ids = rows["song_id"].to_numpy()
    shared = float(np.isin(ids[random[1]], ids[random[0][:size]]).mean())
    fits = [
        [unmerged.fit(recipe, fit[:size], ask=test) for fit, test in (random, apart)]
        for recipe in recipes
    ]
    claims = []
    for recipe, pair in zip(recipes, fits, strict=True):
        claimed, honest = (
            float(r2_score(popularity[test], fit.result().predicted))
            for fit, (_, test) in zip(pair, (random, apart), strict=True)
        )
        claims.append(
            Claim(
                model=recipe.name,
                title=recipe.title,
                claimed=round(claimed, 4),
                honest=round(honest, 4),
                shared=round(shared, 4),
                rows=len(rows),
            )
        )
    return tuple(claims)


def _some_rows(songs: pd.DataFrame, most: int) -> pd.DataFrame:
    """The rows of as many whole songs as make up to `most` rows, the same songs every time."""
    order = np.argsort(by_song(songs).draws, kind="stable")[:most]
    rows = unmerged_rows(songs.iloc[np.sort(order)])
    if len(rows) <= most:
        return rows
    fewer = order[: len(order) * most // len(rows)]
    return unmerged_rows(songs.iloc[np.sort(fewer)])


def by_genre(
    songs: pd.DataFrame, held: Held, baseline: Held, stick: Yardstick
) -> tuple[GenreScore, ...]:
    """How the model does within each genre of which enough songs were tested, largest first."""
    asked = held.asked()
    said, plain, truth = held.of(asked), baseline.of(asked), stick.popularity[asked]
    covered = (said.low <= truth) & (truth <= said.high)
    found = []
    for column in genre_columns(songs):
        inside = songs[column].to_numpy()[asked] == 1
        if inside.sum() < _FEWEST_OF_A_GENRE:
            continue
        found.append(
            GenreScore(
                genre=column.removeprefix(GENRE_PREFIX),
                songs=int(inside.sum()),
                mae=_mean(np.abs(truth - said.predicted)[inside]),
                baseline=_mean(np.abs(truth - plain.predicted)[inside]),
                bias=_mean((said.predicted - truth)[inside]),
                covered=_mean(covered[inside].astype(np.float64)),
                width=_mean((said.high - said.low)[inside]),
            )
        )
    return tuple(sorted(found, key=lambda score: (-score.songs, score.genre)))


def _mean(values: Numbers) -> float:
    return round(float(values.mean()), 4)


def predicted_against_actual(held: Held, stick: Yardstick) -> tuple[tuple[int, ...], ...]:
    """How many songs were predicted so and were so: see `Report`."""
    asked = held.asked()
    cell = 100 // CELLS
    rows = np.minimum(held.predicted[asked] // cell, CELLS - 1).astype(np.int64)
    columns = np.minimum(stick.popularity[asked] // cell, CELLS - 1).astype(np.int64)
    counts = np.zeros((CELLS, CELLS), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    return tuple(tuple(row) for row in counts.tolist())
