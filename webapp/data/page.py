"""The page Data: what a dataset's songs look like, how well its files were read, what changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from chartbuster import quality, wording
from chartbuster.errors import ChartBusterError, Corrupt, NotFound, TryAgain
from chartbuster.preparing import READY, REFUSED
from chartbuster.quality import Upload, UploadReport
from webapp import frame, waiting
from webapp.data import drifting, files, reading, sentences, songs
from webapp.edges import Edges
from webapp.states import Away, Broken, Connecting, Showing, Shown, Waiting
from webapp.words import plain

_STYLE = Path(__file__).with_name("style.css")
_SONGS, _GENRES, _FILES, _DRIFT = "Songs", "Genres", "Files", "Drift"


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.opening(
        "Data", "What the songs look like, how well their files were read, and what has changed."
    )
    st.html(_STYLE)
    state = edges.serving.state
    if isinstance(state, Connecting | Away):
        waiting.show(state)
    else:
        if isinstance(state, Showing):
            frame.asleep(state)
        _datasets(edges, state)
    frame.follow(edges.serving, state)


def _datasets(edges: Edges, state: Showing | Waiting) -> None:
    try:
        names = _names(edges, state)
        if names:
            _dataset(edges, state, frame.one_of(names))
        else:
            waiting.show(state)
    except (TryAgain, NotFound):
        # Not found is a bucket itself: the store is up but not laid out yet.
        waiting.show(Away())


def _names(edges: Edges, state: Showing | Waiting) -> list[str]:
    """Every dataset there is, those with a champion first and as the other pages order them."""
    champions = [found.dataset for found in state.datasets] if isinstance(state, Showing) else []
    others = quality.datasets(edges.raw, edges.ready)
    return [*champions, *(name for name in others if name not in champions)]


def _dataset(edges: Edges, state: Showing | Waiting, dataset: str) -> None:
    found = _champion(state, dataset)
    uploads = quality.uploads(edges.raw, edges.ready, dataset)
    reports = _reports(edges, uploads)
    shown = found if isinstance(found, Shown) else None
    st.header(f"{plain(frame.named(dataset))} in short", anchor=False)
    _summary(found, uploads, reports)
    if isinstance(found, Broken):
        st.error(
            f"The champion of this dataset cannot be shown. {plain(found.why)}",
            icon=":material/error:",
        )
    names = (_SONGS, _GENRES, _FILES, _DRIFT)
    tabs = st.tabs(names, default=_SONGS if shown else _FILES, key=f"about {dataset} {bool(shown)}")
    for name, tab in zip(names, tabs, strict=True):
        with tab, in_words(name):
            match name:
                case "Songs":
                    songs.show(edges, shown)
                case "Genres":
                    songs.genres(edges, shown, list(reports.values()))
                case "Files":
                    files.show(edges, uploads)
                case _:
                    drifting.show(edges, dataset, shown)


def _champion(state: Showing | Waiting, dataset: str) -> Shown | Broken | None:
    if not isinstance(state, Showing):
        return None
    return next((found for found in state.datasets if found.dataset == dataset), None)


def _reports(edges: Edges, uploads: tuple[Upload, ...]) -> dict[Upload, UploadReport]:
    """The reports that can be read; the tab of the files says what is wrong with the others."""
    found = {}
    for upload in uploads:
        try:
            if upload.status in (READY, REFUSED):
                found[upload] = reading.report(edges, upload)
        except (Corrupt, NotFound):
            continue
    return found


def _summary(
    found: Shown | Broken | None, uploads: tuple[Upload, ...], reports: dict[Upload, UploadReport]
) -> None:
    """The dataset in figures and in a few sentences, what needs somebody's care below them."""
    run = found.run if isinstance(found, Shown) else None
    read = list(reports.values())
    usable = [report for report in read if report.status == READY]
    with st.container(horizontal=True, key="figures"):
        st.metric("Songs", f"{run.songs if run else sum(each.songs for each in usable):,}")
        if run and run.artists:
            st.metric("Artists", f"{run.artists:,}")
        st.metric(
            "Genres",
            f"{len(run.inputs.genres if run else {g for each in usable for g in each.genres}):,}",
        )
        st.metric("Rows rejected", f"{sum(each.rows.rejected for each in read):,}")
    if found and wording.is_synthetic(found.dataset):
        st.info(
            "These songs are **synthetic**: invented, with the statistics of published figures.",
            icon=":material/science:",
        )
    said = [sentences.songs(run, read, broken=isinstance(found, Broken))]
    if read:
        said.append(sentences.rows(read))
    if usable:
        said.append(sentences.incomplete(usable, most=3))
    st.markdown(" ".join(said), width=720)
    if run and (changed := sentences.changed(run, uploads)):
        st.info(changed, icon=":material/update:")
    troubled = [upload for upload in uploads if upload.status != READY]
    for upload in troubled[:5]:
        files.status(upload, reports.get(upload))
    if len(troubled) > 5:
        st.markdown(f"{len(troubled) - 5:,} more files are not ready; *Files* has them all.")


@contextmanager
def in_words(part: str) -> Iterator[None]:
    """What goes wrong in one part of the page is said there, and hides no other part."""
    try:
        yield
    except TryAgain:
        st.warning(
            f"{part}: the store does not answer at the moment. Load the page again in a while.",
            icon=":material/hourglass_top:",
        )
    except ChartBusterError as error:
        st.error(
            f"{part}: this part cannot be shown. {plain(str(error))}. Uploading the data again "
            "with `make demo` makes its records anew.",
            icon=":material/error:",
        )
