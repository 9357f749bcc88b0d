"""A dataset's files: what was understood of each, how complete it is, and what was left out."""

import math

import streamlit as st

from chartbuster import layout, preparing, quality
from chartbuster.quality import Upload, UploadReport
from webapp.data import reading, sentences, tables
from webapp.edges import Edges
from webapp.words import plain

_WIDE = 720
_COUNT = st.column_config.NumberColumn(format="localized")


def show(edges: Edges, uploads: tuple[Upload, ...]) -> None:
    """One file of the dataset, the one the visitor chose."""
    st.header("Files", anchor=False)
    if not uploads:
        st.markdown(
            "The files of this dataset are gone: neither what was uploaded nor what was made of it "
            "is in the store."
        )
        return
    upload = _chosen(uploads)
    if upload.status in (preparing.READY, preparing.REFUSED):
        report = reading.report(edges, upload)
        status(upload, report)
        _understood(report)
        _complete(report)
        _rejects(edges, upload, report)
    else:
        status(upload, None)


def status(upload: Upload, report: UploadReport | None) -> None:
    """How far a file has come, in a sentence or two, with what to do about it."""
    name = f"**{plain(upload.key.file)}**"
    match upload.status:
        case preparing.READY if report is not None:
            size = f" from {_size(upload.bytes)}" if upload.bytes is not None else ""
            said = (
                f"{name} is ready: {sentences.counted(report.songs, 'song')}{size}. "
                f"{sentences.rows([report])} {sentences.popularities(report)} "
                f"{sentences.written(report)}"
            )
            st.markdown(f":material/check_circle: {said}", width=_WIDE)
        case preparing.REFUSED:
            why = report.reason if report and report.reason else "its report does not say why"
            why = why.removeprefix(f"{upload.key.file}: ")
            st.error(
                f"{name} was refused: {plain(why)}. Correct the file and upload it again under "
                "the same name.",
                icon=":material/block:",
            )
        case quality.DAMAGED:
            st.error(
                f"{name} has records that cannot be read. {plain(upload.why)}. Uploading the file "
                "again makes them anew.",
                icon=":material/error:",
            )
        case quality.WAITING:
            st.info(
                f"{name} is uploaded and not prepared yet. This takes seconds; if it lasts, "
                "*Pipeline* shows where it is.",
                icon=":material/hourglass_top:",
            )
        case _:
            st.error(
                f"{name} was prepared, but its report cannot be read. Uploading the file again "
                "makes it anew.",
                icon=":material/error:",
            )


def _chosen(uploads: tuple[Upload, ...]) -> Upload:
    if len(uploads) == 1:
        return uploads[0]
    by_name = {upload.key.file: upload for upload in uploads}
    name = st.selectbox(
        "File",
        list(by_name),
        key=f"file of {uploads[0].key.dataset}",
        format_func=lambda file: f"{file} ({sentences.STATUS[by_name[file].status]})",
        width=480,
    )
    return by_name[name]


def _understood(report: UploadReport) -> None:
    columns = report.columns
    if not (columns.understood or columns.ignored or columns.notes):
        return
    st.subheader("What was understood", anchor=False)
    st.dataframe(
        tables.taken(columns),
        hide_index=True,
        width=_WIDE,
        height="content",
        alt="The columns of the file and what each was taken for",
    )
    if columns.ignored:
        st.markdown(
            f"Ignored: {sentences.listed([plain(name) for name in columns.ignored])}.",
            width=_WIDE,
        )
    for note in columns.notes:
        st.markdown(f"- {plain(note)}", width=_WIDE)


def _complete(report: UploadReport) -> None:
    if not report.attributes:
        return
    st.subheader("How complete it is", anchor=False)
    st.markdown(sentences.incomplete([report], most=20), width=_WIDE)
    st.dataframe(
        tables.lost(report),
        hide_index=True,
        width=_WIDE,
        height="content",
        column_config={
            "Complete": st.column_config.ProgressColumn(
                format="percent",
                min_value=0,
                max_value=1,
                help="The rows that have a value, of all that were read",
            ),
            "Missing": _COUNT,
            "Unreadable": _COUNT,
        },
        alt="How many rows of the file lack each attribute, with examples of what was not readable",
    )


def _rejects(edges: Edges, upload: Upload, report: UploadReport) -> None:
    st.subheader("Rows left out", anchor=False)
    rejects = upload.rejects
    if not report.rows.rejected:
        st.markdown("None: every row became a song, or one more row of a song.")
        return
    if rejects is None:
        st.markdown(
            f"{sentences.counted(report.rows.rejected, 'row')} left out; which ones is not on "
            "record any more."
        )
        return
    if rejects.size > reading.MOST_REJECTS:
        st.markdown(
            f"{sentences.counted(report.rows.rejected, 'row')} left out. They are too many to "
            f"show here ({_size(rejects.size)})."
        )
    else:
        with st.spinner("Reading the rows left out…"):
            _pages(edges, upload, report)
    st.download_button(
        f"Download {layout.REJECTS}",
        lambda: edges.ready.read(rejects.key).body,
        file_name=f"{upload.key.file.split('.')[0]}-{layout.REJECTS}",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _pages(edges: Edges, upload: Upload, report: UploadReport) -> None:
    if upload.rejects is None:
        return
    counts = reading.reasons(edges, upload.rejects)
    st.dataframe(
        tables.reasons(counts),
        hide_index=True,
        width=_WIDE,
        column_config={"Rows": _COUNT},
        alt="How many rows were left out for which reason",
    )
    total = sum(counts.values())
    pages = max(math.ceil(total / reading.PAGE), 1)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"rejects of {upload.upload}")
    found = reading.rejected(edges, upload.rejects, page)
    first = (page - 1) * reading.PAGE + 1
    more = (
        f" of {report.rows.rejected:,}; the rest is not kept"
        if report.rows.rejected > total
        else ""
    )
    st.caption(f"Rows {first:,} to {first + len(found) - 1:,} of {total:,}{more}.")
    st.dataframe(
        tables.rejected(found),
        hide_index=True,
        column_config={"Line": _COUNT, "Row": st.column_config.TextColumn(width="large")},
        alt="The rows left out: line, reason and text of each",
    )


def _size(size: int) -> str:
    for unit, bytes_ in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= bytes_:
            return f"{size / bytes_:,.1f} {unit}"
    return f"{size:,} bytes"
