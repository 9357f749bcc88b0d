"""The controls of a song: each keeps what the visitor set, the rest follows the genre."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from webapp.predict import form
from webapp.states import Shown


def song(shown: Shown, row: DeltaGenerator) -> dict[str, Any]:
    """The song as the controls say it; what nobody touched is what is usual for the genre.

    The genre goes into `row`, which may hold other choices already; the rest goes below it.
    """
    inputs = shown.run.inputs
    touched: dict[str, Any] = st.session_state.setdefault("touched", {})
    said: dict[str, Any] = {}
    genre: str | None = None
    with row:
        if inputs.genres:
            key = f"genre {shown.run.run_id}"
            wanted = touched.get("genre")
            options = list(inputs.genres)
            start = wanted if wanted in options else form.first_genre(inputs)
            genre = st.selectbox(
                "Genre",
                options,
                index=options.index(start or options[0]),
                key=key,
                on_change=_touch,
                args=("genre", key),
                width=260,
            )
            said["genre"] = genre
        st.button(
            "Start over",
            on_click=_start_over,
            disabled=not (touched.keys() - {"genre"} or st.session_state.get("title")),
            help="Every control goes back to what is usual for the genre.",
        )
    st.caption(
        "Everything starts at what is usual for the genre. Choose another genre, and what you "
        "have not moved yourself goes along."
    )
    grid = st.grid(2, min_column_width=290)
    for group in form.groups(inputs):
        with grid.cell(), st.container(border=True, height="stretch", gap="xsmall"):
            st.subheader(group.title, anchor=False)
            for control in group.controls:
                said[control.name] = _control(shown, genre, control)
            if group.title == form.LAST and form.asks_for_title(shown.run):
                said["title"] = _title()
    return {name: value for name, value in said.items() if value not in (None, "")}


def _control(shown: Shown, genre: str | None, control: form.Control) -> Any:
    """One control, at what the visitor set it to, else at what is usual for the genre."""
    touched: Mapping[str, Any] = st.session_state["touched"]
    key = f"{control.name} {shown.run.run_id}"
    if control.name in touched:
        value = control.fitted(touched[control.name])
    else:
        value = form.start(shown.run.inputs, genre, control)
    # Set only when it differs: a value set while somebody drags would pull the slider back.
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    args = (control.name, key)
    match control:
        case form.Choice(label=label, options=options):
            return st.selectbox(label, options, key=key, on_change=_touch, args=args)
        case form.Length(label=label, meaning=meaning, options=lengths):
            return st.select_slider(
                _label(label, meaning),
                lengths,
                key=key,
                format_func=form.minutes,
                on_change=_touch,
                args=args,
            )
        case form.Slider(label=label, meaning=meaning):
            return st.slider(
                _label(label, meaning),
                control.low,
                control.high,
                step=control.step,
                format=control.format,
                key=key,
                on_change=_touch,
                args=args,
            )


def _title() -> str:
    return st.text_input(
        "Title: words such as remix, live or feat. count",
        key="title",
        max_chars=200,
        placeholder="optional",
    )


def _label(label: str, meaning: str) -> str:
    # Plain text, because Streamlit reads a label's markdown out to screen readers as it is.
    return f"{label}: {meaning}"


def _touch(name: str, key: str) -> None:
    st.session_state["touched"][name] = st.session_state[key]


def _start_over() -> None:
    touched = st.session_state["touched"]
    st.session_state["touched"] = {name: touched[name] for name in touched if name == "genre"}
    st.session_state["title"] = ""
