"""The dead letters of one queue, and what can be done with each."""

import streamlit as st

from chartbuster.letters import TRAINING, UPLOAD, Told
from chartbuster.passages import Tray, View
from webapp.edges import Edges
from webapp.pipeline import acting, words
from webapp.words import plain

_TITLES = {UPLOAD: "Uploads", TRAINING: "Trainings"}
_ABOUT = {
    UPLOAD: "Redriving puts the file again, unchanged, so that the Lambda gets its event once "
    "more. A file that was refused will be refused again: upload a corrected one under the same "
    "name instead, and then redrive or discard the letter.",
    TRAINING: "Redriving puts the message back into the training queue. That helps when the "
    "reason is gone, like a trainer that ran out of memory or was of an older release.",
}


def section(edges: Edges, view: View) -> None:
    """Both dead-letter queues."""
    st.header("Dead letters", anchor=False)
    st.markdown(
        "A message that fails again and again would keep the others waiting, so it is set aside "
        "with its reason, until somebody looks."
    )
    why = acting.refusal(edges, "redrive or discard letters")
    if why:
        st.caption(f"Redriving and discarding are for operators: {plain(why)}")
    trays = {UPLOAD: view.upload_letters, TRAINING: view.training_letters}
    for (kind, tray), column in zip(trays.items(), st.columns(2, gap="large"), strict=True):
        with column:
            _tray(edges, kind, tray, view, may=not why)


def _tray(edges: Edges, kind: str, tray: Tray | None, view: View, *, may: bool) -> None:
    st.subheader(_TITLES[kind], anchor=False)
    acting.outcome(kind)
    if tray is None:
        st.caption("This queue does not answer at the moment.")
        return
    count = tray.depth.messages
    if count == 0:
        st.caption("No letters. Nothing failed, or everything was dealt with.")
        return
    st.caption(_ABOUT[kind])
    if len(tray.letters) < count:
        st.caption(
            f"{words.counted(count, 'letter')}; these are the first {len(tray.letters)}. Others "
            "may be in somebody's hands."
        )
    ids = [letter.id for letter in tray.letters]
    if len(ids) > 1:
        st.button(
            f"Redrive all {len(ids)}",
            key=f"redrive all {kind}",
            icon=":material/replay:",
            on_click=acting.redrive,
            args=(edges, kind, ids),
            disabled=not may,
        )
    for letter in tray.letters:
        _letter(edges, letter, view, may=may)


def _letter(edges: Edges, letter: Told, view: View, *, may: bool) -> None:
    with st.container(border=True, gap="small"):
        what = ", ".join(key.removeprefix("datasets/") for key in letter.keys) or letter.what
        st.markdown(f"**{plain(_short(what, 160))}**")
        st.markdown(plain(_short(letter.reason, 500)))
        sent = words.ago(letter.sent, view.at)
        st.caption(f"Set aside {sent}, {words.clock(letter.sent)}")
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Redrive",
                key=f"redrive {letter.id}",
                icon=":material/replay:",
                on_click=acting.redrive,
                args=(edges, letter.kind, [letter.id]),
                disabled=not may,
            )
            with st.popover("Discard", icon=":material/delete:", disabled=not may):
                st.markdown("The letter is gone for good. The file it is about stays.")
                st.button(
                    "Discard for good",
                    key=f"discard {letter.id}",
                    on_click=acting.discard,
                    args=(edges, letter.kind, [letter.id]),
                )


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
