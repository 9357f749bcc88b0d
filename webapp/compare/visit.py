"""What the visitor compares, kept in the session and said by the address of the page."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from chartbuster.errors import ChartBusterError
from webapp import frame, links
from webapp.compare import lineup
from webapp.compare.lineup import Lineup
from webapp.links import Comparison
from webapp.serving import Serving
from webapp.states import Showing, Shown

# What is compared: a `Comparison` as a link says it, until it has met its run, then a `Lineup`.
_COMPARED = "compared"
_WRITTEN, _LEFT_OUT, _HELD = "compared link", "compared without", "compared address held"


def follow_address(state: Showing) -> None:
    """Read the address where it says something else than was written there last.

    So a link is followed, and the browser's way back undoes what was changed. It is to be called
    outside of fragments: within one the browser may still say what was true a moment ago.
    """
    given = _address()
    if not given and frame.just_entered():
        # Whatever was written is the address of an earlier visit to the page.
        st.session_state.pop(_WRITTEN, None)
    if not given or given == st.session_state.get(_WRITTEN):
        return
    read = links.read_comparison(given)
    st.session_state[_WRITTEN] = given
    st.session_state[_COMPARED] = read.value
    left_out = list(read.left_out)
    if read.value.dataset in {found.dataset for found in state.datasets}:
        st.session_state["dataset"] = read.value.dataset
    elif read.value.dataset:
        left_out.append(f"There is no dataset “{read.value.dataset}” here.")
    st.session_state[_LEFT_OUT] = left_out


def asked_run(serving: Serving, shown: Shown) -> Shown:
    """The run that is compared in: the one of the link, else that of the champion."""
    kept = st.session_state.get(_COMPARED)
    match kept:
        case Lineup(dataset=shown.dataset, run_id=run_id):
            wanted: str | None = run_id
        case Comparison(dataset=dataset, run=run_id) if dataset in (None, shown.dataset):
            wanted = run_id
        case _:
            wanted = None
    if wanted is None or wanted == shown.run.run_id:
        return shown
    try:
        return serving.run(shown.dataset, wanted)
    except ChartBusterError:
        _leave_out(f"The run “{wanted}” cannot be read; this asks the champion's run instead.")
        return shown


def current(shown: Shown) -> Lineup:
    """What is compared, as far as the run of `shown` knows it."""
    kept = st.session_state.get(_COMPARED)
    if isinstance(kept, Lineup) and (kept.dataset, kept.run_id) == (
        shown.dataset,
        shown.run.run_id,
    ):
        return kept
    before = kept.comparison if isinstance(kept, Lineup) else kept
    read = lineup.opened(before or Comparison(), shown)
    for sentence in read.left_out:
        _leave_out(sentence)
    varied = [
        name
        for name in (kept.varied if isinstance(kept, Lineup) else ())
        if name in lineup.variable(shown.run)
    ]
    keep(replace(read.value, varied=tuple(varied)) if varied else read.value)
    return now()


def now() -> Lineup:
    """What is compared now; a page has called `current` before."""
    kept = st.session_state[_COMPARED]
    if not isinstance(kept, Lineup):
        raise TypeError(f"compared is {kept!r}; expected a line-up")
    return kept


def keep(compared: Lineup) -> None:
    """Compare this from now on."""
    st.session_state[_COMPARED] = compared


def change(how: Callable[[Lineup], Lineup]) -> None:
    """Compare what `how` makes of what is compared now; what a link lacked is settled with that."""
    keep(how(now()))
    st.session_state[_LEFT_OUT] = []


def use_champion(shown: Shown) -> None:
    """Ask the run of `shown` from now on, of every variant the model of the same name."""
    keep(replace(lineup.opened(now().comparison, shown).value, varied=now().varied))


def parameters(compared: Lineup) -> links.Parameters:
    """What the address has to say."""
    return links.comparison(compared.comparison)


def hold_address() -> None:
    """Do not write the address while the whole page is drawn.

    The browser may be on its way from one page to another, or back: Streamlit would write the
    address of this page over that of the other, and lead there with it later.
    """
    st.session_state[_HELD] = True


def release_address() -> bool:
    """Let the address be written again; whether it was held until now."""
    return bool(st.session_state.pop(_HELD, False))


def write_address() -> None:
    """Let the address say what is compared, if anything is, unless it is held.

    What was written already is not written again: whoever went back from it is on the way out.
    """
    kept = st.session_state.get(_COMPARED)
    if _HELD in st.session_state or not isinstance(kept, Lineup):
        return
    said = dict(parameters(kept))
    if said == st.session_state.get(_WRITTEN):
        return
    st.session_state[_WRITTEN] = said
    if said != _address():
        st.query_params.from_dict(said)


def left_out() -> list[str]:
    """Sentences about what a link said and this page cannot show."""
    found: list[str] = st.session_state.get(_LEFT_OUT, [])
    return found


def _address() -> dict[str, list[str]]:
    return {name: list(st.query_params.get_all(name)) for name in st.query_params}


def _leave_out(sentence: str) -> None:
    if sentence not in left_out():
        st.session_state[_LEFT_OUT] = [*left_out(), sentence]
