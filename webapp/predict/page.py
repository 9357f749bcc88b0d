"""The page Predict: set a song's attributes and see how popular it would be, as you drag."""

from pathlib import Path

import streamlit as st

from chartbuster import wording
from chartbuster.errors import ChartBusterError
from webapp import frame, waiting, words
from webapp.edges import Edges
from webapp.predict import controls, link, result, start, visit
from webapp.serving import Serving
from webapp.states import Broken, Showing, Shown

_STYLE = Path(__file__).with_name("style.css")


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.of_champions(
        edges.serving,
        "ChartBuster",
        "Describe a song and see how popular it would be: Spotify's own figure, from 0 for what is "
        "hardly played to 100 for what is played most.",
        lambda state: _datasets(edges.serving, state),
    )


def _datasets(serving: Serving, state: Showing) -> None:
    st.html(_STYLE)
    link.opened(serving, state)
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
    """All of it in one fragment, so that a slider moves everything at once."""
    with st.container(key="predict"):
        with st.container(key="outcome"):
            number, says = st.container(key="result"), st.container(key="says")
        song, curves, alike, about = (
            st.container(key=key) for key in ("song", "whatif", "alike", "about")
        )
    with song:
        st.header("The song", anchor=False)
        choices = st.container(horizontal=True, vertical_alignment="bottom")
        with choices:
            found = frame.dataset(state)
        if isinstance(found, Broken):
            with number:
                waiting.broken(found)
            return
        shown = _of_the_run_asked(serving, found)
        visit.draw(shown)
        with choices:
            genres = controls.genres(shown)
        starts = st.container(horizontal=True, gap="small", vertical_alignment="center")
        start.origin(shown)
        asked = controls.attributes(shown, genres)
    with about:
        _announce(found)
        model = _model(shown)
        _provenance(shown, model)
    with number:
        study = result.number(serving, shown, model, asked)
    if study is not None:
        with says:
            result.why(serving, shown, model, asked, study)
        with curves:
            result.what_if(study)
    # Last, because the songs of a dataset nobody has looked at yet take a moment to read.
    songs = start.library(serving, shown)
    with starts:
        start.buttons(shown, songs)
        link.offered(shown, model, genres)
    if study is not None:
        with alike:
            start.alike(shown, songs, asked)


def _of_the_run_asked(serving: Serving, found: Shown) -> Shown:
    """What a link asked for instead of the champion's run, with a way back to the champion."""
    run_id = visit.pinned(found.dataset)
    if run_id is None:
        return found
    try:
        shown = serving.run(found.dataset, run_id)
    except ChartBusterError:
        visit.pin(found.dataset, None)
        return found
    if shown.reigns:
        return found
    st.info(
        f"This is run {words.plain(shown.run.run_id)} of "
        f"{wording.moment(shown.run.created)}, which the link asked for. The champion of "
        f"{words.plain(found.dataset)} is of run {words.plain(found.run.run_id)}.",
        icon=":material/history:",
    )
    st.button(
        "Go to the champion",
        icon=":material/trophy:",
        on_click=visit.pin,
        args=(found.dataset, None),
    )
    return shown


def _model(shown: Shown) -> str:
    """The model asked: the champion, else the run's best, unless the visitor wants another."""
    run = shown.run
    entries = {entry.name: entry for entry in run.models}
    names = sorted(entries, key=lambda name: entries[name].deciding_mae)

    def titled(name: str) -> str:
        badge = " :green-badge[champion]" if shown.champion.is_model(run.run_id, name) else ""
        return words.plain(entries[name].title) + badge

    st.header("The model", anchor=False)
    return (
        st.radio(
            "Which model to ask, and how far off it usually is",
            names,
            index=names.index(shown.model),
            key=visit.model_key(shown),
            format_func=titled,
            captions=[words.model_caption(entries[name]) for name in names],
        )
        or shown.model
    )


def _provenance(shown: Shown, model: str) -> None:
    run = shown.run
    st.header("Where this comes from", anchor=False)
    if wording.is_synthetic(shown.dataset):
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
