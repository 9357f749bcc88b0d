"""How good the models are on a song file, beside the original system's forest on the same songs.

The forest is fitted on the songs our models were fitted on and asked about those they were asked
about. What a model gains over it is taken on the same draws for both, so that what makes songs
easy or hard for either cancels out.
"""

from collections.abc import Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass

import numpy as np

from chartbuster.errors import UnreadableUpload
from chartbuster.features import read_ready
from chartbuster.learn import bootstrap, original
from chartbuster.learn.bootstrap import interval
from chartbuster.learn.dataset import matrix, merged
from chartbuster.learn.evaluate import KNOWN, NEW, Held, Protocol, Yardstick
from chartbuster.preparing import prepare
from chartbuster.report import Claim
from chartbuster.runs import Interval, ModelEntry, Scores
from trainer import exams as taking
from trainer.configuration import Configuration
from trainer.fitting import bench
from trainer.targets import Promised, Target, promised, targets
from trainer.training import Tell, Trained, train

_PREPARED_SHARE = 0.02
_TRAINED_SHARE = 0.8
"""Where in an evaluation's work its training begins and ends."""


@dataclass(frozen=True)
class Measured:
    """A model's scores; None where the data has no such songs."""

    name: str
    title: str
    new_artists: Scores | None
    known_artists: Scores | None

    @classmethod
    def of(cls, entry: ModelEntry) -> "Measured":
        """The scores stored with a model."""
        return cls(entry.name, entry.title, entry.new_artists, entry.known_artists)

    @property
    def deciding_mae(self) -> float:
        """The error that ranks models, as `ModelEntry` has it."""
        scores = self.new_artists or self.known_artists
        return scores.mae if scores else float("inf")

    @property
    def scores(self) -> Mapping[Protocol, Scores | None]:
        """The scores by protocol."""
        return {NEW: self.new_artists, KNOWN: self.known_artists}


@dataclass(frozen=True)
class Gain:
    """By how much a model is better than the original's forest on the same `songs` songs.

    `r2` is how much higher its R2 is, `mae` how much lower its mean absolute error; each with the
    95 % interval of the paired difference. Below zero it is worse.
    """

    model: str
    protocol: str
    songs: int
    r2: float
    r2_interval: Interval
    mae: float
    mae_interval: Interval

    @property
    def beyond_chance(self) -> bool:
        """Whether both intervals are above zero."""
        return self.r2_interval.low > 0 and self.mae_interval.low > 0


@dataclass(frozen=True)
class Evaluation:
    """All that came out for one file; `models` has the best first and the forest among them.

    `better` says whether the best model beats the forest beyond chance under every protocol there
    is. `promised` names the file the `targets` are for; both are empty for any other file.
    """

    file: str
    songs: int
    artists: int
    best: str
    interval: float
    hit_from: float
    models: tuple[Measured, ...]
    gains: tuple[Gain, ...]
    better: bool
    leaks: tuple[Claim, ...]
    promised: str
    targets: tuple[Target, ...]
    search_note: str


def evaluate(
    stored: bytes, file: str, configuration: Configuration, *, jobs: int, tell: Tell
) -> Evaluation:
    """Prepare, train and compare: everything about the song file `stored`, called `file`.

    `jobs` models are fitted at a time. Raises `UnreadableUpload` with the reason where the file is
    refused, and `JobUnusable` where its songs are too few.
    """
    tell(f"preparing {file}", 0.0)
    prepared = prepare(stored, file)
    if prepared.refused:
        raise UnreadableUpload(prepared.refused)
    songs = merged([read_ready(prepared.ready)])
    del prepared
    share = _TRAINED_SHARE - _PREPARED_SHARE
    trained = train(
        songs,
        configuration,
        jobs=jobs,
        tell=lambda stage, done: tell(stage, _PREPARED_SHARE + share * done),
    )
    features = matrix(songs, trained.columns)
    exams = taking.exams_of(songs, features, configuration)
    stick = taking.yardstick(songs, exams, configuration)
    with bench(features, stick.popularity, seed=configuration.seed, jobs=jobs) as fitting:
        tell("fitting the original system's forest", _TRAINED_SHARE)
        candidate = taking.begin_without_history(
            fitting, lambda: original.forest(trained.columns, seed=configuration.seed), exams
        )
        fits = (*candidate.new, *candidate.known)
        for number, _ in enumerate(as_completed(fits), 1):
            done = _TRAINED_SHARE + (1 - _TRAINED_SHARE) * number / len(fits)
            tell(f"fitted the original system's forest, {number} of {len(fits)}", done)
        held = taking.examined(candidate, exams, stick, interval=configuration.interval).held
    return compared(trained, held, stick, file=file, promise=promised(stored))


def compared(
    trained: Trained,
    forest: Mapping[Protocol, Held],
    stick: Yardstick,
    *,
    file: str,
    promise: Promised | None,
) -> Evaluation:
    """The models `trained` beside what the original's `forest` said of the same songs."""
    models = [Measured.of(entry) for entry in trained.models]
    (best,) = (model for model in models if model.name == trained.best)
    models.append(
        Measured(
            original.NAME,
            original.TITLE,
            stick.scores(forest[NEW], NEW),
            stick.scores(forest[KNOWN], KNOWN),
        )
    )
    models.sort(key=lambda model: model.deciding_mae)
    protocols: tuple[Protocol, ...] = (NEW, KNOWN)
    gains = [
        gain(model.name, trained.held[model.name][protocol], forest[protocol], stick, protocol)
        for model in models
        if model.name != original.NAME
        for protocol in protocols
        if len(forest[protocol].asked())
    ]
    interval = trained.report.interval
    return Evaluation(
        file=file,
        songs=trained.songs,
        artists=trained.artists,
        best=trained.best,
        interval=interval,
        hit_from=stick.hit_from,
        models=tuple(models),
        gains=tuple(gains),
        better=all(found.beyond_chance for found in gains if found.model == trained.best),
        leaks=trained.report.leaks,
        promised=promise.file if promise else "",
        targets=targets(promise, best.scores, interval=interval) if promise else (),
        search_note=trained.report.search_note,
    )


def gain(model: str, held: Held, forest: Held, stick: Yardstick, protocol: Protocol) -> Gain:
    """What the model that said `held` gains over the forest; both were asked about some songs."""
    rows = np.intersect1d(held.asked(), forest.asked())
    truth, drawn = stick.popularity[rows], stick.drawn(protocol, rows)
    ours, theirs = held.predicted[rows], forest.predicted[rows]
    spread = float(((truth - truth.mean()) ** 2).mean())
    squares = float(((truth - theirs) ** 2 - (truth - ours) ** 2).mean())
    before, after = np.abs(truth - theirs), np.abs(truth - ours)
    return Gain(
        model=model,
        protocol=protocol,
        songs=len(rows),
        r2=squares / spread if spread else 0.0,
        r2_interval=interval(bootstrap.r2(drawn, truth, ours) - bootstrap.r2(drawn, truth, theirs)),
        mae=float((before - after).mean()),
        mae_interval=bootstrap.gain(drawn, before, after),
    )
