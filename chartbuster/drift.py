"""How the songs of a dataset's new version differ from those its champion comes from.

The population stability index (PSI) of two samples sums (now - before) x ln(now / before) over
bins, of the bins' shares. Below 0.1 is read as no change to speak of, from 0.25 on as much of one
(Siddiqi, Credit Risk Scorecards, 2006). Those limits know no sample size, and two small samples of
the very same songs are far above them: without any drift, PSI / (1/n + 1/m) is distributed as chi
square with bins - 1 degrees of freedom (Yurdakul and Naranjo, Statistical properties of the
population stability index, Journal of Risk Model Validation 14(4), 2020). So the limits apply to
what PSI has beyond `chance`: that distribution's mean and three of its standard deviations.

This takes songs for independent draws. Most new versions hold the old songs too, which makes chance
smaller than that; songs of one album are alike, which makes it larger.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SOME, MUCH = 0.1, 0.25
LEVELS = ("none", "some", "much")
"""The levels of drift, the least first."""

BINS = 10
_SPREADS = 3
# Counts as if every bin had half a song more on both sides, so that an empty one is no infinity.
_HALF = 0.5


@dataclass(frozen=True)
class AttributeDrift:
    """How one attribute of the songs differs, `before` being the champion's songs.

    `kind` is "number", "word" (one per song) or "genres" (any number per song). In `psi` a missing
    value is a bin of its own; `chance` is what PSI reaches without any drift, see above. `ks` is
    the Kolmogorov-Smirnov statistic of the known values (0 to 1). It and the medians are None where
    they mean nothing. `missing_before` and `missing_now` are shares of the songs (0 to 1).
    """

    name: str
    kind: str
    psi: float
    chance: float
    ks: float | None
    median_before: float | None
    median_now: float | None
    missing_before: float
    missing_now: float
    level: str

    @property
    def excess(self) -> float:
        """What PSI has beyond chance; below 0 where chance explains more than there is."""
        return self.psi - self.chance


@dataclass(frozen=True)
class DriftReport:
    """How version `version` of a dataset differs from the songs of the run `champion`.

    `at` (ISO 8601 in UTC) is when they were compared first. `songs_shared` counts songs on both
    sides. `features` holds the attributes models see and the genres, the most drifted first. New
    and vanished genres come with the share of songs that have them (0 to 1); a genre counts as
    vanished only where at least three of its songs were to be expected now. `level` is the highest
    of all attributes and the popularity.
    """

    dataset: str
    version: str
    champion: str
    at: str
    songs_before: int
    songs_now: int
    songs_shared: int
    popularity: AttributeDrift
    features: tuple[AttributeDrift, ...]
    new_genres: Mapping[str, float]
    vanished_genres: Mapping[str, float]
    level: str
    sentence: str

    @property
    def excess(self) -> float:
        """How far the most drifted attribute, or the popularity, is beyond chance."""
        return max(each.excess for each in (self.popularity, *self.features))


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index of two samples, given how many are in each bin.

    Bins that are empty on both sides do not count; 0 where no more than one is left.
    """
    bins = [pair for pair in zip(before, now, strict=True) if any(pair)]
    total_before = sum(one for one, _ in bins) + _HALF * len(bins)
    total_now = sum(other for _, other in bins) + _HALF * len(bins)
    total = 0.0
    for one, other in bins:
        share_before, share_now = (one + _HALF) / total_before, (other + _HALF) / total_now
        total += (share_now - share_before) * math.log(share_now / share_before)
    return total


def chance(bins: int, *, before: int, now: int) -> float:
    """The PSI that so many songs, some on both sides, hardly ever exceed without drift.

    `bins` are those with a song on either side.
    """
    free = max(bins - 1, 0)
    return (free + _SPREADS * math.sqrt(2 * free)) * (1 / before + 1 / now)


def level_of(excess: float) -> str:
    """The level of drift of what PSI has beyond chance."""
    return LEVELS[(excess >= SOME) + (excess >= MUCH)]


def most_drifted_first(features: Iterable[AttributeDrift]) -> tuple[AttributeDrift, ...]:
    """`features` in the order of what they have beyond chance."""
    return tuple(sorted(features, key=lambda each: (-each.excess, each.name)))


def worst(levels: Iterable[str]) -> str:
    """The highest of `levels`, "none" of none."""
    return max(levels, key=LEVELS.index, default="none")


def sentence(
    popularity: AttributeDrift,
    features: Iterable[AttributeDrift],
    new_genres: Mapping[str, float],
    *,
    before: int,
    now: int,
) -> str:
    """What there is to say about so many songs before and now, for people."""
    changed = [each for each in most_drifted_first((popularity, *features)) if each.level != "none"]
    if not changed:
        few = chance(BINS, before=before, now=now) >= SOME
        doubt = "; among so few a small change could not be told from chance" if few else ""
        return f"The {now:,} songs are like the {before:,} the champion comes from{doubt}."
    first = [_described(each, new_genres) for each in changed[:3]]
    rest = [f"{len(changed) - 3} more"] if len(changed) > 3 else []
    what = " and ".join(filter(None, [", ".join([*first, *rest][:-1]), [*first, *rest][-1]]))
    much = "much" if changed[0].level == "much" else "somewhat"
    return f"The songs differ {much} from those the champion comes from: {what}."


def figure(value: float | None) -> str:
    """A median for people: three digits, or all before the point; nothing where there is none."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _described(each: AttributeDrift, new_genres: Mapping[str, float]) -> str:
    if each.kind == "genres" and new_genres:
        name, share = max(new_genres.items(), key=lambda item: (item[1], item[0]))
        return f"genres ({share:.0%} are {name}, which is new)"
    name = each.name.replace("_", " ")
    if abs(each.missing_now - each.missing_before) >= SOME:
        return f"{name} (missing in {each.missing_now:.0%}, before in {each.missing_before:.0%})"
    if each.median_before is None or each.median_now is None:
        return name
    return f"{name} (median {figure(each.median_now)}, before {figure(each.median_before)})"
