"""The scored rows of a file, on the page: in words, as a picture, to browse and to take away."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from chartbuster import plots
from chartbuster.plots import About
from webapp import frame, words
from webapp.batch import sentences
from webapp.batch.scoring import Results

_ORDER = (
    *("Title", "Artist", "popularity", "low", "high", "percentile", "hit"),
    *("assumed", "reason", "line", "Song id"),
)
_BINS = 20
_ENOUGH = 10
_EVERY, _SCORED, _ASSUMED, _REJECTED = "Every row", "Scored", "With something assumed", "Rejected"


def show(done: Results) -> None:
    """The whole of it, below its heading."""
    st.header("Results", anchor=False)
    st.markdown(
        f"{sentences.summary(done.tally)} {words.plain(done.name)}, by "
        f"**{words.plain(done.title)}** of run {words.plain(done.job.run_id)}, dataset "
        f"{words.plain(frame.named(done.dataset))}."
    )
    st.download_button(
        "Download as CSV",
        done.csv,
        file_name=done.file_name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(
        "Every row of the file, in its order. No cell is taken for a formula by a spreadsheet: "
        "what could be one has an apostrophe before it. The text is UTF-8 with a byte order mark, "
        "so that Excel reads accents right."
    )
    if done.tally.causes:
        with st.expander("Why rows were rejected"):
            st.html(sentences.causes(done.tally))
    if done.tally.scored >= _ENOUGH:
        _distribution(done)
    _rows(done)


def _distribution(done: Results) -> None:
    st.subheader("Predicted popularity", anchor=False)
    popularity = np.sort(done.figures("popularity"))
    said = sentences.spread(popularity.tolist())
    st.markdown(said)
    counts, _ = np.histogram(popularity, bins=_BINS, range=(0, 100))
    with st.container(width=560):
        frame.plot(
            plots.histogram(
                About("batch-popularity", "Predicted popularity of the songs", said),
                counts.tolist(),
                low=0,
                high=100,
                across="predicted popularity",
                up="songs",
            )
        )


def _rows(done: Results) -> None:
    st.subheader("Row by row", anchor=False)
    tally = done.tally
    offered = {
        _EVERY: tally.rows,
        _SCORED: tally.scored,
        _ASSUMED: tally.assumed,
        _REJECTED: tally.rejected,
    }
    wanted = st.radio(
        "Rows to show",
        [name for name, rows in offered.items() if rows],
        format_func=lambda name: f"{name} ({offered[name]:,})",
        horizontal=True,
    )
    st.dataframe(
        _chosen(done.table, wanted or _EVERY),
        hide_index=True,
        placeholder="",
        lazy=True,
        column_order=_ORDER,
        column_config=_columns(),
        key="batch rows",
        alt="The scored rows",
    )


def _chosen(table: pa.Table, wanted: str) -> pa.Table:
    match wanted:
        case "Scored":
            return table.filter(pc.is_valid(table["popularity"]))
        case "Rejected":
            return table.filter(pc.is_null(table["popularity"]))
        case "With something assumed":
            return table.filter(pc.not_equal(table["assumed"].cast(pa.string()), ""))
    return table


def _columns() -> dict[str, ColumnConfig | str | None]:
    config = st.column_config
    return {
        "Song id": config.TextColumn(),
        "Artist": config.TextColumn(),
        "Title": config.TextColumn(),
        "popularity": config.ProgressColumn(
            "Popularity", format="%.1f", min_value=0, max_value=100, help="predicted, 0 to 100"
        ),
        "low": config.NumberColumn("At least", format="%.1f", help="the interval's lower end"),
        "high": config.NumberColumn("At most", format="%.1f", help="the interval's upper end"),
        "percentile": config.NumberColumn(
            "Percentile", format="%.1f", help="percent of its genre's songs that are less popular"
        ),
        "hit": config.NumberColumn(
            "Hit chance", format="percent", help="chance to be among the most popular"
        ),
        "assumed": config.TextColumn("Assumed", help="what the file does not say"),
        "reason": config.TextColumn("Rejected because"),
        "line": config.NumberColumn("Line", format="%d", help="the header is line 1"),
    }
