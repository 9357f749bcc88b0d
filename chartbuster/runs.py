"""What a training run leaves behind: its manifest, its models' scores, and who is champion."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chartbuster.errors import Corrupt, NotFound

BASELINE = "baseline"
"""The name of the model every other is measured against."""

TRAINING, PERSON, ROLLBACK = "training", "person", "rollback"
"""Who decides on a champion: a finished run, a person who chooses, or one who takes it back."""


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True)
class HitScores:
    """How well a model tells hits, `hits` of them, from other songs by their hit probability.

    `average_precision` is the area under precision and recall, to be read beside the share of hits;
    `precision` the share of hits among the `k` songs with the highest probabilities; `brier` the
    mean squared error of the probabilities; `calibration_error` by how much they and the shares of
    hits differ on average, over ten bins of equally many songs.
    """

    hits: int
    average_precision: float
    k: int
    precision: float
    brier: float
    calibration_error: float


@dataclass(frozen=True)
class Scores:
    """How well a model did on `songs` songs it was not fitted on, in points of popularity.

    `spearman` is None where the order means nothing: the model says one number for every song.
    `covered` is the share of songs within their interval, `width` the interval's mean width, both
    None in runs made before there were any; few songs to calibrate on make intervals wide. `hits`
    is None where no test song is a hit, or every one is. `intervals` holds the bootstrap intervals
    of the figures by their names (`r2`, `mae`, `rmse`, `spearman`, `covered`, `average_precision`,
    `precision`, `brier`, `calibration_error`), over artists for new artists and over songs for
    known ones.
    """

    r2: float
    mae: float
    rmse: float
    spearman: float | None
    songs: int
    covered: float | None = None
    width: float | None = None
    hits: HitScores | None = None
    intervals: Mapping[str, Interval] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelEntry:
    """One model of a run. `file` is its name among the run's files, `bytes` its size.

    Scores are None where the data does not allow them: without an artist column nobody is new.
    """

    name: str
    title: str
    file: str
    bytes: int
    fit_seconds: float
    new_artists: Scores | None
    known_artists: Scores | None

    @property
    def deciding_mae(self) -> float:
        """The error that ranks models: for new artists, else for known ones, else infinite."""
        scores = self.new_artists or self.known_artists
        return scores.mae if scores else float("inf")

    @property
    def figures(self) -> dict[str, float]:
        """R2 and MAE of both protocols by name, of those there are."""
        protocols = {"new_artists": self.new_artists, "known_artists": self.known_artists}
        return {
            f"{metric}_{protocol}": value
            for protocol, scores in protocols.items()
            if scores
            for metric, value in (("r2", scores.r2), ("mae", scores.mae))
        }


@dataclass(frozen=True)
class AttributeRange:
    """What one numeric attribute looked like in the run's songs; `default` is their median."""

    low: float
    high: float
    default: float


@dataclass(frozen=True)
class Inputs:
    """What a song may be for this run's models, and what is assumed where it does not say.

    `audio` holds the attributes the data had, `release_year` is None where it had none, and so are
    `key`, `mode` and `time_signature`. `genre_defaults` gives, per genre, what to assume instead:
    numbers for audio attributes and the year, text for key, mode and time signature.
    """

    audio: Mapping[str, AttributeRange]
    release_year: AttributeRange | None
    key: str | None
    mode: str | None
    time_signature: str | None
    genres: tuple[str, ...]
    genre_defaults: Mapping[str, Mapping[str, float | str]]


