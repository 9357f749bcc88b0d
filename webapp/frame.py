"""What every page has around its own part: its head, the choice of a dataset, the live follow."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import streamlit as st

from chartbuster import wording
from webapp import edges, pictures, signin, waiting
from webapp.serving import Serving
from webapp.states import Broken, Showing, Shown, State

_STYLE = Path(__file__).with_name("style.css")
_POLL = 2.0


@cache
def _style() -> str:
    own = _STYLE.read_text(encoding="utf-8")
    return f"<style>{pictures.colours()}\n{own}</style>"


def opening(title: str, lead: str) -> None:
    """The page's only first heading and one sentence below it (Markdown), and the app's style.

    Where people sign in, this is where they do.
    """
    st.session_state["page before"] = st.session_state.get("page")
    st.session_state["page"] = title
    st.html(_style())
    st.title(title, anchor=False)
    st.markdown(lead)
    signin.control(edges.edges().operators)


def just_entered() -> bool:
    """Whether the visitor came to this page from another one, or is new."""
    return bool(st.session_state["page before"] != st.session_state["page"])


def of_champions(serving: Serving, title: str, lead: str, body: Callable[[Showing], None]) -> None:
    """A page that needs a champion: `body` where there is one, else what is happening instead."""
    opening(title, lead)
    state = serving.state
    if isinstance(state, Showing):
        asleep(state)
        body(state)
    else:
        waiting.show(state)
    follow(serving, state)


def asleep(state: Showing) -> None:
    """A warning while the store does not answer."""
    if state.asleep:
        st.warning(
            "The store does not answer at the moment. Models that are loaded go on working; a new "
            "champion will show once it answers again.",
            icon=":material/hourglass_top:",
        )


@st.fragment(run_every=_POLL)
def follow(serving: Serving, seen: State) -> None:
    """Draw the page again when the store holds something else than the page shows."""
    if serving.state is not seen:
        st.rerun()


def dataset(state: Showing) -> Shown | Broken:
    """The dataset the visitor chose, on this page or another; the active one at first."""
    by_name = {found.dataset: found for found in state.datasets}
    return by_name[one_of(list(by_name))]


def one_of(datasets: Sequence[str]) -> str:
    """The dataset of these that the visitor chose, on this page or another; else the first."""
    if len(datasets) == 1:
        return datasets[0]
    before = st.session_state.get("dataset")
    chosen = before if isinstance(before, str) and before in datasets else datasets[0]
    # Streamlit forgets a widget's value with its page; what was chosen is kept beside it.
    st.session_state["dataset choice"] = chosen
    st.selectbox(
        "Dataset",
        datasets,
        key="dataset choice",
        format_func=named,
        on_change=_choose,
        width=260,
    )
    return chosen


def named(dataset: str) -> str:
    """A dataset's name, with what has to be said of it."""
    return f"{dataset} (synthetic)" if wording.is_synthetic(dataset) else dataset


def plot(drawn: str) -> None:
    """A plot of `chartbuster.plots`, in the colours of the theme that is on."""
    st.html(pictures.pictured(drawn))


def _choose() -> None:
    st.session_state["dataset"] = st.session_state["dataset choice"]
