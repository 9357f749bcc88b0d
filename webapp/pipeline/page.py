"""The page Pipeline: a song's way, live, and how to send one on it."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from chartbuster.passages import View
from chartbuster.wording import SMALL_SYNTHETIC
from webapp import frame
from webapp.edges import Edges
from webapp.limits import UPLOAD_MEGABYTES
from webapp.pipeline import acting, letters, stations, timeline
from webapp.words import plain

_STYLE = Path(__file__).with_name("style.css")

_MOVING, _STILL = 1.0, 3.0


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the stack."""
    frame.opening(
        "Pipeline",
        "The way a song takes, live: from an uploaded table to the model that predicts. Send a "
        "file, and watch it go through.",
    )
    st.html(_STYLE)
    may = _may_send(edges)
    _demo(edges, may=may)
    seen = edges.sighting.view()
    moving = seen is not None and seen.moving
    often = _MOVING if moving else _STILL
    _live("way", lambda view: _way(view, moving=moving), edges, often)
    sending, uploads = st.columns([2, 3], gap="large")
    with sending:
        _sending(edges, may=may)
    with uploads:
        _live("uploads", _uploads, edges, often)
    _live("letters", lambda view: letters.section(edges, view), edges, _STILL)


def _live(name: str, part: Callable[[View], None], edges: Edges, every: float) -> None:
    """A part of the page that is drawn again by itself, every so many seconds."""

    def drawn() -> None:
        view = edges.sighting.view()
        if view is None:
            st.caption("The app is looking at the stack for the first time.")
        else:
            part(view)

    st.fragment(drawn, run_every=every, key=name)()


def _way(view: View, *, moving: bool) -> None:
    if view.moving != moving:
        # How often a part is drawn is fixed when the page is.
        st.rerun()
    st.header("Where everything is now", anchor=False)
    if view.silent:
        st.warning(
            f"Does not answer at the moment: {', '.join(view.silent)}. While the stack starts "
            "this takes a few seconds. If it lasts, `make status` shows what runs, `make logs` "
            "why something does not, and `make up` starts the rest. This page goes on by itself.",
            icon=":material/hourglass_top:",
        )
    st.html(stations.newest(view) + stations.picture(stations.stations(view)))
    if waits := stations.waiting_for(view):
        st.caption(waits)


def _uploads(view: View) -> None:
    st.header("Last uploads", anchor=False)
    if view.stock is None:
        st.caption("The buckets do not answer, so what was uploaded cannot be listed.")
    elif not view.passages:
        st.markdown(
            "Nothing was uploaded yet. Send a table of your own, or some made-up songs, and it "
            "will show here within a second."
        )
    else:
        st.html(timeline.listed(view))
        if view.stock.uploads > len(view.passages):
            st.caption(f"The last {len(view.passages)} of {view.stock.uploads:,} uploaded files.")


def _may_send(edges: Edges) -> bool:
    why = acting.refusal(edges, "upload a file")
    if why:
        st.caption(f"Uploading is for operators: {plain(why)}")
    return not why


def _demo(edges: Edges, *, may: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Send {acting.DEMO_SONGS:,} made-up songs",
            icon=":material/send:",
            on_click=acting.send_demo,
            args=(edges,),
            disabled=not may,
        )
        st.caption(
            f"Synthetic, different each time, in the dataset {SMALL_SYNTHETIC}: no other "
            "champion is touched. From upload to prediction takes about a minute.",
            width="stretch",
        )
    acting.outcome(acting.DEMO)


def _sending(edges: Edges, *, may: bool) -> None:
    st.header("Send a file of your own", anchor=False)
    acting.outcome(acting.SEND)
    with st.form("upload", border=True, clear_on_submit=False):
        dataset = st.text_input(
            "Dataset",
            placeholder="my-songs",
            help="Lower-case letters, digits and hyphens. Every dataset has a champion of its "
            "own; files of one dataset are trained together.",
            max_chars=63,
        )
        file = st.file_uploader(
            "Table of songs",
            type=["csv", "gz"],
            max_upload_size=UPLOAD_MEGABYTES,
            help="A CSV with a popularity from 0 to 100 and audio attributes, like the exports "
            "of Spotify's catalogue.",
        )
        st.caption(
            f"CSV or CSV.GZ, at most {UPLOAD_MEGABYTES} MB. A file of the same name in the same "
            "dataset is replaced; that is how a dataset is corrected."
        )
        if st.form_submit_button("Send this file", disabled=not may):
            if not dataset.strip() or file is None:
                st.error("Name a dataset and choose a file.", icon=":material/block:")
            else:
                acting.upload(edges, dataset.strip(), file.name, file.getvalue(), place=acting.SEND)
                st.rerun()