@dataclass(frozen=True)
class FileEntry:
    """What a file of a run must be, to the byte."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class RunManifest:
    """Everything that counts about one finished run.

    `uploads` are the upload ids it learnt from, `created` is ISO 8601 in UTC, `seconds` the wall
    time of the attempt, `artists` the number of different ones (0 without an artist column),
    `columns` the order of the model matrix, `best` the name of the best model.
    """

    run_id: str
    attempt: str
    dataset: str
    dataset_version: str
    uploads: tuple[str, ...]
    created: str
    seconds: float
    songs: int
    artists: int
    code: str
    lock: str
    schema_version: int
    configuration: Mapping[str, Any]
    columns: tuple[str, ...]
    inputs: Inputs
    models: tuple[ModelEntry, ...]
    best: str
    files: Mapping[str, FileEntry]

    def model(self, name: str) -> ModelEntry:
        """The model called `name`; raises `KeyError` saying which there are."""
        for entry in self.models:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.models)
        raise KeyError(f"run {self.run_id} has no model {name!r}; expected one of {known}")


@dataclass(frozen=True)
class Decision:
    """A challenger was, or was not, made champion. `at` is ISO 8601 in UTC.

    `by` is "training", "person" or "rollback"; `figures` are those the decision was taken on, by
    name. A rollback names the model it returned to. `who` is the person's name where one signed in.
    """

    run_id: str
    model: str
    at: str
    crowned: bool
    reason: str
    by: str = TRAINING
    figures: Mapping[str, float] = field(default_factory=dict)
    who: str = ""


@dataclass(frozen=True)
class Champion:
    """The model a dataset's predictions come from, and every decision so far, oldest first."""

    dataset: str
    run_id: str
    model: str
    since: str
    reason: str
    history: tuple[Decision, ...]

    def is_model(self, run_id: str, model: str) -> bool:
        """Whether `model` of the run `run_id` is the champion."""
        return (self.run_id, self.model) == (run_id, model)

    def has_met(self, run_id: str) -> bool:
        """Whether it is settled that the run `run_id` does not take this champion's place.

        It is for the champion's own run and for those refused against it. Whoever promotes a model
        or rolls back decides against every run on record at that moment, so that none of them comes
        back by itself when its data is announced again.
        """
        met, on_record = {self.run_id}, set[str]()
        for decision in self.history:
            on_record.add(decision.run_id)
            if decision.by != TRAINING:
                met = set(on_record)
            elif decision.crowned:
                met = {self.run_id}
            else:
                met.add(decision.run_id)
        return run_id in met


def datasets_of(run: RunManifest, champions: Iterable[Champion]) -> set[str]:
    """The datasets a run belongs to: the one it was made for, and those that decided on it.

    The same uploads under two names are one run.
    """
    deciding = {
        champion.dataset
        for champion in champions
        if any(decision.run_id == run.run_id for decision in champion.history)
    }
    return {run.dataset, *deciding}


def crowns(history: Iterable[Decision]) -> tuple[Decision, ...]:
    """The crownings that stand, oldest first: the last is the champion's, a rollback ends one."""
    standing: list[Decision] = []
    for decision in history:
        if decision.by == ROLLBACK:
            del standing[-1:]
        elif decision.crowned:
            standing.append(decision)
    return tuple(standing)


def former(champion: Champion) -> Decision:
    """The crowning that a rollback of `champion` returns to: the one before it that still stands.

    So two rollbacks go two steps back, and one after a promotion undoes the promotion. Raises
    `NotFound` when there is none, `Corrupt` when the history does not lead to this champion.
    """
    *before, last = crowns(champion.history) or (None,)
    name = f"{champion.model} of run {champion.run_id}"
    if last is None or not champion.is_model(last.run_id, last.model):
        raise Corrupt(f"the history of dataset {champion.dataset!r} does not lead to {name}")
    if not before:
        raise NotFound(
            f"dataset {champion.dataset!r} had no champion before {name}, so there is nothing to "
            "roll back to; `make models` lists what can be promoted"
        )
    return before[-1]


def best_model(models: Iterable[ModelEntry]) -> str:
    """The name of the model with the smallest error; the baseline never wins a tie."""
    ranked = sorted(models, key=lambda entry: (entry.deciding_mae, entry.name == BASELINE))
    return ranked[0].name
