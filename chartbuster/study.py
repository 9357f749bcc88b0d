"""Everything a model says about one song: the number, how sure it is, why, and what would change.

Plain values, so that whoever shows them needs nothing fitted. `chartbuster.learn.study` finds them.
"""

from dataclasses import dataclass
from typing import Self

from chartbuster.explanations import Curve, Explanation, named, written
from chartbuster.outlook import Outlook
from chartbuster.outlooks import Outlooks


@dataclass(frozen=True)
class Sureness:
    """How sure a model is of its prediction for one song.

    The song's popularity is between `low` and `high`, 0 to 100, in the share `interval` of the
    cases (0.9 unless the run's configuration says otherwise). `hit` is the probability, 0 to 1,
    that it is `hit_from` or more, which makes a hit. `percentile` says what share of the songs of
    its genres are less popular than the prediction, 0 to 100; of all songs where it has no genre.
    `known` says whether the model has met the song's artist.
    """

    interval: float
    low: float
    high: float
    hit_from: float
    hit: float
    percentile: float
    known: bool

    @classmethod
    def of(cls, outlook: Outlook, outlooks: Outlooks, song: int = 0) -> Self:
        """What `outlook` says of the song at a place in it; `outlooks` is what it came from."""
        return cls(
            interval=outlooks.interval,
            low=float(outlook.low[song]),
            high=float(outlook.high[song]),
            hit_from=outlooks.hit_from,
            hit=float(outlook.hit[song]),
            percentile=float(outlook.percentile[song]),
            known=bool(outlook.known[song]),
        )


@dataclass(frozen=True)
class Change:
    """One attribute that would be `after` where the song has `before`; None if it has nothing."""

    attribute: str
    before: float | str | None
    after: float | str

    @property
    def words(self) -> str:
        """As people write it: `energy 0.5 → 0.8`, `key C → G`, `duration 3:42 → 2:10`."""
        name, after = named(self.attribute), written(self.attribute, self.after)
        if self.before is None:
            return f"{name} {after}"
        return f"{name} {written(self.attribute, self.before)} → {after}"


@dataclass(frozen=True)
class Advice:
    """The one or two changes that lift the prediction most, of those that were tried.

    `prediction` is what the model itself says of the song with all `changes`, 0 to 100, and `gain`
    by how many points that is more than it says of the song as it is. It describes the model, not
    the world: making a song louder need not make it popular.
    """

    changes: tuple[Change, ...]
    prediction: float
    gain: float


@dataclass(frozen=True)
class Study:
    """What one model says about one song, in an answer to one question.

    `sureness` is None where the run was made before models said how sure they are, `genre_mean`
    (what the genre-mean baseline says, 0 to 100) where the baseline cannot be asked, and `advice`
    where no change that was tried gains anything worth the name. There is one of the `curves` for
    each attribute the run's songs had, through `popularity` at the song's own value.
    """

    sureness: Sureness | None
    genre_mean: float | None
    explanation: Explanation
    curves: tuple[Curve, ...]
    advice: Advice | None

    @property
    def popularity(self) -> float:
        """The prediction, 0 to 100: what the contributions add up to and the curves go through."""
        return self.explanation.prediction
