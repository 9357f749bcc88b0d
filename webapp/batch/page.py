"""The page Batch: a file of songs, what is understood of it, and what a model says of each."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from chartbuster import wording
from chartbuster.batches import Tally
from chartbuster.checking import Checked, check
from chartbuster.errors import ChartBusterError, TryAgain, UnreadableUpload
from chartbuster.outlooks import OUTLOOK
from webapp import frame, waiting, words
from webapp.batch import checks, results, scoring, sentences
from webapp.batch.limits import BLOCK, LIMITS
from webapp.batch.scoring import Job
from webapp.edges import Edges
from webapp.limits import UPLOAD_MEGABYTES
from webapp.serving import Serving
from webapp.states import Broken, Showing, Shown

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

_STYLE = Path(__file__).with_name("style.css")
_ENDINGS = ["csv", "tsv", "txt", "gz"]

_IN_TURN = "Another file is being scored; yours is next"

# What a visit holds, each under one name: all of it goes when another file comes.
_CHECKED = "batch checked"
_ASKED = "batch asked"
_ENDED = "batch ended"
_RESULTS = "batch results"


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.of_champions(
        edges.serving,
        "Batch",
        "Score a whole file of songs. What is understood of it, and what is not, shows before "
        "anything runs.",
        lambda state: _page(edges.serving, state),
    )


def _page(serving: Serving, state: Showing) -> None:
    st.html(_STYLE)
    st.header("Who answers", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        found = frame.dataset(state)
        if isinstance(found, Shown):
            model = _model(found)
    if isinstance(found, Broken):
        with waiting.card():
            waiting.broken(found)
        return
    _provenance(found, model)
    st.header("The file", anchor=False)
    upload = _upload()
    if upload is not None:
        _file(serving, found, model, upload)
    done = st.session_state.get(_RESULTS)
    if done is not None:
        results.show(done)


def _model(shown: Shown) -> str:
    """The model that answers, the champion unless the visitor wants another of its run."""
    champion = shown.champion.model
    entries = {entry.name: entry for entry in shown.run.models}
    names = sorted(entries, key=lambda name: entries[name].deciding_mae)
    return (
        st.selectbox(
            "Model",
            names,
            index=names.index(champion),
            key=f"batch model {shown.run.run_id} {champion}",
            format_func=lambda name: (
                entries[name].title + (" (champion)" if name == champion else "")
            ),
            width=320,
        )
        or champion
    )


def _provenance(shown: Shown, model: str) -> None:
    run, entry = shown.run, shown.run.model(model)
    st.markdown(
        f"**{words.plain(entry.title)}** of run {words.plain(run.run_id)}, which learnt from "
        f"{wording.learnt_from(run)} of the dataset {words.plain(frame.named(shown.dataset))} on "
        f"{wording.moment(run.created)}. {words.measured_on(entry)}"
    )


def _upload() -> "UploadedFile | None":
    st.markdown(sentences.limits())
    with st.expander("Columns that are understood"):
        st.html(sentences.guide())
    return st.file_uploader(
        "A file of songs",
        type=_ENDINGS,
        max_upload_size=UPLOAD_MEGABYTES,
        key="batch file",
        on_change=_forget,
    )


def _file(serving: Serving, shown: Shown, model: str, upload: "UploadedFile") -> None:
    """What is understood of the upload, and the way to have it scored."""
    st.header("What was understood", anchor=False)
    checked = _checked(shown, upload)
    if isinstance(checked, str):
        st.error(f"This file cannot be scored: {words.plain(checked)}.", icon=":material/block:")
        return
    # Once there are results, they are what one wants to see.
    checks.show(checked, shown.run.inputs, unfolded=_RESULTS not in st.session_state)
    job = Job(upload.file_id, shown.run.run_id, model)
    if st.session_state.get(_ASKED) == job:
        _score(serving, shown, upload, checked, job)
    st.session_state.pop(_ASKED, None)
    _offer(shown, checked, job)


def _checked(shown: Shown, upload: "UploadedFile") -> Checked | str:
    """What is understood of the upload, found out once; or why it cannot be scored."""
    about = (upload.file_id, shown.run.run_id)
    known: tuple[tuple[str, str], Checked | str] | None = st.session_state.get(_CHECKED)
    if known is not None and known[0] == about:
        return known[1]
    bar, pace = st.progress(0.0, "Reading the file"), scoring.Pace()

    def watch(tally: Tally) -> None:
        bar.progress(min(upload.tell() / max(upload.size, 1), 1.0), f"{tally.rows:,} rows read")
        pace()

    found: Checked | str
    try:
        with scoring.turn(lambda: bar.progress(0.0, _IN_TURN)):
            found = check(upload, shown.run.inputs, limits=LIMITS, rows=BLOCK, watch=watch)
    except UnreadableUpload as error:
        found = str(error)
    bar.empty()
    st.session_state[_CHECKED] = (about, found)
    return found


def _offer(shown: Shown, checked: Checked, job: Job) -> None:
    """The button that starts, and how the last start ended where it did not end well."""
    ended: tuple[Job, str] | None = st.session_state.get(_ENDED)
    if ended is not None and ended[0] == job:
        st.warning(ended[1], icon=":material/info:")
    done = st.session_state.get(_RESULTS)
    if done is not None and done.job == job:
        return
    unsure = OUTLOOK not in shown.run.files
    if unsure:
        st.warning(
            "This run was made before models said how sure they are, so it cannot score files. "
            "Upload the dataset's file again to have it trained anew.",
            icon=":material/history:",
        )
    st.button(
        f"Score {sentences.counted(checked.tally.scored, 'song')}",
        disabled=unsure or not checked.tally.scored,
        on_click=_ask,
        args=(job,),
    )


def _score(
    serving: Serving, shown: Shown, upload: "UploadedFile", checked: Checked, job: Job
) -> None:
    """Score the upload. What interrupts this, a stop among it, leaves nothing behind."""
    total = checked.tally.rows
    bar, pace = st.progress(0.0, f"0 of {total:,} rows"), scoring.Pace()

    def watch(rows: int) -> None:
        bar.progress(min(rows / total, 1.0), f"{rows:,} of {total:,} rows")
        pace()

    st.button("Stop", on_click=_stop, args=(job,), icon=":material/stop_circle:")
    try:
        with scoring.turn(lambda: bar.progress(0.0, _IN_TURN)):
            done = scoring.scored(
                upload,
                checked,
                serving.ask(shown, job.model),
                shown.run.inputs,
                job=job,
                name=upload.name,
                dataset=shown.dataset,
                title=shown.run.model(job.model).title,
                watch=watch,
            )
    except TryAgain:
        _end(
            job,
            "The store does not answer, and this model is not loaded yet. Try again in a moment.",
        )
    except UnreadableUpload as error:
        _end(job, f"This file cannot be scored: {words.plain(str(error))}.")
    except ChartBusterError:
        _end(
            job,
            "This model was not used, because its stored file is not what its run vouches for. "
            "Choose another model above.",
        )
    else:
        st.session_state[_RESULTS] = done
    st.session_state.pop(_ASKED, None)
    st.rerun()


def _ask(job: Job) -> None:
    """Start. Results of before go first, so that there are never two."""
    for name in (_RESULTS, _ENDED):
        st.session_state.pop(name, None)
    st.session_state[_ASKED] = job


def _stop(job: Job) -> None:
    st.session_state.pop(_ASKED, None)
    _end(job, "Stopped. Nothing was kept of what was scored.")


def _end(job: Job, said: str) -> None:
    st.session_state[_ENDED] = (job, said)


def _forget() -> None:
    """Another file, or none: nothing of the one before is held any longer."""
    for name in (_CHECKED, _ASKED, _ENDED, _RESULTS):
        st.session_state.pop(name, None)
