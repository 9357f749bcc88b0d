"""Where a song can start: over again, from a known song, from one at random, from one like it."""

import random
from collections.abc import Mapping
from typing import Any

import streamlit as st

from chartbuster.errors import ChartBusterError, NotFound, TryAgain
from chartbuster.known_songs import KnownSong
from chartbuster.learn.library import Library
from chartbuster.songs import ARTIST_SEPARATOR
from webapp import words
from webapp.predict import form, visit
from webapp.serving import Serving
from webapp.states import Shown

_FOUND, _ALIKE = 8, 5


def library(serving: Serving, shown: Shown) -> Library | str:
    """The songs of the run, or a sentence saying why there are none."""
    try:
        return serving.library(shown)
    except NotFound:
        return "This run was made before runs kept their songs. Put the data in again to have them."
    except TryAgain:
        return "The store does not answer, and the songs of this run are not loaded yet."
    except ChartBusterError:
        return "The songs of this run are damaged. Put the data in again to have them."


def buttons(shown: Shown, songs: Library | str) -> None:
    """What else to start from than the usual."""
    lacking = isinstance(songs, str)
    sought = st.button(
        "Known song",
        icon=":material/search:",
        disabled=lacking,
        help="Search by title and artist.",
    )
    if sought and not isinstance(songs, str):
        _search(shown, songs)
    st.button(
        "Random song",
        icon=":material/shuffle:",
        on_click=_at_random,
        args=(shown, songs),
        disabled=lacking,
        help="One of the dataset's songs, with the popularity it really has.",
    )
    st.button(
        "Start over",
        icon=":material/restart_alt:",
        on_click=visit.start_over,
        disabled=not visit.touched().keys() - {form.GENRE},
        help="Every control goes back to what is usual for the genre.",
    )


def origin(shown: Shown) -> None:
    """What the controls started from, in a sentence."""
    known = visit.started(shown.dataset)
    if known is None:
        st.caption(
            "Everything starts at what is usual for the genre. Choose another genre, and what you "
            "have not moved yourself goes along."
        )
    else:
        st.caption(
            f"Started from **{words.plain(known.name)}**, whose popularity really is "
            f"{known.popularity:.0f}. What you move from here is yours."
        )


def alike(shown: Shown, songs: Library | str, song: Mapping[str, Any]) -> None:
    """The known songs that are most like `song`, each of which one can start from."""
    st.header("Known songs like it", anchor=False)
    if isinstance(songs, str):
        st.caption(songs)
        return
    known = visit.started(shown.dataset)
    near = songs.nearest(song, most=_ALIKE, without=known.song_id if known else None)
    st.caption("Choose one to start from it. The number is the popularity it really has.")
    with st.container(key="neighbours", gap="small"):
        for place, neighbour in enumerate(near):
            st.button(
                _told(neighbour.song),
                key=f"alike {place}",
                on_click=visit.start_from,
                args=(shown, neighbour.song),
                width="stretch",
            )


@st.dialog("Start from a known song")
def _search(shown: Shown, songs: Library) -> None:
    text = st.text_input(
        "Title, artist, or some of both", key="sought", type="search", live=True, max_chars=100
    )
    found = songs.search(text or "", most=_FOUND)
    with st.container(key="found", gap="small"):
        # Chosen in a callback, so that the page behind the dialog is drawn with the song.
        chosen = [
            st.button(
                _told(known),
                key=f"found {place}",
                on_click=visit.start_from,
                args=(shown, known),
                width="stretch",
            )
            for place, known in enumerate(found)
        ]
    if any(chosen):
        st.rerun()
    if not (text or "").strip():
        st.caption(f"{len(songs):,} songs of {words.plain(shown.dataset)} are searched.")
    elif not found:
        st.caption("No song of this dataset has all of these words in its title or artist.")


def _told(known: KnownSong) -> str:
    """A known song as a button's label, its popularity first."""
    artist = words.plain((known.artist or "").replace(ARTIST_SEPARATOR, ", "))
    about = [words.plain(known.title or known.song_id), artist, str(known.release_year or "")]
    return f"**{known.popularity:.0f}** {' · '.join(part for part in about if part)}"


def _at_random(shown: Shown, songs: Library) -> None:
    # Anybody may know which song comes next: it is for fun.
    visit.start_from(shown, songs.drawn(random.Random()))  # noqa: S311
