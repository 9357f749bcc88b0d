"""The controls of a song: each keeps what the visitor set, the rest follows the genre."""

from typing import Any

import streamlit as st

from webapp.predict import form, naming, visit
from webapp.states import Shown


def genres(shown: Shown) -> list[str]:
    """The genres chosen, the one that sets the defaults first; none where the data has none."""
    inputs = shown.run.inputs
    if not inputs.genres:
        return []
    touched = visit.touched()
    wanted = form.genres_of(inputs, touched.get(form.GENRE, form.first_genre(inputs)))
    first, others = f"genre {shown.run.run_id}", f"more genres {shown.run.run_id}"
    # Set only when it differs: a value set while somebody chooses would undo the choice.
    if st.session_state.get(first) != (main := wanted[0] if wanted else None):
        st.session_state[first] = main
    if st.session_state.get(others) != wanted[1:]:
        st.session_state[others] = wanted[1:]
    st.selectbox(
        "Genre",
        inputs.genres,
        index=None,
        key=first,
        placeholder="none",
        on_change=_touch_genres,
        args=(first, others, shown.run.run_id),
        width=220,
    )
    st.multiselect(
        "Also",
        [genre for genre in inputs.genres if genre != main],
        key=others,
        placeholder="more genres",
        on_change=_touch_genres,
        args=(first, others, shown.run.run_id),
        width=220,
    )
    return wanted


def attributes(shown: Shown, chosen: list[str]) -> dict[str, Any]:
    """The song as the controls say it; what nobody touched is what is usual for the genre."""
    run = shown.run
    first = chosen[0] if chosen else None
    said: dict[str, Any] = {form.GENRE: chosen}
    grid = st.grid(2, min_column_width=270)
    groups = form.groups(run.inputs)
    for place, group in enumerate(groups):
        with grid.cell(), st.expander(group.title, expanded=place == 0 or not _on_a_phone()):
            for control in group.controls:
                said[control.name] = _control(shown, first, control)
    asks = {"title": form.asks_for_title(run), "artist": form.asks_for_artist(run)}
    if any(asks.values()):
        with (
            # In the place that an odd number of groups leaves free, else across the page.
            grid.cell(column_span="all" if len(groups) % 2 == 0 else 1),
            st.expander("Name and artist", expanded=not _on_a_phone()),
        ):
            pair = st.grid(2, min_column_width=230)
            for name in (name for name, counts in asks.items() if counts):
                with pair.cell():
                    said[name] = _text(name, run.run_id)
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def _control(shown: Shown, genre: str | None, control: form.Control) -> Any:
    """One control, at what the visitor set it to, else at what is usual for the genre."""
    touched = visit.touched()
    key = f"{control.name} {shown.run.run_id}"
    if control.name in touched:
        value = control.fitted(touched[control.name])
    else:
        value = form.start(shown.run.inputs, genre, control)
    # Set only when it differs: a value set while somebody drags would pull the slider back.
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    args = (control.name, key, shown.run.run_id)
    match control:
        case form.Choice(label=label, options=options):
            return st.selectbox(label, options, key=key, on_change=visit.touch, args=args)
        case form.Length(label=label, meaning=meaning, options=lengths):
            return st.select_slider(
                _label(label, meaning),
                lengths,
                key=key,
                format_func=naming.minutes,
                on_change=visit.touch,
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
                on_change=visit.touch,
                args=args,
            )


_TEXTS = {
    "title": ("Title: words such as remix, live or feat. count", "optional"),
    "artist": ("Artist: nobody known makes it a debut", "optional, as the data spells it"),
}


def _text(name: str, run_id: str) -> str:
    label, placeholder = _TEXTS[name]
    if st.session_state.get(name) != (value := str(visit.touched().get(name, ""))):
        st.session_state[name] = value
    return st.text_input(
        label,
        key=name,
        max_chars=200,
        placeholder=placeholder,
        on_change=visit.touch,
        args=(name, name, run_id),
    )


def _on_a_phone() -> bool:
    """Whether the page is so narrow that groups had better be closed at first: phones say so."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def _label(label: str, meaning: str) -> str:
    # Plain text, because Streamlit reads a label's markdown out to screen readers as it is.
    return f"{label}: {meaning}"


def _touch_genres(first: str, others: str, run_id: str) -> None:
    if not visit.is_drawn(run_id):
        return
    main, more = st.session_state[first], st.session_state[others]
    visit.touched()[form.GENRE] = [name for name in dict.fromkeys([main, *more]) if name]
