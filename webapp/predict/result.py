"""The result: the number in large type, what it means, or what stands in its way."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from chartbuster import wording
from chartbuster.errors import ChartBusterError, InvalidSong, TryAgain
from chartbuster.runs import BASELINE
from webapp import words
from webapp.predict import hero
from webapp.serving import Prediction, Serving
from webapp.states import Shown


def model_key(shown: Shown) -> str:
    """The name under which the visitor's choice of model is kept; a new champion is a new one."""
    return f"model {shown.run.run_id} {shown.champion.model}"


def number(
    serving: Serving, shown: Shown, model: str, song: Mapping[str, Any]
) -> Prediction | None:
    """The number in large type, or what stands in its way."""
    st.header("Predicted popularity", anchor=False)
    try:
        prediction = serving.predict(shown, model, song)
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
        scores = words.deciding_scores(shown.run.model(model))
        mean, genre = prediction.genre_mean, song.get("genre", "all songs")
        st.html(
            hero.html(
                prediction.popularity,
                error=scores.mae if scores else None,
                mean=mean,
                mean_label=f"mean of {genre}: {mean:.1f}" if mean is not None else "",
            )
        )
        return prediction
    return None


def comparison(shown: Shown, model: str, song: Mapping[str, Any], prediction: Prediction) -> None:
    """The number beside the genre's mean, and how far it can be trusted."""
    if model != BASELINE:
        mean = prediction.genre_mean
        st.markdown(words.beside_the_mean(prediction.popularity, mean, song.get("genre")))
    st.markdown(words.measured_on(shown.run.model(model)))
    if shown.dataset == wording.SYNTHETIC:
        st.markdown("Learnt from **synthetic songs**, so it says nothing about real music.")


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
            args=(model_key(shown), others[0].name),
        )


def _choose(key: str, model: str) -> None:
    st.session_state[key] = model
