"""A song that a run learnt from, as the app finds it again: by search, by likeness, by chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster.songs import ARTIST_SEPARATOR


@dataclass(frozen=True)
class KnownSong:
    """One song of a run's catalogue.

    `popularity` is its real one, 0 to 100. `genres` and `attributes` are those the run's models
    know: numbers for audio attributes in their units, text for key, mode and time signature. What
    the data did not say of the song is None, or missing from `attributes`.
    """

    song_id: str
    artist: str | None
    title: str | None
    release_year: int | None
    popularity: float
    genres: tuple[str, ...]
    attributes: Mapping[str, float | str]

    @property
    def name(self) -> str:
        """As people call it: `Artist – Title`, or what there is of it; its id if nothing is."""
        artist = (self.artist or "").replace(ARTIST_SEPARATOR, ", ")
        return " – ".join(part for part in (artist, self.title) if part) or self.song_id

    @property
    def asked(self) -> dict[str, Any]:
        """The song as somebody would describe it for `chartbuster.scoring`; no popularity in it."""
        song: dict[str, Any] = dict(self.attributes)
        if self.genres:
            song["genre"] = list(self.genres)
        said = {"release_year": self.release_year, "artist": self.artist, "title": self.title}
        return song | {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Neighbour:
    """A known song and how far it is from another; 0 is the same in everything but the name.

    `chartbuster.learn.library` says what a distance of 1 is.
    """

    song: KnownSong
    distance: float
