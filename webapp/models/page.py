"""The page Models: how good every model is, which is champion, how that came, and changing it."""

from pathlib import Path

import streamlit as st

from chartbuster import wording
from chartbuster.card import words as figures
from chartbuster.errors import Corrupt, NotFound, TryAgain
from chartbuster.runs import Champion, ModelEntry, RunManifest
from webapp import frame, pictures, waiting
from webapp.archive import Archive
from webapp.edges import Edges
from webapp.models import board, deciding
from webapp.models.history import by, history
from webapp.models.shelf import Shelf, shelf, short
from webapp.states import Away, Connecting, Showing, Shown, State, Waiting
from webapp.words import plain

_STYLE = Path(__file__).with_name("style.css")

_HOW_TO_READ = """
**Error** is the mean absolute error: how many points of popularity, from 0 to 100, the model is
off on average. Smaller is better. The **baseline** says the mean of the song's genre and nothing
else; a model that does not beat it has learnt nothing.

**R²** is the share of the differences between songs that the model accounts for: 1 would be all
of them, 0 none, as if it always said the same, and less than 0 is worse than that.

**Hits found** is the average precision: 1 if every hit had a higher hit probability than every
other song. Naming songs at random would reach the share of hits, which the model card names.

**Within interval** is how often a song's popularity was in the interval given with its
prediction, which is meant to hold nine in ten. **Interval width** is how wide it is on average, in
points: of two that hold as much, the narrower says more.

The small figures are **95 % intervals**: where the figure would mostly be on other songs of this
kind. **New artists** are those the model had no song of, **known artists** those it had other
songs of. Every song was tested by a model that was not fitted on it. New artists decide who is
champion.
"""


def show(edges: Edges) -> None:
    """The whole page, whatever the state of the store."""
    frame.opening("Models", "How good every model is, which one predicts, and how that came about.")
    st.html(_STYLE)
    deciding.outcome()
    state = edges.serving.state
    match state:
        case Connecting() | Away():
            waiting.show(state)
        case Showing() | Waiting():
            _stocked(edges, state)
    frame.follow(edges.serving, state)


def _stocked(edges: Edges, state: Showing | Waiting) -> None:
    """What the store holds, where it answers."""
    if isinstance(state, Showing):
        frame.asleep(state)
    try:
        found = edges.archive.runs(state)
    except (TryAgain, NotFound):
        waiting.show(Away())
        return
    shown = [each.dataset for each in state.datasets] if isinstance(state, Showing) else []
    datasets = list(dict.fromkeys([*shown, *sorted(run.dataset for run in found.runs)]))
    if found.damaged:
        ids = ", ".join(plain(short(run_id)) for run_id in found.damaged[:5])
        st.warning(
            f"The record of {len(found.damaged)} of the runs cannot be read ({ids}), so they are "
            "not shown. `make logs SERVICE=webapp` says what is wrong with each.",
            icon=":material/broken_image:",
        )
    if not datasets:
        waiting.show(state)
        return
    dataset = frame.one_of(datasets)
    champion = _champion(edges, state, dataset)
    _dataset(edges, shelf(dataset, champion, found.runs))


def _champion(edges: Edges, state: State, dataset: str) -> Champion | None:
    """The dataset's champion, also when its run cannot be shown."""
    if isinstance(state, Showing):
        for each in state.datasets:
            if isinstance(each, Shown) and each.dataset == dataset:
                return each.champion
    try:
        return edges.registry.champion(dataset)
    except Corrupt:
        st.error(
            f"The record of the champion of {plain(dataset)} is damaged, and with it the history. "
            "`make logs SERVICE=webapp` says what is wrong; a new upload of the data does not "
            "replace it, a copy of the record does.",
            icon=":material/broken_image:",
        )
    except TryAgain:
        st.warning(
            "Who is champion cannot be asked now, because the store does not answer.",
            icon=":material/hourglass_top:",
        )
    return None


def _dataset(edges: Edges, held: Shelf) -> None:
    with st.container(key="models", gap="medium"):
        with st.container():
            _holder(edges, held)
        if not held.runs:
            st.markdown("The runs of this dataset are not in the store any more.")
        else:
            with st.container():
                run = _run(held)
                _leaderboard(edges, held, run)
            with st.container():
                _found_out(edges.archive, run)
        if held.champion is not None:
            with st.container():
                st.header("How champions came and went", anchor=False)
                _markup(history(held, held.champion))


