"""What a run found out about its best model, beyond the scores: the file `report.json` of a run.

Plain values, so that whoever shows a run (the model card, the app) needs nothing fitted. Errors are
in points of popularity; every `protocol` is "new artists" or "known artists".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chartbuster.explanations import Curve
from chartbuster.runs import Interval

REPORT = "report.json"
"""The report's name among a run's files."""


@dataclass(frozen=True)
class Claim:
    """A model's R2 as the flattering split would have claimed it, and as it is.

    `claimed` comes from rows split at random before rows of one song are merged, `honest` from
    artists who are on one side only; both from the same number of fitted rows. `shared` is the part
    of the tested rows whose song was fitted on too.
    """

    model: str
    title: str
    claimed: float
    honest: float
    shared: float
    rows: int

    @property
    def flatters(self) -> float:
        """By how much R2 is too good."""
        return self.claimed - self.honest


@dataclass(frozen=True)
class Ablated:
    """What leaving `group` out costs: the rise of the mean absolute error, with its interval.

    `without` is the error without the group, `full` with it, on the same `songs`.
    """

    group: str
    protocol: str
    full: float
    without: float
    cost: Interval
    songs: int


@dataclass(frozen=True)
class CurvePoint:
    """The error after fitting on `songs` songs, on the same test songs for every point."""

    protocol: str
    songs: int
    mae: float
    r2: float


@dataclass(frozen=True)
class GenreScore:
    """How the best model does for new artists within one genre.

    `bias` is mean prediction minus mean popularity, `baseline` the baseline's mean absolute error,
    `covered` the share of songs within their interval, `width` the interval's mean width.
    """

    genre: str
    songs: int
    mae: float
    baseline: float
    bias: float
    covered: float
    width: float


@dataclass(frozen=True)
class Bin:
    """Songs whose hit probability was about `said` (their mean), and the share that were hits."""

    said: float
    seen: float
    songs: int


@dataclass(frozen=True)
class Tried:
    """One candidate of the search: its settings and its error where it was compared last.

    `songs` is on how many it was fitted there; `chosen` is true of the settings that were kept.
    """

    model: str
    settings: Mapping[str, float]
    songs: int
    mae: float
    chosen: bool


@dataclass(frozen=True)
class Report:
    """Everything above, for the run's best model and, where it says so, for others.

    `predicted_against_actual` counts new artists' songs: row n holds predictions from 5n to 5n + 5,
    column m popularities from 5m to 5m + 5 (20 rows and columns, 100 belongs to the last).
    `importances` say how much the error for new artists rises when an attribute is shuffled among
    the songs, `spreads` by how much that differed between shuffles (a standard deviation), and
    `dependence` how the mean prediction goes with an attribute. `search_note` says when the search
    was cut short by its time limit.
    """

    model: str
    interval: float
    hit_from: float
    leaks: tuple[Claim, ...]
    ablation: tuple[Ablated, ...]
    learning_curve: tuple[CurvePoint, ...]
    genres: tuple[GenreScore, ...]
    reliability: tuple[Bin, ...]
    predicted_against_actual: tuple[tuple[int, ...], ...]
    importances: Mapping[str, float]
    search: tuple[Tried, ...]
    search_note: str
    spreads: Mapping[str, float] = field(default_factory=dict)
    dependence: tuple[Curve, ...] = ()
