"""The page Predict: set a song's attributes and see how popular it would be, as you drag."""

from pathlib import Path

import streamlit as st

from chartbuster import wording
from webapp import frame, waiting, words
from webapp.edges import Edges
from webapp.predict import controls, result
from webapp.serving import Serving
from webapp.states import Broken, Showing, Shown

_STYLE = Path(__file__).with_name("style.css")


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.of_champions(
        edges.serving,
        "ChartBuster",
        "Describe a song and see how popular it would be, from 0 to 100.",
        lambda state: _datasets(edges.serving, state),
    )


def _datasets(serving: Serving, state: Showing) -> None:
    st.html(_STYLE)
    match state.datasets:
        case (Broken() as only,):
            with waiting.card():
                waiting.broken(only)
        case _:
            _song_and_result(serving, state)


def _announce(shown: Shown) -> None:
    """Say so when the champion changed under the visitor's hands."""
    said = st.session_state.setdefault("champions", {})
    crowned = (shown.run.run_id, shown.champion.model)
    if said.setdefault(shown.dataset, crowned) != crowned:
        said[shown.dataset] = crowned
        title = words.plain(shown.run.model(shown.champion.model).title)
        st.toast(f"A new champion: {title} of run {shown.run.run_id}.", icon=":material/trophy:")


@st.fragment
def _song_and_result(serving: Serving, state: Showing) -> None:
    """The result first, because a narrow screen shows things in this order."""
    with st.container(key="predict"):
        number, says, song, about = (
            st.container(key=key) for key in ("result", "says", "song", "about")
        )
    with song:
        st.header("The song", anchor=False)
        row = st.container(horizontal=True, vertical_alignment="bottom")
        with row:
            found = frame.dataset(state)
        if isinstance(found, Broken):
            with number:
                waiting.broken(found)
            return
        asked = controls.song(found, row)
    with about:
        _announce(found)
        model = _model(found)
        _provenance(found, model)
    with number:
        prediction = result.number(serving, found, model, asked)
    with says:
        if prediction is not None:
            result.comparison(found, model, asked, prediction)


def _model(shown: Shown) -> str:
    """The model asked, the champion unless the visitor wants another of its run."""
    champion = shown.champion.model
    entries = {entry.name: entry for entry in shown.run.models}
    names = sorted(entries, key=lambda name: entries[name].deciding_mae)
    st.header("The model", anchor=False)
    return (
        st.radio(
            "Which model to ask, and how far off it usually is",
            names,
            index=names.index(champion),
            key=result.model_key(shown),
            format_func=lambda name: (
                words.plain(entries[name].title)
                + (" :green-badge[champion]" if name == champion else "")
            ),
            captions=[words.model_caption(entries[name]) for name in names],
        )
        or champion
    )


def _provenance(shown: Shown, model: str) -> None:
    run = shown.run
    st.header("Where this comes from", anchor=False)
    if shown.dataset == wording.SYNTHETIC:
        st.info(
            "These songs are **synthetic**: invented, with the statistics of published figures. "
            "Bring your own with `make demo DATA=your.csv`.",
            icon=":material/science:",
        )
    st.markdown(
        f"**Dataset** {words.plain(shown.dataset)}, {wording.learnt_from(run)}  \n"
        f"**Model** {words.plain(run.model(model).title)}  \n"
        f"**Run** {words.plain(run.run_id)}, {wording.moment(run.created)}  \n"
        f"**Champion since** {wording.moment(shown.champion.since)}"
    )
