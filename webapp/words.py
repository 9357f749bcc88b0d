"""How figures, times and runs are put into words."""

import re

from chartbuster.registry import ModelEntry, Scores
from chartbuster.runs import BASELINE

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|$:~])")


def plain(text: str) -> str:
    """`text` from the data so that Markdown shows it letter by letter."""
    return _MARKDOWN.sub(r"\\\1", text)


def deciding_scores(entry: ModelEntry) -> Scores | None:
    """The scores a model is judged by: on new artists, else on known ones, else none."""
    return entry.new_artists or entry.known_artists


def off_by(entry: ModelEntry) -> str:
    """The model's error on songs it was not fitted on: `off by 6.94 points`."""
    scores = deciding_scores(entry)
    return f"off by {scores.mae:.2f} points" if scores else "not measured"


def measured_on(entry: ModelEntry) -> str:
    """A sentence saying how far off the model is, and on which songs."""
    if entry.new_artists:
        return (
            "On songs of artists it had never heard, this model is "
            f"off by {entry.new_artists.mae:.1f} points on average."
        )
    if entry.known_artists:
        return (
            f"On songs it had never heard, this model is off by {entry.known_artists.mae:.1f} "
            "points on average."
        )
    return "How far off this model is could not be measured on this data."


def beside_the_mean(popularity: float, mean: float | None, genre: str | None) -> str:
    """The prediction compared with the mean of the genre, in a sentence."""
    if mean is None:
        return ""
    whose = f"the mean of {plain(genre)}" if genre else "the mean of all songs"
    # The difference of what is shown, so that the sum on the page comes out.
    points = round(round(popularity, 1) - round(mean, 1), 1)
    if points == 0:
        return f"Exactly {whose}, {mean:.1f}."
    way = "above" if points > 0 else "below"
    return f"**{abs(points):.1f} points {way}** {whose}, {mean:.1f}."


def met(artist: str | None, *, known: bool) -> str:
    """Whether the model has met the artist, and what follows from it."""
    if known:
        return f"The model has met {plain(artist or 'the artist')}, and counts that in."
    if artist:
        return f"The model has never met {plain(artist)}, so the song counts as a debut."
    return "Nobody is named as the artist, so the song counts as a debut."


def model_caption(entry: ModelEntry) -> str:
    """What stands under a model's name in the choice of models."""
    return off_by(entry) + (", the one to beat" if entry.name == BASELINE else "")
