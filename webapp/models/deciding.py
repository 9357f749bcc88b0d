"""Promote and roll back: the dialogs, and what came of it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from chartbuster.errors import (
    ChartBusterError,
    Conflict,
    Corrupt,
    InvalidReason,
    NotAllowed,
    NotFound,
    Unreachable,
    UntrustedModel,
)
from chartbuster.operations import LONGEST_REASON, SHORTEST_REASON
from chartbuster.runs import Champion, ModelEntry, RunManifest
from webapp import signin
from webapp.edges import Edges
from webapp.models.shelf import Shelf
from webapp.words import deciding_scores, plain

log = logging.getLogger(__name__)

_OUTCOME = "decision outcome"
_REASON = "decision reason"


# A page may be drawn again at once, because the champion has changed; so what came of a decision is
# not said once but for a while.
_SAID_FOR = 20.0


@dataclass(frozen=True)
class Outcome:
    """What came of a decision, in Markdown, and until when it is said (monotonic seconds)."""

    done: bool
    says: str
    until: float


def outcome() -> None:
    """What came of the last decision, for a while or until the next one."""
    found = st.session_state.get(_OUTCOME)
    if found is None:
        return
    if time.monotonic() < found.until:
        _say(found)
    else:
        forget()


def forget() -> None:
    """Say no more of the last decision."""
    st.session_state.pop(_OUTCOME, None)


def who_may(edges: Edges) -> None:
    """Who may decide, where not everybody may."""
    if not edges.operators.everybody and (why := _refused(edges, "decide about champions")):
        st.caption(f"Deciding is for operators: {plain(why)}.")


@st.dialog("Promote a model", on_dismiss=forget)
def promote(edges: Edges, shelf: Shelf, run: RunManifest, entry: ModelEntry) -> None:
    """Ask for a reason, and make `entry` of `run` the champion."""
    if not _still_open(edges, f"promote a model of dataset {shelf.dataset!r}"):
        return
    st.markdown(
        f"Make **{plain(shelf.named(run.run_id, entry.name))}** the champion of "
        f"**{plain(shelf.dataset)}**? {_instead(shelf)} Predictions come from it within seconds, "
        "for everybody."
    )
    _warn_if_worse(shelf, entry)
    _ask("Promote", _promote, edges, shelf.dataset, run.run_id, entry)


@st.dialog("Roll back the champion", on_dismiss=forget)
def roll_back(edges: Edges, shelf: Shelf, champion: Champion) -> None:
    """Ask for a reason, and make the champion before this one the champion again."""
    if not _still_open(edges, f"roll back the champion of dataset {shelf.dataset!r}"):
        return
    before = shelf.former
    if before is None:
        st.markdown("There is nothing to roll back to.")
        return
    st.markdown(
        f"Make **{plain(shelf.named(before.run_id, before.model))}** the champion of "
        f"**{plain(shelf.dataset)}** again? {_instead(shelf)} Predictions come from it within "
        "seconds, for everybody."
    )
    _ask("Roll back", _roll_back, edges, champion)


def _still_open(edges: Edges, action: str) -> bool:
    """Whether there is still something to ask; closes the dialog once it is done."""
    found = st.session_state.get(_OUTCOME)
    if found is not None and found.done:
        st.rerun()
    if why := _refused(edges, action):
        st.error(f"{plain(why[0].upper() + why[1:])}.", icon=":material/lock:")
        return False
    if found is not None:
        _say(found)
    return True


def _refused(edges: Edges, action: str) -> str:
    """Why the visitor may not do it, or nothing. The check that counts is in `Operations`."""
    try:
        edges.operators.check(signin.person(edges.operators), action)
    except NotAllowed as error:
        return str(error)
    return ""


def _instead(shelf: Shelf) -> str:
    if shelf.champion is None:
        return "The dataset has no champion now."
    now = plain(shelf.named(shelf.champion.run_id, shelf.champion.model))
    return f"The champion now is {now}."


def _warn_if_worse(shelf: Shelf, entry: ModelEntry) -> None:
    holder = shelf.champion and shelf.entry(shelf.champion.run_id, shelf.champion.model)
    own, its = deciding_scores(entry), deciding_scores(holder) if holder else None
    if own and its and own.mae > its.mae:
        st.warning(
            f"It is off by {own.mae:.2f} points on average, the champion by {its.mae:.2f}, each "
            "on the songs its own run was tested on.",
            icon=":material/trending_down:",
        )


def _ask(label: str, act: Callable[..., None], *args: object) -> None:
    with st.form("decision", border=False):
        st.text_input(
            f"Reason ({SHORTEST_REASON} to {LONGEST_REASON} characters), kept in the history",
            key=_REASON,
            max_chars=LONGEST_REASON,
        )
        st.form_submit_button(label, on_click=act, args=args)


def _promote(edges: Edges, dataset: str, run_id: str, entry: ModelEntry) -> None:
    person = signin.person(edges.operators)
    _decide(
        edges,
        lambda reason: edges.operations.promote(person, dataset, run_id, entry.name, reason),
        f"{plain(entry.title)} of run {plain(run_id[:12])} is the champion now.",
    )


def _roll_back(edges: Edges, champion: Champion) -> None:
    person = signin.person(edges.operators)
    _decide(
        edges,
        lambda reason: edges.operations.rollback(
            person, champion.dataset, reason, against=champion
        ),
        "Rolled back. The former champion is the champion again.",
    )


def _decide(edges: Edges, act: Callable[[str], Champion], done: str) -> None:
    try:
        after = act(st.session_state.get(_REASON, ""))
    except ChartBusterError as error:
        log.warning("decision_failed", extra={"why": str(error)})
        _keep(done=False, says=why_not(error))
        return
    log.info("champion_moved", extra={"dataset": after.dataset, "run": after.run_id})
    _keep(done=True, says=done)
    # So that this page, and Predict, show it at once and not when the store is next asked.
    edges.serving.refresh()


def _keep(*, done: bool, says: str) -> None:
    st.session_state[_OUTCOME] = Outcome(done, says, until=time.monotonic() + _SAID_FOR)


def why_not(error: ChartBusterError) -> str:
    """What stood in the way, and what to do about it, in Markdown."""
    match error:
        case NotAllowed():
            text = str(error)
            return f"{plain(text[0].upper() + text[1:])}."
        case InvalidReason():
            return (
                f"A reason is one line of {SHORTEST_REASON} to {LONGEST_REASON} characters, so "
                "that others can read later why this was done."
            )
        case UntrustedModel():
            return (
                "The model's stored file is not what its run vouches for, so it cannot be the "
                "champion. Nothing was changed; choose another model."
            )
        case NotFound():
            return "That model or its run is not in the store any more. Nothing was changed."
        case Conflict():
            return (
                "The champion was moved by somebody else meanwhile. Look at who is champion now, "
                "and decide again."
            )
        case Corrupt():
            return (
                "A record in the store is damaged, so nothing was changed. "
                "`make logs SERVICE=webapp` says which."
            )
        case Unreachable():
            return (
                "The store does not answer. Look at who is champion once it does, because the "
                "decision may have gone through, and try again if it did not."
            )
    return "That did not work. `make logs SERVICE=webapp` says why."


def _say(found: Outcome) -> None:
    if found.done:
        st.success(found.says, icon=":material/trophy:")
    else:
        st.error(found.says, icon=":material/block:")
