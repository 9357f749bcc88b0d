"""The page Compare: variants of a song side by side, what they differ in and what it does."""

from pathlib import Path

import streamlit as st

from chartbuster import wording
from webapp import frame, links, waiting, words
from webapp.compare import controls, known, lineup, result, visit
from webapp.compare.differences import Answered
from webapp.compare.lineup import LETTERS, Lineup
from webapp.edges import Edges
from webapp.serving import Serving
from webapp.states import Broken, Showing, Shown

_FEW = 3
# Not in step with `frame.follow`, or each would lose its turn to the other now and then.
_SOON = 1.3
_STYLE = Path(__file__).with_name("style.css")


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.of_champions(
        edges.serving,
        "Compare",
        "Change a song in one or two places and see what it does, side by side.",
        lambda state: _opened(edges.serving, state),
    )


def _opened(serving: Serving, state: Showing) -> None:
    st.html(_STYLE)
    visit.follow_address(state)
    visit.hold_address()
    _compared(serving, state)
    _settled()


@st.fragment(run_every=_SOON)
def _settled() -> None:
    """The address, a moment after the whole page was drawn."""
    if not visit.release_address():
        visit.write_address()


@st.fragment
def _compared(serving: Serving, state: Showing) -> None:
    """All of it in one fragment, the result before the controls it comes from."""
    found = frame.dataset(state)
    if isinstance(found, Broken):
        with waiting.card():
            waiting.broken(found)
        return
    shown = visit.asked_run(serving, found)
    compared = visit.current(shown)
    _notes(found, shown)
    answers = result.answers(serving, shown, compared)
    answered = [one for one in answers.values() if isinstance(one, Answered)]
    names = _names(shown, compared, answers)
    st.header("Side by side", anchor=False)
    if answered:
        with st.container(key="compare-result"):
            result.side_by_side(shown, answered, names)
    else:
        st.warning("No variant could be scored; each says below why.", icon=":material/warning:")
    _variants(serving, shown, compared, answers, names)
    if len(answered) > 1:
        # Beside one another there is room for tables of few columns only.
        with st.container(key="compare-why" if len(answered) <= _FEW else "compare-whole"):
            with st.container():
                result.differing(shown, answered)
            with st.container():
                result.reasons(answered)
    _link(compared)
    _provenance(shown)


def _notes(champions: Shown, shown: Shown) -> None:
    """What a link said in vain, and that its run is not the champion's any more."""
    left_out = visit.left_out()
    if left_out:
        st.warning(
            "This link could not be followed in full. "
            + " ".join(words.plain(sentence) for sentence in left_out),
            icon=":material/link_off:",
        )
    if champions.run.run_id != shown.run.run_id:
        st.info(
            f"This comparison asks run {words.plain(shown.run.run_id)}; the champion belongs to "
            f"run {words.plain(champions.run.run_id)}.",
            icon=":material/history:",
        )
        st.button("Ask the champion's run", on_click=visit.use_champion, args=(champions,))


def _names(
    shown: Shown, compared: Lineup, answers: dict[int, Answered | result.Failed]
) -> dict[int, str]:
    first = next((one for one in answers.values() if isinstance(one, Answered)), None)
    return {
        variant.number: result.named(shown, first, answers[variant.number], variant)
        for variant in compared.variants
    }


def _variants(
    serving: Serving,
    shown: Shown,
    compared: Lineup,
    answers: dict[int, Answered | result.Failed],
    names: dict[int, str],
) -> None:
    st.header("The variants", anchor=False)
    controls.varied(shown, compared)
    first = next((one for one in answers.values() if isinstance(one, Answered)), None)
    grid = st.grid(min(len(compared.variants), 4), min_column_width=250)
    for letter, variant in zip(LETTERS, compared.variants, strict=False):
        with grid.cell(), st.container(border=True, height="stretch", gap="xsmall"):
            st.subheader(f"{letter}: {words.plain(names[variant.number])}", anchor=False)
            answer = answers[variant.number]
            if isinstance(answer, Answered):
                result.number(answer, first)
            else:
                st.warning(answer.why, icon=":material/warning:")
            result.origin(serving, shown, variant)
            controls.attributes(shown, compared, variant, letter)
            controls.actions(compared, variant, letter)
    known.offered(serving, shown, compared)


def _link(compared: Lineup) -> None:
    visit.write_address()
    st.header("This comparison as a link", anchor=False)
    st.markdown("It opens this page with these variants, this dataset, run and models.")
    here = (st.context.url or "").partition("?")[0]
    with st.expander("Show the link"):
        st.code(links.address(here, visit.parameters(compared)), language=None, wrap_lines=True)


def _provenance(shown: Shown) -> None:
    run = shown.run
    st.header("Where this comes from", anchor=False)
    if wording.is_synthetic(shown.dataset):
        st.info(
            "These songs are **synthetic**: invented, with the statistics of published figures. "
            "Bring your own with `make demo DATA=your.csv`.",
            icon=":material/science:",
        )
    asked = dict.fromkeys(one.asked.model for one in visit.now().variants)
    models = ", ".join(
        words.plain(run.model(name or lineup.usual_model(shown)).title) for name in asked
    )
    st.markdown(
        f"**Dataset** {words.plain(shown.dataset)}, {wording.learnt_from(run)}  \n"
        f"**Models** {models}  \n"
        f"**Run** {words.plain(run.run_id)}, {wording.moment(run.created)}"
    )
