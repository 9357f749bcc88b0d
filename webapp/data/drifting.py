"""How a dataset's newest version differs from the songs its champion comes from."""

import streamlit as st

from chartbuster.drift import MUCH, SOME
from webapp.data import reading, sentences, tables
from webapp.edges import Edges
from webapp.states import Shown
from webapp.words import plain

_WIDE = 720
_SHARE = st.column_config.NumberColumn(format="percent")
_FIGURE = st.column_config.NumberColumn(format="%.3g")


def show(edges: Edges, dataset: str, shown: Shown | None) -> None:
    """The sentence first, then every attribute."""
    st.header("Drift", anchor=False)
    report = reading.drift(edges, dataset)
    if report is None:
        st.markdown(
            "No drift report yet. One is made when a new version of the dataset trains: its songs "
            "are then compared with those the champion comes from.",
            width=_WIDE,
        )
        return
    match report.level:
        case "none":
            st.success(plain(report.sentence), icon=":material/check_circle:")
        case "some":
            st.info(plain(report.sentence), icon=":material/info:")
        case _:
            st.warning(plain(report.sentence), icon=":material/warning:")
    st.markdown(sentences.compared(report, shown.run.run_id if shown else None), width=_WIDE)
    st.markdown(sentences.genres(report), width=_WIDE)
    st.dataframe(
        tables.drifted(report),
        hide_index=True,
        height="content",
        placeholder="",
        column_config={
            "PSI beyond chance": st.column_config.NumberColumn(format="%.3f"),
            "KS": st.column_config.NumberColumn(
                format="%.3f", help="Kolmogorov-Smirnov: the widest gap between the two, 0 to 1"
            ),
            "Median before": _FIGURE,
            "Median now": _FIGURE,
            "Missing before": _SHARE,
            "Missing now": _SHARE,
        },
        alt="How much each attribute has changed, the most first",
    )
    st.caption(
        "PSI, the population stability index, says how differently the songs fall into ten bins. "
        f"What it has beyond chance is no change to speak of below {SOME:g}, some from {SOME:g} "
        f"on, and much from {MUCH:g} on."
    )
