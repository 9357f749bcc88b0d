"""What people do on the page: upload, redrive, discard, and what came of it."""

import gzip
import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import streamlit as st

from chartbuster.errors import ChartBusterError, Conflict, NotAllowed, NotFound, Permanent
from chartbuster.pipeline import Handled
from chartbuster.wording import SMALL_SYNTHETIC
from webapp import signin
from webapp.edges import Edges
from webapp.words import plain

log = logging.getLogger(__name__)

DEMO_SONGS = 2_000
DEMO_FILE = "made_up_songs.csv.gz"

DEMO, SEND = "demo", "send"
"""Where on the page something is done; the kinds of letters are such places too."""

_OUTCOME = "pipeline outcome"
_SAID_FOR = 20.0
_MOST_SAID = 5


@dataclass(frozen=True)
class Outcome:
    """What came of what was done at `place`, in Markdown, and until when it is said.

    `until` is in monotonic seconds.
    """

    place: str
    done: bool
    says: str
    until: float


def outcome(place: str) -> None:
    """What came of the last thing the visitor did, if it was done at `place`, for a while."""
    found = st.session_state.get(_OUTCOME)
    if found is None or found.place != place:
        return
    if time.monotonic() > found.until:
        del st.session_state[_OUTCOME]
    elif found.done:
        st.success(found.says, icon=":material/check:")
    else:
        st.error(found.says, icon=":material/block:")


def refusal(edges: Edges, action: str) -> str:
    """Why the visitor may not do it, in Markdown, or nothing.

    Only for what is shown: the check that counts is in the operations.
    """
    try:
        edges.operators.check(signin.person(edges.operators), action)
    except NotAllowed as error:
        return _sentence(str(error))
    return ""


def upload(edges: Edges, dataset: str, file: str, body: bytes, *, place: str) -> None:
    """Put a file into a dataset, and say so."""

    def act() -> tuple[bool, str]:
        key = edges.pipeline_operations.upload(signin.person(edges.operators), dataset, file, body)
        return True, (
            f"**{plain(key.file)}** is in the raw bucket, as a file of the dataset "
            f"**{plain(key.dataset)}**."
        )

    _do(edges, place, act)


def send_demo(edges: Edges) -> None:
    """Make up some songs, different ones each time, and send them on their way."""
    # What was uploaded before would be found prepared and trained already.
    body = small_catalogue(seed=time.time_ns() % 2**32)
    upload(edges, SMALL_SYNTHETIC, DEMO_FILE, body, place=DEMO)


def small_catalogue(seed: int) -> bytes:
    """A compressed CSV of DEMO_SONGS made-up songs; the same ones for the same `seed`."""
    # numpy and pandas are there already; the catalogue's figures are read when first needed.
    from chartbuster.demo import as_csv, generate

    return gzip.compress(as_csv(generate(DEMO_SONGS, seed=seed)), mtime=0)


def redrive(edges: Edges, kind: str, ids: Collection[str]) -> None:
    """Ask again for what the letters ask for, and say what became of each."""
    _do(
        edges,
        kind,
        lambda: _told(edges.pipeline_operations.redrive(signin.person(edges.operators), kind, ids)),
    )


def discard(edges: Edges, kind: str, ids: Collection[str]) -> None:
    """Remove letters for good, and say so."""
    _do(
        edges,
        kind,
        lambda: _told(edges.pipeline_operations.discard(signin.person(edges.operators), kind, ids)),
    )


def _told(handled: tuple[Handled, ...]) -> tuple[bool, str]:
    """Whether anything was done, and what became of each letter."""
    said = [f"- {plain(_sentence(each.said))}" for each in handled[:_MOST_SAID]]
    if len(handled) > _MOST_SAID:
        said.append(f"- and {len(handled) - _MOST_SAID} more")
    return any(each.gone for each in handled), "\n".join(said)


def _do(edges: Edges, place: str, act: Callable[[], tuple[bool, str]]) -> None:
    try:
        done, says = act()
    except ChartBusterError as error:
        log.warning("not_done", extra={"why": str(error)})
        done, says = False, why_not(error)
    st.session_state[_OUTCOME] = Outcome(place, done, says, until=time.monotonic() + _SAID_FOR)
    edges.sighting.view(anew=True)


def why_not(error: ChartBusterError) -> str:
    """What stood in the way, and what to do about it, in Markdown."""
    match error:
        case NotFound():
            return (
                "The bucket or the queue is not there. `make status` shows whether the stack is "
                "up, and `make up` starts it."
            )
        case Conflict():
            return "Somebody else was faster. Look again, and try once more if it is still needed."
        case Permanent():
            return plain(_sentence(str(error)))
    return (
        "The stack does not answer, so it may not have been done. Nothing was lost; look again in "
        "a moment, and try once more if it is still needed."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
