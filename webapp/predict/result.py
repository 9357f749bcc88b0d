"""The result: the number, how sure it is, why and what if; or what stands in its way."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from chartbuster import wording
from chartbuster.errors import ChartBusterError, InvalidSong, TryAgain
from chartbuster.runs import BASELINE
from chartbuster.study import Advice, Study
from webapp import words
from webapp.predict import curves, form, hero, naming, reasons, standing, visit
from webapp.serving import Serving
from webapp.states import Shown


def number(serving: Serving, shown: Shown, model: str, song: Mapping[str, Any]) -> Study | None:
    """The number in large type, or what stands in its way."""
    st.header("Predicted popularity", anchor=False)
    try:
        study = serving.study(shown, model, song)
    except InvalidSong as error:
        st.warning(
            f"This song cannot be scored: {words.plain(str(error))}.", icon=":material/edit:"
        )
    except TryAgain:
        st.warning(
            "The store does not answer, and this model is not loaded yet. Try again in a moment.",
            icon=":material/hourglass_top:",
        )
    except ChartBusterError:
        _refused(shown, model)
    else:
        st.html(_hero(shown, model, song, study))
        return study
    return None


def _hero(shown: Shown, model: str, song: Mapping[str, Any], study: Study) -> str:
    sure, entry = study.sureness, shown.run.model(model)
    whose = f"mean of {_whose(song)}"
    champion = shown.champion.is_model(shown.run.run_id, model)
    return hero.html(
        study.popularity,
        between=(sure.low, sure.high) if sure else None,
        often=hero.often(sure.interval) if sure else words.off_by(entry),
        mean=hero.Beside(study.genre_mean, whose) if study.genre_mean is not None else None,
        really=_really(shown.dataset),
        source=f"{entry.title}{', the champion' if champion else ''} · "
        f"{shown.dataset} · run {shown.run.run_id[:12]}",
    )


def _really(dataset: str) -> hero.Beside | None:
    known = visit.started(dataset)
    return hero.Beside(known.popularity, known.title or known.name) if known else None


def why(serving: Serving, shown: Shown, model: str, song: Mapping[str, Any], study: Study) -> None:
    """What the number means, where it stands, what it is made of, and what would lift it."""
    st.markdown("  \n".join(_sentences(shown, model, song, study)))
    if study.sureness is None:
        st.caption(
            "This run does not say how sure its models are: it is older, or the file is damaged. "
            "So there is no interval and no chance of a hit. Put the data in again to have them."
        )
    else:
        known = serving.outlooks(shown)
        first = next(iter(song.get(form.GENRE, ())), "all songs")
        among = known.genres.get(first, known.everywhere) if known else ()
        st.html(standing.html(study.popularity, study.sureness, _whose(song), among, first))
    st.header("Why", anchor=False)
    st.html(reasons.html(study.explanation))
    _advice(study.advice)


def _sentences(shown: Shown, model: str, song: Mapping[str, Any], study: Study) -> list[str]:
    found = []
    if model != BASELINE and study.genre_mean is not None:
        genres = " and ".join(song.get(form.GENRE, ()))
        found.append(words.beside_the_mean(study.popularity, study.genre_mean, genres or None))
    found.append(words.measured_on(shown.run.model(model)))
    if study.sureness is not None and form.asks_for_artist(shown.run):
        found.append(words.met(song.get("artist"), known=study.sureness.known))
    if wording.is_synthetic(shown.dataset):
        found.append("Learnt from **synthetic songs**, so it says nothing about real music.")
    return found


def _advice(advice: Advice | None) -> None:
    """The two changes that would gain the most, and a button that makes them."""
    st.subheader("Change these to gain the most", anchor=False)
    if advice is None:
        st.markdown("No change of one or two attributes would lift the prediction.")
        return
    told = " and ".join(
        f"**{naming.label(change.attribute)}** {naming.shown(change.attribute, change.before)} → "
        f"**{naming.shown(change.attribute, change.after)}**"
        for change in advice.changes
    )
    st.markdown(
        f"{told}: **{advice.prediction:.1f}**, {naming.signed(advice.gain)}. It is what the model "
        "would say, not what listeners would do."
    )
    st.button(
        "Make the change" if len(advice.changes) == 1 else "Make both changes",
        icon=":material/north_east:",
        key="make changes",
        on_click=visit.change,
        args=({change.attribute: change.after for change in advice.changes},),
    )


def what_if(study: Study) -> None:
    """A curve for every attribute, with the song on it."""
    st.header("What if?", anchor=False)
    st.caption(
        "What the model would say if one attribute were another and the rest stayed. All but the "
        "genre's have the same scale, so a flat curve means that the attribute hardly counts here."
    )
    values = {told.attribute: told.value for told in study.explanation.contributions}
    st.html(curves.html(study.curves, values, study.popularity))


def _whose(song: Mapping[str, Any]) -> str:
    genres = song.get(form.GENRE) or ["all songs"]
    return " and ".join(genres)


def _refused(shown: Shown, model: str) -> None:
    """The stored model is not what its run vouches for: say so and offer the others."""
    title = words.plain(shown.run.model(model).title)
    st.error(
        f"**{title}** was not loaded, because its stored file is not what its run vouches for. "
        "Nothing is predicted with it.",
        icon=":material/gpp_bad:",
    )
    others = sorted(
        (entry for entry in shown.run.models if entry.name != model),
        key=lambda entry: entry.deciding_mae,
    )
    if others:
        st.button(
            f"Ask {words.plain(others[0].title)} instead",
            on_click=_choose,
            args=(visit.model_key(shown), others[0].name),
        )


def _choose(key: str, model: str) -> None:
    st.session_state[key] = model