def _holder(edges: Edges, held: Shelf) -> None:
    """Who is champion, since when and why, and the way back."""
    st.header("The champion", anchor=False)
    champion = held.champion
    if champion is None:
        st.markdown(
            f"**{plain(frame.named(held.dataset))}** has no champion. The next run that finishes "
            "becomes one, or promote a model below."
        )
        deciding.who_may(edges)
        return
    run = held.run(champion.run_id)
    entry = held.entry(champion.run_id, champion.model)
    crowned = next((each for each in reversed(champion.history) if each.crowned), None)
    who = f", {plain(by(crowned))}" if crowned else ""
    st.markdown(
        f"**{plain(held.named(champion.run_id, champion.model))}** is the champion of "
        f"**{plain(frame.named(held.dataset))}** since {wording.moment(champion.since)}{who}: "
        f"{plain(champion.reason)}."
    )
    if run is not None and entry is not None:
        _tiles(run, entry)
    else:
        st.warning(
            "Its run cannot be read, so nothing is predicted with it. Roll back, or promote a "
            "model of another run.",
            icon=":material/broken_image:",
        )
    before = held.former
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Roll back…",
            icon=":material/undo:",
            disabled=before is None,
            key="roll back",
            on_click=deciding.forget,
        )
        st.markdown(
            f"A rollback returns to {plain(held.named(before.run_id, before.model))}, champion "
            f"from {wording.moment(before.at)}."
            if before
            else "There was no champion before this one, so there is nothing to roll back to."
        )
    deciding.who_may(edges)
    if pressed:
        deciding.roll_back(edges, held, champion)


def _tiles(run: RunManifest, entry: ModelEntry) -> None:
    tiles = []
    for protocol in board.PROTOCOLS:
        scores, guess = figures.scores(entry, protocol), figures.baseline(run, protocol)
        if scores is None:
            continue
        beside = f"baseline {guess.mae:.2f}" if guess else None
        tiles.append((f"Error, {protocol}", f"{scores.mae:.2f}", beside))
        tiles.append((f"R², {protocol}", f"{scores.r2:.3f}", None))
    grid = st.grid(4, min_column_width=150)
    for label, value, beside in tiles:
        with grid.cell():
            st.metric(label, value)
            if beside:
                st.caption(beside)


def _run(held: Shelf) -> RunManifest:
    """The run the visitor looks at; the champion's at first."""
    st.header("Leaderboard", anchor=False)
    ids = [run.run_id for run in held.runs]
    champion = held.champion.run_id if held.champion else None
    runs = {run.run_id: run for run in held.runs}
    chosen = st.selectbox(
        "Run, the newest first",
        ids,
        index=ids.index(champion) if champion in ids else 0,
        format_func=lambda run_id: _label(runs[run_id], champion),
        # A new champion is a reason to look at its run.
        key=f"run {held.dataset} {champion}",
        width=620,
    )
    return runs[chosen or ids[0]]


def _label(run: RunManifest, champion: str | None) -> str:
    said = f"{wording.moment(run.created)}, run {short(run.run_id)}, {wording.learnt_from(run)}"
    return f"{said} (has the champion)" if run.run_id == champion else said


def _leaderboard(edges: Edges, held: Shelf, run: RunManifest) -> None:
    if wording.is_synthetic(run.dataset):
        st.markdown("Learnt from **synthetic songs**, so it says nothing about real music.")
    _markup(board.leaderboard(held, run))
    with st.expander("How to read these figures", icon=":material/help:"):
        st.markdown(_HOW_TO_READ)
    others = [each for each in run.models if not held.is_champion(run.run_id, each.name)]
    others.sort(key=lambda entry: (entry.deciding_mae, entry.name))
    by_name = {each.name: each for each in others}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = st.selectbox(
            "Model to promote",
            list(by_name),
            format_func=lambda name: f"{by_name[name].title}, {_off(by_name[name])}",
            key=f"promote {run.run_id} {held.champion.model if held.champion else ''}",
            width=420,
        )
        pressed = st.button(
            "Promote…",
            icon=":material/trophy:",
            disabled=model is None,
            key="promote",
            on_click=deciding.forget,
        )
    if pressed and model is not None:
        deciding.promote(edges, held, run, by_name[model])
    if len(held.runs) > 1:
        with st.expander(f"All {len(held.runs):,} runs of this dataset", icon=":material/list:"):
            _markup(board.runs(held))


def _off(entry: ModelEntry) -> str:
    error = entry.deciding_mae
    return f"off by {error:.2f} points" if error < float("inf") else "not measured"


def _found_out(archive: Archive, run: RunManifest) -> None:
    """The model card, section by section, and as a file."""
    title = next((each.title for each in run.models if each.name == run.best), run.best)
    st.header("Model card", anchor=False)
    st.markdown(
        f"What run {plain(short(run.run_id))} found out about its best model, **{plain(title)}**."
    )
    try:
        card = archive.card(run)
    except TryAgain:
        st.warning(
            "The card cannot be fetched now, because the store does not answer.",
            icon=":material/hourglass_top:",
        )
        return
    if not card.whole:
        st.warning(
            "This run's report is damaged, so the card has its scores alone.",
            icon=":material/broken_image:",
        )
    for section in card.sections:
        # The leaderboard above says the same and more.
        if section.name != "models":
            with st.expander(section.heading):
                _markup(section.body)
    st.download_button(
        "Download the card",
        card.file,
        file_name=f"chartbuster-{run.dataset}-{short(run.run_id)}.html",
        mime="text/html",
        icon=":material/download:",
        on_click="ignore",
        help="One file that stands by itself: no script, nothing loaded from anywhere.",
    )


def _markup(drawn: str) -> None:
    st.html(f'<div class="cb-card">{pictures.pictured(drawn)}</div>')
