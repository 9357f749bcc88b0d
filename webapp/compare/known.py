"""A known song as one more variant, found by title and artist."""

import streamlit as st

from chartbuster.known_songs import KnownSong
from webapp import links, words
from webapp.compare import lineup, visit
from webapp.compare.lineup import Lineup
from webapp.links import Asked
from webapp.predict import start
from webapp.serving import Serving
from webapp.states import Shown

_MOST = 8


def offered(serving: Serving, shown: Shown, compared: Lineup) -> None:
    """A button that opens the search, while there is room for one more."""
    if st.button(
        "Add a known song",
        icon=":material/search:",
        disabled=len(compared.variants) >= lineup.MOST,
        help=f"Search by title and artist; there are {lineup.MOST} variants at most.",
    ):
        _search(serving, shown)


@st.dialog("Add a known song")
def _search(serving: Serving, shown: Shown) -> None:
    songs = start.library(serving, shown)
    if isinstance(songs, str):
        st.markdown(songs)
        return
    text = st.text_input(
        "Title, artist, or some of both",
        key="compare sought",
        type="search",
        live=True,
        max_chars=100,
    )
    sought = (text or "").strip()
    if not sought:
        st.caption(f"{len(songs):,} songs of {words.plain(shown.dataset)} are searched.")
        return
    found = songs.search(sought, most=_MOST)
    if not found:
        st.caption("No song of this dataset has all of these words in its title or artist.")
    for place, known in enumerate(found):
        if st.button(
            f"{words.plain(known.name)}: {known.popularity:.0f}",
            key=f"compare found {place}",
            on_click=_add,
            args=(shown, known),
            width="stretch",
        ):
            st.rerun()


def _add(shown: Shown, known: KnownSong) -> None:
    asked = Asked(model=lineup.usual_model(shown), song=known.asked, known=known.song_id)
    # As a link would say it, so that whoever follows it sees the same.
    said = links.read(links.parameters(asked)).value
    fitting = links.fitting(said, shown.run).value
    visit.change(lambda compared: compared.with_one(fitting))
