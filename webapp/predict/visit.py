"""What the visitor has set so far, kept in the session: it outlives controls, pages and runs."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from chartbuster.known_songs import KnownSong
from webapp.predict import form
from webapp.states import Shown

_TOUCHED, _STARTED, _RUN, _DRAWN = "touched", "started from", "run", "drawn run"


def touched() -> dict[str, Any]:
    """What was set by the visitor, by attribute; everything else is what is usual."""
    found: dict[str, Any] = st.session_state.setdefault(_TOUCHED, {})
    return found


def draw(shown: Shown) -> None:
    """From now on, the controls the visitor sees are those of this run."""
    st.session_state[_DRAWN] = shown.run.run_id


def is_drawn(run_id: str) -> bool:
    """Whether the visitor sees the controls of this run.

    After another dataset was chosen, the browser goes on to tell of the controls that are gone, as
    if they had just been set.
    """
    return bool(st.session_state.get(_DRAWN) == run_id)


def touch(name: str, key: str, run_id: str) -> None:
    """Keep what the control `key` of the run `run_id` was set to, while it is on the page."""
    if is_drawn(run_id):
        touched()[name] = st.session_state[key]


def started(dataset: str) -> KnownSong | None:
    """The known song of `dataset` the visitor started from, if any."""
    where, song = st.session_state.get(_STARTED, (None, None))
    return song if where == dataset else None


def start_over() -> None:
    """Forget everything but the genre."""
    kept = {name: value for name, value in touched().items() if name == form.GENRE}
    st.session_state[_TOUCHED] = kept
    st.session_state.pop(_STARTED, None)


def start_from(shown: Shown, known: KnownSong) -> None:
    """Set every control to a known song; what it does not say becomes usual for its genre."""
    start_with(form.differing(shown.run, known.asked), shown.dataset, known)


def start_with(song: Mapping[str, Any], dataset: str, known: KnownSong | None) -> None:
    """Set what `song` says and nothing else, as somebody did who started from `known`."""
    st.session_state[_TOUCHED] = dict(song)
    st.session_state[_STARTED] = (dataset, known)


def change(changes: Mapping[str, Any]) -> None:
    """Set some attributes and leave the others."""
    touched().update(changes)


def pinned(dataset: str) -> str | None:
    """The run to show of `dataset` instead of its champion's, if a link asked for one."""
    runs: Mapping[str, str] = st.session_state.get(_RUN, {})
    return runs.get(dataset)


def pin(dataset: str, run_id: str | None) -> None:
    """Show the run `run_id` of `dataset`; with None, its champion's again."""
    runs = {**st.session_state.get(_RUN, {}), dataset: run_id}
    st.session_state[_RUN] = {name: run for name, run in runs.items() if run is not None}


def model_key(shown: Shown) -> str:
    """The name under which the visitor's choice of model is kept; a new champion is a new one."""
    return f"model {shown.run.run_id} {shown.champion.model}"
