"""What the models say of the variants: side by side, what differs, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from chartbuster import plots
from chartbuster.errors import ChartBusterError, InvalidSong, TryAgain
from chartbuster.markup import Markup, element, joined
from chartbuster.study import Study
from webapp import frame, words
from webapp.compare import differences, lineup, tables
from webapp.compare.differences import Answered
from webapp.compare.lineup import LETTERS, Lineup, Variant
from webapp.predict.naming import signed
from webapp.predict.standing import chance
from webapp.serving import Serving
from webapp.states import Shown

_STUDIES = "compared studies"
_LONG_NAME = 17


@dataclass(frozen=True)
class Failed:
    """A variant its model says nothing of; `why` is a sentence for people, as Markdown."""

    why: str


def answers(serving: Serving, shown: Shown, compared: Lineup) -> dict[int, Answered | Failed]:
    """What the models say, by the variants' numbers; what was asked before is not asked again."""
    before: Mapping[str, Study] = st.session_state.get(_STUDIES, {})
    kept: dict[str, Study] = {}
    found: dict[int, Answered | Failed] = {}
    for letter, variant in zip(LETTERS, compared.variants, strict=False):
        model = variant.asked.model or lineup.usual_model(shown)
        song = lineup.whole(shown.run, variant.song)
        question = json.dumps([shown.run.run_id, shown.run.attempt, model, song])
        try:
            study = before.get(question) or serving.study(shown, model, song)
        except InvalidSong as error:
            found[variant.number] = Failed(
                f"This song cannot be scored: {words.plain(str(error))}."
            )
        except TryAgain:
            found[variant.number] = Failed(
                "The store does not answer, and this model is not loaded yet. Try again in a "
                "moment."
            )
        except ChartBusterError:
            title = words.plain(shown.run.model(model).title)
            found[variant.number] = Failed(
                f"**{title}** was not loaded, because its stored file is not what its run vouches "
                "for. Vary the model and choose another."
            )
        else:
            kept[question] = study
            found[variant.number] = Answered(letter, variant, song, study)
    st.session_state[_STUDIES] = kept
    return found


def named(
    shown: Shown, first: Answered | Failed | None, one: Answered | Failed, variant: Variant
) -> str:
    """What a variant is called: its name, else what tells it from the first."""
    if variant.asked.name:
        return variant.asked.name
    title = str(variant.song.get("title") or "")
    if isinstance(one, Answered) and isinstance(first, Answered) and first is not one:
        if title and title != first.song.get("title"):
            return title
        return differences.described(first, one, shown.run)
    return title or ", ".join(lineup.genres_of(shown.run, variant.song)) or "a song"


def number(one: Answered, first: Answered | None) -> None:
    """One variant's prediction in large type, and how certain it is."""
    whole, tenth = f"{one.popularity:.1f}".split(".")
    sure = one.study.sureness
    said: list[Markup] = [
        element(
            "p",
            element("b", whole, class_="cb-whole"),
            element("b", f".{tenth}", class_="cb-tenth"),
            element("span", " of 100", class_="cb-quiet"),
            *_more(one, first),
            class_="cb-score",
        )
    ]
    if sure:
        said.append(
            element(
                "p",
                f"{sure.low:.0f} to {sure.high:.0f}, {differences.odds(sure.interval)}; ",
                f"{chance(sure.hit)} chance of a hit",
                class_="cb-quiet",
            )
        )
    st.html(element("div", *said, class_="cb-variant"))


def origin(serving: Serving, shown: Shown, variant: Variant) -> None:
    """The known song the variant started from, and the popularity that one really has."""
    if variant.asked.known is None:
        return
    try:
        known = serving.library(shown).song(variant.asked.known)
    except ChartBusterError:
        return
    st.caption(
        f"Started from {words.plain(known.name)}, which really has **{known.popularity:.0f}**."
    )


def side_by_side(shown: Shown, answered: Sequence[Answered], names: Mapping[int, str]) -> None:
    """All predictions with their intervals on one scale, and what is to be made of them."""
    first = answered[0]
    rows = []
    for one in answered:
        sure = one.study.sureness
        mark = plots.Mark(one.popularity, *((sure.low, sure.high) if sure else ()))
        rows.append(plots.Row(_short(f"{one.letter} {names[one.variant.number]}"), (mark,)))
    told = "; ".join(
        f"{one.letter}, {names[one.variant.number]}: {one.popularity:.1f}"
        + (
            f" ({one.study.sureness.low:.0f} to {one.study.sureness.high:.0f})"
            if one.study.sureness
            else ""
        )
        for one in answered
    )
    about = plots.About("compared", "Predicted popularity of every variant", told)
    with st.container(key="compare-plot"):
        frame.plot(
            plots.rows(
                about,
                rows,
                series=["popularity"],
                axis=f"popularity; the dashed line is {first.letter}",
                beside=first.popularity,
            )
        )
        sure = first.study.sureness
        if sure:
            st.caption(
                f"Dots are predictions; a song's popularity is within its line "
                f"{differences.odds(sure.interval)}."
            )
    with st.container(key="compare-verdict", gap="small"):
        for other in answered[1:]:
            st.markdown(differences.verdict(first, other, shown.run))
        if advice := differences.advice(answered, shown.run):
            st.caption(advice)


def differing(shown: Shown, answered: Sequence[Answered]) -> None:
    """What the models say and what the variants differ in, beside one another."""
    letters = [one.letter for one in answered]
    first = letters[0]
    st.header("What differs", anchor=False)
    lines = differences.settings(answered, shown.run)
    if lines:
        st.html(tables.html("What the variants differ in", letters, lines))
        st.caption(
            f"Only what is not the same everywhere; in small type by how much more than {first}."
        )
    else:
        st.markdown("Nothing yet: the variants are the same. Change something in one of them.")
    st.subheader("What the models say of them", anchor=False)
    st.html(tables.html("What the models say", letters, differences.figures(answered)))


def reasons(answered: Sequence[Answered]) -> None:
    """What moves each prediction, and what makes the difference between them."""
    first = answered[0]
    letters = [one.letter for one in answered]
    st.header("What makes the difference", anchor=False)
    lines = differences.contributions(answered)
    st.html(tables.html("What moves each prediction, in points", letters, lines, total=True))
    st.caption(
        "Points by which each attribute moves the prediction away from a typical song's; in small "
        f"type by how much more than in {first.letter}. Every column adds up to its prediction. It "
        "says how the models think, not how the world works."
    )
    if len({one.variant.asked.model for one in answered}) > 1:
        st.caption(
            "Not all variants ask the same model, so part of the difference is between the models."
        )


def _more(one: Answered, first: Answered | None) -> list[Markup]:
    if first is None or first is one:
        return []
    points = signed(one.popularity - first.popularity)
    return [element("span", joined(f" {points} ", "against ", first.letter), class_="cb-apart")]


def _short(label: str) -> str:
    return label if len(label) <= _LONG_NAME else f"{label[: _LONG_NAME - 1].rstrip(', ')}…"
