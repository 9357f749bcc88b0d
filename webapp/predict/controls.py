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
        args=(first, others),
        width=220,
    )
    st.multiselect(
        "Also",
        [genre for genre in inputs.genres if genre != main],
        key=others,
        placeholder="more genres",
        on_change=_touch_genres,
        args=(first, others),
        width=220,
    )
    return wanted


def song(shown: Shown, chosen: list[str]) -> dict[str, Any]:
    """The song as the controls show it; what nobody touched is what is usual for the genre."""
    first = chosen[0] if chosen else None
    said: dict[str, Any] = {form.GENRE: chosen}
    for group in form.groups(shown.run.inputs):
        for control in group.controls:
            said[control.name] = _value(shown, first, control)
    for name in _texts(shown):
        said[name] = str(visit.touched().get(name, ""))
    return {name: value for name, value in said.items() if value not in (None, "", [])}


def attributes(shown: Shown, chosen: list[str]) -> None:
    """A control for everything else a song may say."""
    run = shown.run
    first = chosen[0] if chosen else None
    grid = st.grid(2, min_column_width=270)
    groups = form.groups(run.inputs)
    for place, group in enumerate(groups):
        with grid.cell(), st.expander(group.title, expanded=place == 0 or not _on_a_phone()):
            for control in group.controls:
                _control(shown, first, control)
    if texts := _texts(shown):
        with (
            # In the place that an odd number of groups leaves free, else across the page.
            grid.cell(column_span="all" if len(groups) % 2 == 0 else 1),
            st.expander("Name and artist", expanded=not _on_a_phone()),
        ):
            pair = st.grid(2, min_column_width=230)
            for name in texts:
                with pair.cell():
                    _text(name)


def _value(shown: Shown, genre: str | None, control: form.Control) -> Any:
    """What the visitor set the control to, else what is usual for the genre."""
    touched = visit.touched()
    if control.name in touched:
        return control.fitted(touched[control.name])
    return form.start(shown.run.inputs, genre, control)


def _control(shown: Shown, genre: str | None, control: form.Control) -> None:
    """One control at its value."""
    key = f"{control.name} {shown.run.run_id}"
    value = _value(shown, genre, control)
    # Set only when it differs: a value set while somebody drags would pull the slider back.
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    args = (control.name, key)
    match control:
        case form.Choice(label=label, options=options):
            st.selectbox(label, options, key=key, on_change=visit.touch, args=args)
        case form.Length(label=label, meaning=meaning, options=lengths):
            st.select_slider(
                _label(label, meaning),
                lengths,
                key=key,
                format_func=naming.minutes,
                on_change=visit.touch,
                args=args,
            )
        case form.Slider(label=label, meaning=meaning):
            st.slider(
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


def _texts(shown: Shown) -> tuple[str, ...]:
    """The texts that count for the run's models."""
    asks = {"title": form.asks_for_title(shown.run), "artist": form.asks_for_artist(shown.run)}
    return tuple(name for name, counts in asks.items() if counts)


def _text(name: str) -> None:
    label, placeholder = _TEXTS[name]
    if st.session_state.get(name) != (value := str(visit.touched().get(name, ""))):
        st.session_state[name] = value
    st.text_input(
        label,
        key=name,
        max_chars=200,
        placeholder=placeholder,
        on_change=visit.touch,
        args=(name, name),
    )


def _on_a_phone() -> bool:
    """Whether the page is so narrow that groups had better be closed at first: phones say so."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def _label(label: str, meaning: str) -> str:
    # Plain text, because Streamlit reads a label's markdown out to screen readers as it is.
    return f"{label}: {meaning}"


def _touch_genres(first: str, others: str) -> None:
    main, more = st.session_state[first], st.session_state[others]
    visit.touched()[form.GENRE] = [name for name in dict.fromkeys([main, *more]) if name]
