"""The links of the page: one to what it shows, read and offered, and one to compare it."""

from collections.abc import Sequence

import streamlit as st

from chartbuster.errors import ChartBusterError, InvalidName, NotFound
from chartbuster.known_songs import KnownSong
from webapp import links, words
from webapp.predict import form, visit
from webapp.serving import Serving
from webapp.states import Broken, Showing, Shown

_READ = "link read"


def opened(serving: Serving, state: Showing) -> None:
    """Set everything the address says, once for each address; say what could not be set."""
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    if given == st.session_state.get(_READ, {}):
        return
    st.session_state[_READ] = given
    if not given:
        return
    read = links.read(given)
    left_out = [*read.left_out, *_set(serving, state, read.value)]
    if left_out:
        st.warning(
            "This link could not be followed in full. "
            + " ".join(words.plain(sentence) for sentence in left_out),
            icon=":material/link_off:",
        )


def offered(shown: Shown, model: str, song_genres: Sequence[str]) -> None:
    """The link to this song, dataset, run and model, to be copied; and the way to Compare."""
    known = visit.started(shown.dataset)
    asked = links.Asked(
        dataset=shown.dataset,
        run=shown.run.run_id,
        model=model,
        song={**visit.touched(), form.GENRE: list(song_genres)},
        known=known.song_id if known else None,
    )
    here = (st.context.url or "").partition("?")[0]
    # What a popover holds is not drawn before it is opened, so a link costs nothing as one drags.
    with st.popover("Link", icon=":material/link:", help="Share this song"):
        st.markdown("Opens this page with this song, dataset, run and model.")
        st.code(links.address(here, links.parameters(asked)), language=None, wrap_lines=True)
    st.page_link(
        "entries/compare.py",
        label="Compare variants",
        icon=":material/compare_arrows:",
        query_params=links.begun(asked),
    )


def _set(serving: Serving, state: Showing, asked: links.Asked) -> Sequence[str]:
    """Set what `asked` says; sentences about what there is not."""
    found = {each.dataset: each for each in state.datasets}
    shown = found.get(asked.dataset or state.datasets[0].dataset)
    if shown is None:
        return [f"There is no dataset “{asked.dataset}” here."]
    st.session_state["dataset"] = shown.dataset
    if isinstance(shown, Broken):
        return []
    said: list[str] = []
    visit.pin(shown.dataset, None)
    if asked.run and asked.run != shown.run.run_id:
        try:
            shown = serving.run(shown.dataset, asked.run)
        except (InvalidName, NotFound):
            said.append(f"There is no run “{asked.run}” of it; this is the champion's.")
        except ChartBusterError:
            said.append(f"The run “{asked.run}” cannot be read; this is the champion's.")
        else:
            visit.pin(shown.dataset, asked.run)
    fitting = links.fitting(asked, shown.run)
    song, model = fitting.value.song, fitting.value.model
    visit.start_with(song, shown.dataset, _known(serving, shown, asked.known, said))
    if model:
        st.session_state[visit.model_key(shown)] = model
    return [*said, *fitting.left_out]


def _known(
    serving: Serving, shown: Shown, song_id: str | None, said: list[str]
) -> KnownSong | None:
    """The known song the link started from, as far as there is one."""
    if song_id is None:
        return None
    try:
        return serving.library(shown).song(song_id)
    except ChartBusterError:
        said.append("The known song it started from is not in this run's catalogue.")
        return None
