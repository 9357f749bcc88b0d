"""What the page Data reads, kept by what cannot change: a rerun reads nothing twice.

Every key holds the digest or the ETag of what was read, so whoever asks for other content misses.
What is kept is shared by all visits and never changed.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from chartbuster import layout, quality
from chartbuster.drift import DriftReport
from chartbuster.errors import NotFound
from chartbuster.learn.distributions import Distributions, distributions
from chartbuster.ports import ObjectInfo, ObjectStore
from chartbuster.quality import Rejected, Upload, UploadReport
from chartbuster.records import from_json
from chartbuster.registry import Registry
from chartbuster.report import REPORT, GenreScore, Report
from chartbuster.runs import RunManifest
from webapp.edges import Edges

CATALOGUE = "songs.parquet"

MOST_REJECTS = 16_000_000
"""Rejects of more bytes than this are for a program to look at, not for a page."""

PAGE = 100
"""The rejected rows on a page of them."""


def report(edges: Edges, upload: Upload) -> UploadReport:
    """What was made of `upload`; raises `NotFound`, `Corrupt`, `Unreachable`."""
    if upload.report is None:
        return quality.report(edges.ready, upload)  # which says that there is none
    return _report(edges.ready, upload.report)


def reasons(edges: Edges, rejects: ObjectInfo) -> Mapping[str, int]:
    """How many rows were left out for which kind of reason; raises `Corrupt`, `Unreachable`."""
    return _reasons(edges.ready, rejects)


def rejected(edges: Edges, rejects: ObjectInfo, page: int) -> tuple[Rejected, ...]:
    """The rows of page `page`, counted from 1; raises `Corrupt`, `Unreachable`."""
    body = _body(edges.ready, rejects)
    return quality.rejects_page(body, start=(page - 1) * PAGE, size=PAGE, where=rejects.key)


def songs_of(edges: Edges, run: RunManifest) -> Distributions:
    """What the songs of a run look like.

    Raises `NotFound` for a run that is older than song catalogues, `UntrustedModel`, `Corrupt`,
    `Unreachable`.
    """
    _needs(run, CATALOGUE, "song catalogue")
    return _songs_of(edges.registry, run)


def genre_scores(edges: Edges, run: RunManifest) -> tuple[GenreScore, ...]:
    """How far off the best model is in each genre; raises what `songs_of` raises."""
    _needs(run, REPORT, "report")
    return _genre_scores(edges.registry, run)


def drift(edges: Edges, dataset: str) -> DriftReport | None:
    """The newest drift report of `dataset`, if any; raises `Corrupt`, `Unreachable`."""
    listed = edges.artifacts.list(layout.drift_prefix(dataset))
    return _drift(edges.registry, dataset, tuple(map(_content, listed)))


def _needs(run: RunManifest, name: str, what: str) -> None:
    if name not in run.files:
        raise NotFound(f"run {run.run_id} is older than this part of the app and has no {what}")


def _content(stored: ObjectInfo) -> tuple[str, str]:
    """What names an object's content."""
    return stored.key, stored.etag


def _files(run: RunManifest) -> tuple[str, ...]:
    """What names the content of the run's files that are read here."""
    named = (run.files.get(name) for name in (CATALOGUE, REPORT))
    return (run.run_id, *(entry.sha256 if entry else "" for entry in named))


_OF_OBJECT: Any = {ObjectInfo: _content}
_OF_RUN: Any = {RunManifest: _files}


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_OF_OBJECT)
def _report(_ready: ObjectStore, stored: ObjectInfo) -> UploadReport:
    return quality.read_report(_ready.read(stored.key).body, where=stored.key)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_OF_OBJECT)
def _reasons(_ready: ObjectStore, stored: ObjectInfo) -> Mapping[str, int]:
    return quality.reasons(_body(_ready, stored), where=stored.key)


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=_OF_OBJECT)
def _body(_ready: ObjectStore, stored: ObjectInfo) -> bytes:
    return _ready.read(stored.key).body


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_OF_RUN)
def _songs_of(_registry: Registry, run: RunManifest) -> Distributions:
    return distributions(_registry.file(run, CATALOGUE))


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_OF_RUN)
def _genre_scores(_registry: Registry, run: RunManifest) -> tuple[GenreScore, ...]:
    where = f"{REPORT} of run {run.run_id}"
    return from_json(Report, _registry.file(run, REPORT), where=where).genres


@st.cache_resource(max_entries=16, show_spinner=False)
def _drift(
    _registry: Registry, dataset: str, listed: tuple[tuple[str, str], ...]
) -> DriftReport | None:
    return _registry.drift(dataset) if listed else None


def forget() -> None:
    """Read everything again, as a new process does."""
    for kept in (_report, _reasons, _body, _songs_of, _genre_scores, _drift):
        kept.clear()
