"""The demo catalogue: songs that do not exist, by artists who do not exist.

Everything is synthetic. Only the statistics come from the world: published means, quantiles,
shares and correlations of a real collection (`figures.json` says which). No song, title, artist
or track id is anybody's, and a model trained on this catalogue has learnt nothing about real
music; it shows that the stack works, on data shaped like the real thing.

A song's genre decides most of it. Within a genre its eleven numbers come from one Gaussian copula
(`copula`) and the genre's own quantile curves (`curves`); popularity also depends on the artist.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.demo import artists, copula, curves, names
from chartbuster.demo.figures import Figures, Floats, published
from chartbuster.errors import Misconfigured

SONGS = 20_000
SEED = 2019
COLUMNS = (
    "genre",
    "artist_name",
    "track_name",
    "track_id",
    "popularity",
    "acousticness",
    "danceability",
    "duration_ms",
    "energy",
    "instrumentalness",
    "key",
    "liveness",
    "loudness",
    "mode",
    "speechiness",
    "tempo",
    "time_signature",
    "valence",
)
"""The columns of SpotifyFeatures.csv, in its order."""

_BASE_62 = np.frombuffer(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", dtype="S1"
)
_ID_LENGTH = 22


def generate(songs: int = SONGS, seed: int = SEED) -> pd.DataFrame:
    """A catalogue of `songs` synthetic songs, one a row, in no particular order.

    The same `songs` and `seed` give the same table every time; another seed gives other songs
    with the same statistics. Columns are `COLUMNS`: popularity a whole number 0-100, durations in
    ms, loudness in dB, tempo in beats a minute, the other attributes 0-1 with three significant
    digits, keys and modes in words, `track_id` 22 characters.

    Raises:
        Misconfigured: `songs` is under 1 or `seed` under 0.
    """
    if songs < 1:
        raise Misconfigured(f"a catalogue of {songs} songs; expected at least 1")
    if seed < 0:
        raise Misconfigured(f"seed {seed}; expected 0 or more")
    figures = published()
    random = np.random.default_rng(seed)
    genre = np.repeat(np.arange(len(figures.genres)), _apportioned(songs, figures.songs))

    people = artists.published_population()
    artist = artists.assigned(people, genre, random)
    named = names.artist_names(int(people.artists.sum()), random)[artist]
    columns: dict[str, object] = {
        "genre": np.array(figures.genres, dtype=object)[genre],
        "artist_name": named,
        "track_name": names.titles(named, random),
        "track_id": _ids(songs, random),
        **_attributes(figures, genre, artist, random),
        **_tonality(figures, genre, random),
    }
    table = pd.DataFrame({name: columns[name] for name in COLUMNS})
    return table.iloc[random.permutation(songs)].reset_index(drop=True)


def as_csv(frame: pd.DataFrame) -> bytes:
    """`frame` as UTF-8 CSV without an index: equal tables give equal bytes on every system."""
    return frame.to_csv(index=False, lineterminator="\n").encode("utf-8")


def _apportioned(songs: int, share: NDArray[np.int64]) -> NDArray[np.int64]:
    """`songs` divided in proportion to `share` into whole numbers, largest remainders first."""
    exact = share * songs
    whole, remainder = np.divmod(exact, share.sum())
    order = np.argsort(-remainder, kind="stable")
    whole[order[: songs - whole.sum()]] += 1
    return np.asarray(whole, dtype=np.int64)


def _attributes(
    figures: Figures,
    genre: NDArray[np.int64],
    artist: NDArray[np.int64],
    random: np.random.Generator,
) -> Mapping[str, Floats | NDArray[np.int64]]:
    count = len(genre)
    noise = random.standard_normal((len(figures.attributes), count))
    popularity = figures.attributes.index("popularity")
    effect = random.standard_normal(int(artist.max()) + 1)[artist]
    share = figures.artist_share
    noise[popularity] = np.sqrt(share) * effect + np.sqrt(1 - share) * noise[popularity]

    shapes = curves.fitted()
    drawn = {}
    for index, latent in enumerate(copula.mixed(noise, copula.published_factor())):
        # Not the whole step: the far end of a steep curve would move a small genre's mean.
        jitter = 0.5 + 0.2 * (random.random(count) - 0.5)
        level = copula.levels(latent, genre, jitter)
        name = figures.attributes[index]
        drawn[name] = _as_exported(name, shapes.at(index, genre, level))
    return drawn


def _as_exported(name: str, value: Floats) -> Floats | NDArray[np.int64]:
    """`value` with the digits Spotify's exports have.

    Rounding is also what makes the catalogue the same everywhere: the last bits of a power or a
    logarithm may differ between processors.
    """
    if name == "popularity":
        return np.where(value > 0, np.clip(np.rint(value), 1, 100), 0).astype(np.int64)
    if name == "duration_ms":
        return np.rint(value).astype(np.int64)
    if name in {"loudness", "tempo"}:
        return np.round(value, 3)
    return _three_digits(value)


def _three_digits(value: Floats) -> Floats:
    """Three significant digits, at most eight decimals; under a millionth is 0."""
    rounded = np.round(value, 3)
    for decimals in range(4, 9):
        small = value < 10.0 ** (3 - decimals)
        rounded[small] = np.round(value[small], decimals)
    rounded[value < 1e-6] = 0.0
    return rounded


def _tonality(
    figures: Figures, genre: NDArray[np.int64], random: np.random.Generator
) -> Mapping[str, NDArray[np.object_]]:
    """Key, mode and time signature (N,) each; the key depends on the mode alone."""
    minor = random.random(len(genre)) >= figures.major_share[genre]
    key = _chosen(figures.key_given_mode[minor.astype(np.int64)], random)
    signature = _chosen(figures.time_signature_share[genre], random)
    return {
        "key": np.array(figures.keys, dtype=object)[key],
        "mode": np.where(minor, "Minor", "Major").astype(object),
        "time_signature": np.array(figures.time_signatures, dtype=object)[signature],
    }


def _chosen(share: Floats, random: np.random.Generator) -> NDArray[np.int64]:
    """One index (N,) per row of `share` (N, K), with the chances of that row."""
    bounds = np.cumsum(share, axis=1)[:, :-1]
    below = random.random(len(share))[:, None] >= bounds
    return np.asarray(below.sum(axis=1), dtype=np.int64)


def _ids(count: int, random: np.random.Generator) -> NDArray[np.object_]:
    """Track ids (N,) of 22 base-62 characters: 131 random bits, so none comes twice."""
    digits = _BASE_62[random.integers(0, len(_BASE_62), (count, _ID_LENGTH))]
    return digits.view(f"S{_ID_LENGTH}").ravel().astype(f"U{_ID_LENGTH}").astype(object)
