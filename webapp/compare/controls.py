"""The controls of the variants: for what is varied, and only for that, one in every variant."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from webapp import links, words
from webapp.compare import lineup, visit
from webapp.compare.lineup import GENRE, LONGEST_NAME, MODEL, Lineup, Variant
from webapp.predict import form, naming
from webapp.states import Shown

_VARIED = "compare varied"


def varied(shown: Shown, compared: Lineup) -> None:
    """Which attributes have a control in every variant."""
    names = lineup.variable(shown.run)
    _show(_VARIED, list(compared.varied))
    st.multiselect(
        "What to vary",
        list(names),
        key=_VARIED,
        format_func=names.__getitem__,
        placeholder="Choose attributes to change",
        select_all=False,
        on_change=_vary,
    )


def attributes(shown: Shown, compared: Lineup, variant: Variant, letter: str) -> None:
    """The controls of one variant."""
    run = shown.run
    genres = lineup.genres_of(run, variant.song)
    controls = {control.name: control for control in lineup.controls(run)}
    for name in compared.varied:
        key = f"compare {name} {variant.number} {run.run_id}"
        if name == GENRE:
            _genres(shown, variant, letter, key, genres)
        elif name == MODEL:
            _model(shown, variant, letter, key)
        elif name in controls:
            first = genres[0] if genres else None
            value = lineup.value_of(run, variant.song, first, controls[name])
            _attribute(run.run_id, controls[name], variant, letter, key, value)
        else:
            _show(key, str(variant.song.get(name, "")))
            st.text_input(
                f"{naming.label(name)} of {letter}",
                key=key,
                max_chars=links.LONGEST_TEXT,
                on_change=_set,
                args=(variant.number, name, key, run.run_id),
            )


def actions(compared: Lineup, variant: Variant, letter: str) -> None:
    """Copy, name and remove a variant."""
    number = variant.number
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            f"Copy {letter}",
            key=f"compare copy {number}",
            on_click=_copy,
            args=(number,),
            disabled=len(compared.variants) >= lineup.MOST,
            help=f"There are {lineup.MOST} variants at most.",
        )
        with st.popover(f"Name {letter}", key=f"compare naming {number}"):
            key = f"compare name {number}"
            _show(key, variant.asked.name or "")
            st.text_input(
                f"What to call {letter}",
                key=key,
                max_chars=LONGEST_NAME,
                on_change=_name,
                args=(number, key),
            )
        st.button(
            f"Remove {letter}",
            key=f"compare remove {number}",
            on_click=_remove,
            args=(number,),
            disabled=len(compared.variants) <= lineup.FEWEST,
            help="A comparison has at least two variants.",
        )


def _attribute(
    run_id: str, control: form.Control, variant: Variant, letter: str, key: str, value: Any
) -> None:
    _show(key, value)
    label, args = f"{control.label} of {letter}", (variant.number, control.name, key, run_id)
    match control:
        case form.Choice(options=options):
            st.selectbox(label, options, key=key, on_change=_set, args=args)
        case form.Length(options=lengths):
            st.select_slider(
                label, lengths, key=key, format_func=naming.minutes, on_change=_set, args=args
            )
        case form.Slider():
            st.slider(
                label,
                control.low,
                control.high,
                step=control.step,
                format=control.format,
                key=key,
                on_change=_set,
                args=args,
            )


def _genres(shown: Shown, variant: Variant, letter: str, key: str, genres: Sequence[str]) -> None:
    _show(key, list(genres))
    st.multiselect(
        f"Genres of {letter}",
        shown.run.inputs.genres,
        key=key,
        placeholder="none",
        select_all=False,
        on_change=_set,
        args=(variant.number, GENRE, key, shown.run.run_id),
        help="What was not set follows the first of them.",
    )


def _model(shown: Shown, variant: Variant, letter: str, key: str) -> None:
    run, champion = shown.run, shown.champion
    entries = sorted(run.models, key=lambda entry: entry.deciding_mae)
    titles = {
        entry.name: entry.title
        + (" (champion)" if champion.is_model(run.run_id, entry.name) else "")
        for entry in entries
    }
    _show(key, variant.asked.model or lineup.usual_model(shown))
    st.selectbox(
        f"Model of {letter}",
        list(titles),
        key=key,
        format_func=titles.__getitem__,
        on_change=_set,
        args=(variant.number, MODEL, key, run.run_id),
        help="  \n".join(f"{words.plain(e.title)}: {words.off_by(e)}" for e in entries),
    )


def _show(key: str, value: Any) -> None:
    """Let the control `key` show `value`."""
    # Set only when it differs: a value set while somebody drags would pull the slider back.
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _vary() -> None:
    chosen = tuple(st.session_state[_VARIED])
    visit.change(lambda compared: compared.varying(chosen))


def _set(number: int, name: str, key: str, run_id: str) -> None:
    # The browser goes on to tell of controls that are gone, as those of another dataset's run.
    if visit.now().run_id == run_id:
        value = st.session_state[key]
        visit.change(lambda compared: compared.set(number, name, value))


def _name(number: int, key: str) -> None:
    name = st.session_state[key].strip() or None
    visit.change(lambda compared: compared.named(number, name))


def _copy(number: int) -> None:
    visit.change(lambda compared: compared.copied(number))


def _remove(number: int) -> None:
    visit.change(lambda compared: compared.without(number))
