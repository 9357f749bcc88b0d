"""Which songs test a model: five folds that stay the same on every machine and in every run.

An unsalted hash decides, so challengers and champions of a dataset meet on the same songs, and a
song that arrives later changes nobody else's fold.
"""

import hashlib

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.identity import normalised
from chartbuster.learn.recipes import FOLDS
from chartbuster.songs import lead_artist

type Fold = NDArray[np.int64]


def fold_of(identity: str) -> int:
    """The fold, 0 to 4, of whatever `identity` names."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8]) % FOLDS


def grouped_under(artist: str) -> str:
    """The name a song's artist is grouped under: the lead artist, as `normalised` spells it.

    So a song with a guest is not new to those who know its host.
    """
    return normalised(lead_artist(artist))


def song_folds(songs: pd.DataFrame) -> Fold:
    """The fold of each song by its id: tests what is known of artists who have a record."""
    return np.array([fold_of(f"song {song}") for song in songs["song_id"]], dtype=np.int64)


def artist_folds(songs: pd.DataFrame) -> Fold | None:
    """The fold of each song by its artist, or None where no song names one.

    No artist is on both sides of a split; a song without an artist goes by its own id.
    """
    names = songs["artist"].astype(object)
    known = names.notna() & (names.astype(str).str.strip() != "")
    if not known.any():
        return None
    folds = song_folds(songs)
    group = {name: fold_of(f"artist {grouped_under(name)}") for name in names[known].unique()}
    folds[known.to_numpy()] = names[known].map(group).to_numpy(dtype=np.int64)
    return folds


def count_artists(songs: pd.DataFrame) -> int:
    """How many different artists, as the folds tell them apart; 0 where no song names one."""
    names = songs["artist"].dropna()
    return len({grouped_under(str(name)) for name in names.unique() if str(name).strip()})
