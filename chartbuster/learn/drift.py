"""Compares two tables of songs and says how far apart they are."""

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from chartbuster import drift
from chartbuster.drift import AttributeDrift, DriftReport
from chartbuster.songs import AUDIO_NAMES, POPULARITY, RELEASE_YEAR

WORDS = ("key", "mode", "time_signature")
NUMBERS = (*AUDIO_NAMES, RELEASE_YEAR.name)

_FEWEST_IN_A_BIN = 10
_FEWEST_EXPECTED = 3
_DIGITS = 6

type _Numbers = NDArray[np.float64]
type _Both = tuple[int, int]


def read_songs(body: bytes) -> pd.DataFrame:
    """The songs of a run from its `songs.parquet`; raises `ValueError` when it is none."""
    songs: pd.DataFrame = pq.read_table(io.BytesIO(body)).to_pandas()
    return songs


def compared(
    before: pd.DataFrame,
    now: pd.DataFrame,
    *,
    dataset: str,
    version: str,
    champion: str,
    at: str,
) -> DriftReport:
    """The drift from `before` to `now`, the same for the same songs in any order.

    Both have the columns of a run's `songs.parquet`, see `catalogue`; one that a table lacks is
    missing in all its songs. Raises `ValueError` where a table has no song.
    """
    songs = (len(before), len(now))
    if not all(songs):
        raise ValueError(f"there are {songs[0]} songs to compare with {songs[1]}; expected some")
    popularity = _number(POPULARITY.name, before, now)
    genres = (_genres(before), _genres(now))
    features = drift.most_drifted_first(
        [
            *(_number(name, before, now) for name in NUMBERS),
            *(_word(name, before, now) for name in WORDS),
            _genre(*genres),
        ]
    )
    shares_before, shares_now = (_shares(each) for each in genres)
    new = {name: share for name, share in shares_now.items() if name not in shares_before}
    vanished = {
        name: share
        for name, share in shares_before.items()
        # That so few songs have none of a rarer one says nothing (the rule of three).
        if name not in shares_now and share * len(now) >= _FEWEST_EXPECTED
    }
    return DriftReport(
        dataset=dataset,
        version=version,
        champion=champion,
        at=at,
        songs_before=songs[0],
        songs_now=songs[1],
        songs_shared=len({*before["song_id"]} & {*now["song_id"]}),
        popularity=popularity,
        features=features,
        new_genres=new,
        vanished_genres=vanished,
        level=drift.worst(each.level for each in (popularity, *features)),
        sentence=drift.sentence(popularity, features, new, before=songs[0], now=songs[1]),
    )


def _number(name: str, before: pd.DataFrame, now: pd.DataFrame) -> AttributeDrift:
    known = (_known(name, before), _known(name, now))
    edges = _edges(known[0], fewest=min(each.size for each in known))
    return _attribute(
        name,
        "number",
        _counts(known[0], edges),
        _counts(known[1], edges),
        missing=(len(before) - known[0].size, len(now) - known[1].size),
        songs=(len(before), len(now)),
        ks=_kolmogorov_smirnov(*known),
        medians=(_median(known[0]), _median(known[1])),
    )


def _word(name: str, before: pd.DataFrame, now: pd.DataFrame) -> AttributeDrift:
    words = (_column(name, before), _column(name, now))
    return _attribute(
        name,
        "word",
        *_tallies(*words),
        missing=(int(words[0].isna().sum()), int(words[1].isna().sum())),
        songs=(len(before), len(now)),
    )


def _genre(before: pd.Series, now: pd.Series) -> AttributeDrift:
    # Genres of one song come together, so chance goes by the songs and not by their mentions.
    return _attribute(
        "genres",
        "genres",
        *_tallies(before.explode(), now.explode()),
        missing=(int((before.str.len() == 0).sum()), int((now.str.len() == 0).sum())),
        songs=(len(before), len(now)),
    )


def _attribute(
    name: str,
    kind: str,
    before: Sequence[int],
    now: Sequence[int],
    *,
    missing: _Both,
    songs: _Both,
    ks: float | None = None,
    medians: tuple[float | None, float | None] = (None, None),
) -> AttributeDrift:
    """The drift of an attribute from the counts in its bins, `missing` being one more bin."""
    before, now = [*before, missing[0]], [*now, missing[1]]
    filled = sum(1 for pair in zip(before, now, strict=True) if any(pair))
    psi = round(drift.psi(before, now), _DIGITS)
    chance = round(drift.chance(filled, before=songs[0], now=songs[1]), _DIGITS)
    return AttributeDrift(
        name=name,
        kind=kind,
        psi=psi,
        chance=chance,
        ks=ks,
        median_before=medians[0],
        median_now=medians[1],
        missing_before=round(missing[0] / songs[0], _DIGITS),
        missing_now=round(missing[1] / songs[1], _DIGITS),
        level=drift.level_of(psi - chance),
    )


def _edges(before: _Numbers, *, fewest: int) -> _Numbers:
    """The upper edges of all bins but the last; none where nothing is known before.

    The bins hold about equally many of `before`, ten of them where the smaller side has `fewest`
    values enough. A value common enough to fill a bin has one of its own, or a constant could move
    within its bin unseen.
    """
    if not before.size:
        return before
    bins = min(max(fewest // _FEWEST_IN_A_BIN, 2), drift.BINS)
    inner = np.quantile(before, np.arange(1, bins) / bins, method="inverted_cdf")
    values, times = np.unique(before, return_counts=True)
    common = values[times >= before.size / bins]
    return np.unique(np.concatenate([inner, common, np.nextafter(common, -np.inf)]))


def _counts(values: _Numbers, edges: _Numbers) -> list[int]:
    places = np.searchsorted(edges, values, side="left")
    return [int(count) for count in np.bincount(places, minlength=len(edges) + 1)]


def _tallies(before: pd.Series, now: pd.Series) -> tuple[list[int], list[int]]:
    """How often each word occurs on both sides, in the order of the words."""
    counts = pd.concat([before.value_counts(), now.value_counts()], axis=1).fillna(0).sort_index()
    return [int(count) for count in counts.iloc[:, 0]], [int(count) for count in counts.iloc[:, 1]]


def _kolmogorov_smirnov(before: _Numbers, now: _Numbers) -> float | None:
    """The largest distance between the two distribution functions; None without values."""
    if not before.size or not now.size:
        return None
    at = np.sort(np.concatenate([before, now]))
    one, other = (
        np.searchsorted(np.sort(side), at, side="right") / side.size for side in (before, now)
    )
    return round(float(np.abs(one - other).max()), _DIGITS)


def _median(values: _Numbers) -> float | None:
    return float(np.median(values)) if values.size else None


def _known(name: str, songs: pd.DataFrame) -> _Numbers:
    values = _column(name, songs).to_numpy(dtype=np.float64, na_value=np.nan)
    known: _Numbers = values[~np.isnan(values)]
    return known


def _column(name: str, songs: pd.DataFrame) -> pd.Series:
    return songs[name] if name in songs else pd.Series(None, index=songs.index, dtype=object)


def _genres(songs: pd.DataFrame) -> pd.Series:
    """The list of each song's genres, empty for one without."""
    if "genres" not in songs:
        return pd.Series([[]] * len(songs), index=songs.index)
    return songs["genres"]


def _shares(genres: pd.Series) -> dict[str, float]:
    """The share of the songs that have each genre, in the order of their names."""
    counts = genres.explode().value_counts()
    return {
        str(name): round(int(count) / len(genres), _DIGITS)
        for name, count in sorted(counts.items())
    }
