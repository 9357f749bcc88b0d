"""What a page shows while there is nothing to predict with: what is happening, and what to do."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from chartbuster.progress import Note
from webapp.states import Away, Broken, Connecting, Showing, State, Waiting
from webapp.words import plain


def card() -> DeltaGenerator:
    """The frame around a state."""
    return st.container(border=True, width=720)


def show(state: State) -> None:
    """The state in words, with what to do about it. The page goes on by itself."""
    with card():
        match state:
            case Connecting():
                st.header("One moment", anchor=False)
                st.markdown("The app is looking for its models.")
            case Away():
                st.header("The store is not there yet", anchor=False)
                st.markdown(
                    "Runs and models are kept in an S3 bucket, and it does not answer. While the "
                    "stack starts this takes a few seconds. If it lasts, `make status` shows what "
                    "runs, `make logs` why something does not, and `make up` starts the rest."
                )
                _goes_on()
            case Waiting(runs=()):
                st.header("No model yet", anchor=False)
                st.markdown(
                    "The stack is up and waits for its first songs. Upload a table with "
                    "`make demo DATA=your.csv`; a file of 20,000 songs takes about half a minute "
                    "from upload to prediction."
                )
                _goes_on()
            case Waiting(runs=runs):
                st.header("The first model is being trained", anchor=False)
                for run in runs:
                    _bar(run)
                _goes_on()
            case Showing():
                st.markdown("The models are here.")


def broken(found: Broken) -> None:
    """A dataset whose champion cannot be shown."""
    st.header(f"The dataset {plain(found.dataset)} cannot be shown", anchor=False)
    st.markdown(
        f"{found.why} `make logs SERVICE=webapp` says what exactly. Uploading the data again "
        "with `make demo` trains a new run, and an older champion can be crowned again."
    )
    _goes_on()


def _bar(run: Note) -> None:
    st.progress(run.fraction, text=f"**{plain(run.dataset)}**: {plain(run.stage)}")


def _goes_on() -> None:
    st.caption("This page goes on by itself as soon as it can.")
