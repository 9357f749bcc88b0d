"""The published figures the demo catalogue is drawn from.

`figures.json` says in its `source` field what each figure was computed on. It holds totals only:
no row, artist or title of the file the figures describe.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Figures:
    """Published figures; G genres, A = 11 attributes (popularity first), Q quantile levels.

    Attributes are in the units of a Spotify export: popularity 0-100, duration in ms, loudness in
    dB, tempo in beats a minute, everything else 0-1.
    """

    attributes: tuple[str, ...]
    genres: tuple[str, ...]
    songs: NDArray[np.int64]  # (G,) songs among 20,000
    artists: NDArray[np.int64]  # (G,) distinct artists behind those songs
    zero_share: Floats  # (G,) share of songs with popularity 0
    mean: Floats  # (G, A)
    std: Floats  # (G, A)
    quantile_levels: Floats  # (Q,)
    quantiles: Floats  # (G, A, Q)
    lowest: Floats  # (A,) over every genre
    highest: Floats  # (A,) over every genre
    overall_std: Floats  # (A,)
    pearson: Floats  # (A, A) over every genre
    artists_in_sample: int  # of 20,000 songs, artists of several genres counted once
    artists_in_all: int  # of the whole file
    artist_share: float  # of the within-genre variance of popularity
    major_share: Floats  # (G,)
    keys: tuple[str, ...]
    key_given_mode: Floats  # (2, 12), rows major and minor
    time_signatures: tuple[str, ...]
    time_signature_share: Floats  # (G, 5)


@cache
def published() -> Figures:
    """Read the figures that come with the package; the same object every time."""
    text = files("chartbuster.demo").joinpath("figures.json").read_text(encoding="utf-8")
    raw: dict[str, Any] = json.loads(text)
    genres = tuple(raw["genres"])

    def per_genre(name: str) -> NDArray[Any]:
        return np.array([raw["genres"][genre][name] for genre in genres])

    songs = per_genre("songs")
    keys = tuple(raw["key_given_mode"]["Major"])
    modes = raw["mode"]
    major = {
        genre: {"Major": share, "Minor": 1 - share} for genre, share in raw["mode_by_genre"].items()
    }
    return Figures(
        attributes=tuple(raw["attributes"]),
        genres=genres,
        songs=songs,
        artists=per_genre("artists"),
        zero_share=per_genre("zero_share"),
        mean=per_genre("mean"),
        std=per_genre("std"),
        quantile_levels=np.array(raw["quantile_levels"]),
        quantiles=per_genre("quantiles"),
        lowest=np.array(raw["limits"]["min"], dtype=np.float64),
        highest=np.array(raw["limits"]["max"], dtype=np.float64),
        overall_std=np.array(raw["overall_std"]),
        pearson=np.array(raw["pearson"]),
        artists_in_sample=raw["artist_records"]["distinct_artists_in_sample"],
        artists_in_all=raw["distinct_artists"],
        artist_share=raw["artist_records"]["within_genre_variance_explained_by_artist"],
        major_share=_spread(genres, songs, known=major, total=modes)[:, 0],
        keys=keys,
        key_given_mode=np.array(
            [[raw["key_given_mode"][mode][key] for key in keys] for mode in ("Major", "Minor")]
        ),
        time_signatures=tuple(raw["time_signature"]),
        time_signature_share=_spread(
            genres, songs, known=raw["time_signature_by_genre"], total=raw["time_signature"]
        ),
    )


def _spread(
    genres: tuple[str, ...],
    songs: NDArray[np.int64],
    *,
    known: dict[str, dict[str, float]],
    total: dict[str, int],
) -> Floats:
    """Shares per genre (G, values of `total`, rows sum to 1) from shares known for some genres.

    The other genres all get what is left over, so that the whole catalogue has the shares of
    `total`.
    """
    overall = np.array(list(total.values())) / sum(total.values())
    share = np.zeros((len(genres), len(overall)))
    weight = songs / songs.sum()
    open_rows = np.array([genre not in known for genre in genres])
    for row, genre in enumerate(genres):
        if genre in known:
            share[row] = [known[genre].get(value, 0.0) for value in total]
    left = np.clip(overall - weight @ share, 0.0, None)
    share[open_rows] = left
    return np.asarray(share / share.sum(axis=1, keepdims=True), dtype=np.float64)
