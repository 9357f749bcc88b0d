"""What was understood of a file, on the page."""

import pandas as pd
import streamlit as st

from chartbuster.checking import Checked
from chartbuster.runs import Inputs
from webapp import words
from webapp.batch import sentences


def show(checked: Checked, inputs: Inputs, *, unfolded: bool) -> None:
    """What will become of the rows, how the columns are read, and the first rows as they are.

    How the columns are read needs room; `unfolded` says whether it shows before it is asked for.
    """
    tally, how = checked.tally, checked.how
    st.markdown(f"{sentences.outlook(tally)} {sentences.form(checked)}")
    if tally.causes:
        st.html(sentences.causes(tally))
        with st.expander(_rejected_title(checked)):
            _table(
                pd.DataFrame(
                    {
                        "Line": [each.line for each in checked.rejected],
                        "Reason": [each.reason for each in checked.rejected],
                    }
                ),
                "Rejected rows with their reasons",
            )
    for said in (
        sentences.unknown_genres(tally),
        sentences.absent(how, inputs),
        sentences.ignored(how),
        *(f"**Note**: {words.plain(note)}." for note in checked.notes),
    ):
        if said:
            st.markdown(said)
    with st.expander("How each column is read", expanded=unfolded):
        st.html(sentences.understood(how, inputs))
    with st.expander("The first rows of the file"):
        # Names may repeat, or be missing; those of a table may not.
        names = [f"{place}. {name}" for place, name in enumerate(how.header, 1)]
        _table(pd.DataFrame(checked.first, columns=names), "The first rows of the file")


def _rejected_title(checked: Checked) -> str:
    if len(checked.rejected) < checked.tally.rejected:
        return f"The first {len(checked.rejected)} rejected rows"
    return "The rejected rows"


def _table(frame: pd.DataFrame, alt: str) -> None:
    texts = {
        name: st.column_config.TextColumn(words.plain(name))
        for name in frame.columns
        if name != "Line"
    }
    st.dataframe(frame, hide_index=True, column_config=texts, alt=alt)
