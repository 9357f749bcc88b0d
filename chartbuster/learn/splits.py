"""Which songs fit, calibrate and test a model: five folds, the same on every machine, in every run.

An unsalted hash decides, so challengers and champions of a dataset meet on the same songs, and a
song that arrives later changes nobody else's place.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.identity import normalised
from chartbuster.learn.recipes import FOLDS
from chartbuster.songs import lead_artist

type Fold = NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """The place of each song; songs of one group, an artist or one song alone, share theirs.

    `folds` are 0 to 4. `draws`, from 0 up to 1, part a fold's songs further: the lowest of them
    calibrate. `groups` numbers the group of each song from 0; groups are what a bootstrap draws.
    """

    folds: Fold
    draws: NDArray[np.float64]
    groups: NDArray[np.int64]


def fold_of(identity: str) -> int:
    """The fold, 0 to 4, of whatever `identity` names."""
    return _place(identity)[0]


def _place(identity: str) -> tuple[int, float]:
    digest = hashlib.sha256(identity.encode()).digest()
    return int.from_bytes(digest[:8]) % FOLDS, int.from_bytes(digest[8:14]) / 2**48


def grouped_under(artist: str) -> str:
    """The name a song's artist is grouped under: the lead artist, as `normalised` spells it.

    So a song with a guest is not new to those who know its host.
    """
    return normalised(lead_artist(artist))


def by_song(songs: pd.DataFrame) -> Places:
    """Every song by its id: tests what is known of artists who have a record."""
    return _places([f"song {song}" for song in songs["song_id"]])


def by_artist(songs: pd.DataFrame) -> Places | None:
    """Every song by its artist, or None where no song names one.

    No artist is on both sides of a split; a song without an artist goes by its own id.
    """
    names = songs["artist"].astype(object)
    known = (names.notna() & (names.astype(str).str.strip() != "")).to_numpy()
    if not known.any():
        return None
    spelt = {name: f"artist {grouped_under(name)}" for name in names[known].unique()}
    alone = songs["song_id"].to_numpy()
    return _places(
        [
            spelt[name] if named else f"song {song}"
            for name, named, song in zip(names, known, alone, strict=True)
        ]
    )


def _places(identities: list[str]) -> Places:
    groups, different = pd.factorize(np.array(identities, dtype=object))
    places = [_place(identity) for identity in different]
    folds = np.array([fold for fold, _ in places], dtype=np.int64)
    draws = np.array([draw for _, draw in places], dtype=np.float64)
    return Places(folds[groups], draws[groups], groups.astype(np.int64))


def count_artists(songs: pd.DataFrame) -> int:
    """How many different artists, as the folds tell them apart; 0 where no song names one."""
    names = songs["artist"].dropna()
    return len({grouped_under(str(name)) for name in names.unique() if str(name).strip()})
