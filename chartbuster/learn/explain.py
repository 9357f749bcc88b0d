"""Finds why a model says what it says, asking the model and nothing else.

Everything goes by attributes as a person knows them, not by columns of the model's matrix: loudness
and its logarithm are one attribute, and so are all genre columns. The model is a function from a
ready table to popularities, so a pipeline, a blend and clipped predictions are all explained the
same way.

Contributions are Shapley values: an attribute's contribution is what it adds to the prediction when
the song's attributes replace the typical song's one after another, averaged over the orders they
can come in. Orders are drawn together with their reverse, which makes the result exact wherever no
more than two attributes act on each other, and near elsewhere; every order adds up to the whole
difference, so contributions always do.

Why not shap: its exact methods explain one fitted estimator by its columns, where we have a
function of attributes, some of them text, with blends and clipping in it. What is left is its
permutation explainer: the sampling below, more slowly, and four more packages to install.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.errors import WrongSchema
from chartbuster.explanations import (
    ATTRIBUTES,
    Contribution,
    Curve,
    Explanation,
    Importance,
    Value,
)
from chartbuster.features import (
    GENRE_PREFIX,
    LOGARITHMS,
    genre_columns,
    title_flags,
)
from chartbuster.layout import SCHEMA_VERSION
from chartbuster.runs import Inputs
from chartbuster.scoring import completed, song_table
from chartbuster.songs import (
    AUDIO_NAMES,
    GENRE_SEPARATOR,
    KEYS,
    MODES,
    TIME_SIGNATURES,
    TITLE_FLAGS,
)

type Numbers = NDArray[np.float64]
type Places = NDArray[np.intp]
type Predict = Callable[[pd.DataFrame], Numbers]
"""Popularity, 0 to 100, of each row of a ready table."""

PAIRS = 24
"""So many orders are drawn, and each is also walked backwards."""

_ROUNDING = 1e-6
_CHOICES = {"key": KEYS, "mode": MODES, "time_signature": TIME_SIGNATURES}
_TEXTS = ("artist", "title")
_OF_NO_ATTRIBUTE = ("song_id", "row_genres", "popularity", "schema_version")

ATTRIBUTE_OF: Mapping[str, str] = MappingProxyType(
    {name: name for name in (*AUDIO_NAMES, "release_year", *_TEXTS)}
    | {f"log_{name}": name for name in LOGARITHMS}
    | {f"{name}={letter}": name for name, letters in _CHOICES.items() for letter in letters}
    | {f"title_{flag}": "title" for flag in TITLE_FLAGS}
)
"""The attribute each fixed column of a ready table belongs to; genre columns belong to `genre`."""


@dataclass(frozen=True)
class Contributions:
    """`points` has a row per song and a column per attribute of ATTRIBUTES."""

    base: float
    predictions: Numbers
    points: Numbers


def explained(
    predict: Predict,
    songs: Sequence[Mapping[str, Any]],
    inputs: Inputs,
    *,
    seed: int = 0,
    pairs: int = PAIRS,
) -> tuple[Explanation, ...]:
    """Explanations of `songs`, as somebody described them, in one call of `predict`.

    They are completed as for scoring. The typical song is the one of which nothing is said: overall
    defaults, no genre, no title, no artist. Raises `InvalidSong` as scoring does.
    """
    asked = [{}, *songs]
    used = [completed(song, inputs) for song in asked]
    table = song_table(asked, inputs)
    found = contributions(predict, table.iloc[1:], table.iloc[:1], seed=seed, pairs=pairs)
    values = [values_of(song) for song in used]
    return tuple(
        explanation(
            song,
            values[row + 1],
            values[0],
            base=found.base,
            prediction=float(found.predictions[row]),
            points=found.points[row],
        )
        for row, song in enumerate(songs)
    )


def contributions(
    predict: Predict,
    songs: pd.DataFrame,
    typical: pd.DataFrame,
    *,
    seed: int = 0,
    pairs: int = PAIRS,
) -> Contributions:
    """Shapley values of ready songs against the one ready row `typical`, in one call of `predict`.

    A song's values depend on the seed but not on the other songs. An attribute the song shares with
    the typical one contributes exactly 0. Up to four different attributes give exact values. Takes
    about 30 `pairs` rows of the table per song.
    """
    table = _stacked(typical, songs)
    parts = [Shares.of(players, pairs, seed) for players in _different(table)]
    rows = [part.choice(row + 1) for row, part in enumerate(parts)]
    # The typical song goes first, so that there is a base when there is no song.
    choice = np.concatenate([np.zeros((1, len(ATTRIBUTES)), dtype=np.intp), *rows])
    predicted = _asked(predict, _mixed(table, choice))
    ends = np.cumsum([1, *(len(row) for row in rows)])
    of_song = [predicted[begin:end] for begin, end in itertools.pairwise(ends)]
    points = [part.points(values) for part, values in zip(parts, of_song, strict=True)]
    return Contributions(
        base=float(predicted[0]),
        # A song's coalitions are sorted: the last one has everything the song has.
        predictions=np.array([values[-1] for values in of_song]),
        points=np.array(points).reshape(len(songs), len(ATTRIBUTES)),
    )


def what_if(
    predict: Predict,
    song: Mapping[str, Any],
    inputs: Inputs,
    grids: Mapping[str, Sequence[float | str]],
) -> tuple[Curve, ...]:
    """What would be predicted for the song if one attribute were another, in one `predict` call.

    One curve for each attribute of `grids` (`explanations.grids` has some for every slider). What
    the song leaves out stays as its own genre has it, also where the genre is what changes. Raises
    `InvalidSong`.
    """
    used = completed(song, inputs)
    asked = [(name, value) for name, grid in grids.items() for value in grid]
    table = song_table([used, *({**used, name: value} for name, value in asked)], inputs)
    predicted = iter(_asked(predict, table.iloc[1:].reset_index(drop=True)).tolist())
    return tuple(
        Curve(name, tuple(grid), tuple(itertools.islice(predicted, len(grid))))
        for name, grid in grids.items()
    )


def dependence(
    predict: Predict,
    songs: pd.DataFrame,
    inputs: Inputs,
    *,
    seed: int = 0,
    most: int = 200,
    points: int = 20,
) -> tuple[Curve, ...]:
    """How the mean prediction of ready `songs` goes with each attribute (partial dependence).

    Over `most` songs at most, drawn by `seed`. Numbers take up to `points` values so that equally
    many songs lie between two of them; genres and letters take every value the songs have. An
    attribute with fewer than two values has no curve, and neither has a title or an artist.
    """
    drawn = _some(songs, most, np.random.default_rng(seed))
    curves = []
    for name, grid in _grids_of(songs, inputs, points).items():
        levels = song_table([{name: value} for value in grid], inputs)
        table = _stacked(drawn, levels)
        choice = np.tile(np.arange(len(drawn))[:, None], (len(grid), len(ATTRIBUTES)))
        choice[:, ATTRIBUTES.index(name)] = len(drawn) + np.repeat(np.arange(len(grid)), len(drawn))
        predicted = _asked(predict, _mixed(table, choice)).reshape(len(grid), len(drawn))
        curves.append(Curve(name, grid, tuple(predicted.mean(axis=1).tolist())))
    return tuple(curves)


def importances(
    predict: Predict,
    songs: pd.DataFrame,
    *,
    seed: int = 0,
    repeats: int = 5,
    most: int = 2_000,
) -> tuple[Importance, ...]:
    """How much worse predictions of ready `songs` get when an attribute is shuffled among them.

    `songs` have their popularity and should not be among those the model was fitted on. Over `most`
    of them at most. An attribute that is the same for all is not asked about and has 0. The most
    important comes first.
    """
    draw = np.random.default_rng(seed)
    drawn = _some(songs, most, draw)
    truth = drawn["popularity"].to_numpy(dtype=np.float64)
    table = _stacked(drawn)
    straight = np.tile(np.arange(len(drawn))[:, None], len(ATTRIBUTES))

    def error(choice: Places) -> float:
        return float(np.abs(_asked(predict, _mixed(table, choice)) - truth).mean())

    unshuffled = error(straight)
    varies = set(itertools.chain.from_iterable(_different(table)))
    found = []
    for place, name in enumerate(ATTRIBUTES):
        rises = [0.0]
        if place in varies:
            rises = []
            for _ in range(repeats):
                shuffled = straight.copy()
                shuffled[:, place] = draw.permutation(len(drawn))
                rises.append(error(shuffled) - unshuffled)
        found.append(Importance(name, float(np.mean(rises)), float(np.std(rises))))
    return tuple(sorted(found, key=lambda importance: -importance.rise))


@dataclass(frozen=True)
class Shares:
    """What has to be asked about one song, and what follows from the answers.

    `players` are the places in ATTRIBUTES of what differs from the typical song. A coalition is a
    number whose bit n says that player n has the song's value; `coalitions` holds each once,
    sorted. `orders` has a row per order, and `steps` the places of its coalitions, from none to
    all.
    """

    players: Places
    orders: Places
    coalitions: Places
    steps: Places

    @classmethod
    def of(cls, players: Places, pairs: int, seed: int) -> "Shares":
        orders = _orders(len(players), pairs, seed)
        growing = np.cumsum(np.left_shift(1, orders), axis=1)
        walks = np.concatenate([np.zeros((len(orders), 1), dtype=np.intp), growing], axis=1)
        coalitions, steps = np.unique(walks, return_inverse=True)
        return cls(players, orders, coalitions, steps.reshape(walks.shape))

    def choice(self, song: int) -> Places:
        """Which row of the table each attribute comes from: 0, the typical song, or `song`."""
        rows = np.zeros((len(self.coalitions), len(ATTRIBUTES)), dtype=np.intp)
        bits = np.right_shift(self.coalitions[:, None], np.arange(len(self.players))) & 1
        rows[:, self.players] = bits * song
        return rows

    def points(self, predicted: Numbers) -> Numbers:
        """The contribution of each of ATTRIBUTES from what is predicted for the coalitions."""
        gains = np.diff(predicted[self.steps], axis=1)
        points = np.zeros(len(ATTRIBUTES))
        np.add.at(points, self.players[self.orders], gains / len(self.orders))
        return points


def _orders(count: int, pairs: int, seed: int) -> Places:
    """Orders of `count` players: all where they are few, else `pairs` with their reverses."""
    if math.factorial(count) <= 2 * pairs:
        return np.array(list(itertools.permutations(range(count))), dtype=np.intp)
    places = np.tile(np.arange(count, dtype=np.intp), (pairs, 1))
    drawn = np.random.default_rng(seed).permuted(places, axis=1)
    return np.concatenate([drawn, drawn[:, ::-1]])


def values_of(song: Mapping[str, Any]) -> dict[str, Value]:
    """What a completed song has of each of ATTRIBUTES, a title by what its flags find there."""
    texts = {
        "genre": GENRE_SEPARATOR.join(song["genre"]) or None,
        "title": ", ".join(title_flags(song["title"])) or None,
    }
    return {name: texts[name] if name in texts else song[name] for name in ATTRIBUTES}


def explanation(
    said: Mapping[str, Any],
    values: Mapping[str, Value],
    typical: Mapping[str, Value],
    *,
    base: float,
    prediction: float,
    points: Numbers,
) -> Explanation:
    """The explanation of a song whose attributes contribute `points`, one for each of ATTRIBUTES.

    `values` are the song's and the typical song's, as `values_of` gives them; what has a value but
    is not `said` is assumed. Raises `ArithmeticError` where the points do not add up to the
    prediction less the base, as of a model that gives no numbers.
    """
    rest = prediction - base - float(points.sum())
    if not abs(rest) < _ROUNDING:
        raise ArithmeticError(
            f"contributions leave {rest} of {prediction} less {base} unexplained; expected 0"
        )
    found = [
        Contribution(
            attribute=name,
            value=values[name],
            typical=typical[name],
            assumed=said.get(name) is None and values[name] is not None,
            points=float(points[place]),
        )
        for place, name in enumerate(ATTRIBUTES)
    ]
    found.sort(key=lambda contribution: -abs(contribution.points))
    return Explanation(base, prediction, tuple(found))


def _some(songs: pd.DataFrame, most: int, draw: np.random.Generator) -> pd.DataFrame:
    """At most `most` of the songs, in their order."""
    if len(songs) <= most:
        return songs
    return songs.iloc[np.sort(draw.choice(len(songs), most, replace=False))]


def _grids_of(
    songs: pd.DataFrame, inputs: Inputs, points: int
) -> dict[str, tuple[float | str, ...]]:
    """The values to draw `dependence` over, for each attribute that has at least two."""
    found: dict[str, tuple[float | str, ...]] = {
        "genre": tuple(name for name in inputs.genres if bool(songs[f"{GENRE_PREFIX}{name}"].any()))
    }
    for name in (*AUDIO_NAMES, "release_year"):
        known = songs[name].dropna().to_numpy(dtype=np.float64)
        if len(known):
            # The outermost hundredth is left out: a few endless songs would take half the curve.
            quantiles = np.quantile(known, np.linspace(0.01, 0.99, points), method="nearest")
            found[name] = tuple(np.unique(quantiles).tolist())
    for name, letters in _CHOICES.items():
        found[name] = tuple(letter for letter in letters if (songs[f"{name}={letter}"] == 1).any())
    return {name: grid for name, grid in found.items() if len(grid) > 1}


def _stacked(*tables: pd.DataFrame) -> pd.DataFrame:
    """Ready tables one below the other; a genre that one of them lacks is 0 there."""
    table = pd.concat(tables, ignore_index=True)
    genres = genre_columns(table)
    table[genres] = table[genres].fillna(0)
    return table


def _different(table: pd.DataFrame) -> list[Places]:
    """For each row but the first, the places of the attributes it does not share with the first."""
    differs = np.zeros((len(table), len(ATTRIBUTES)), dtype=np.bool_)
    _, values, owners = _numbers(table)
    other = (values != values[:1]) & ~(np.isnan(values) & np.isnan(values[:1]))
    for column, owner in enumerate(owners):
        differs[:, owner] |= other[:, column]
    # Titles are not compared: beyond their flags they say nothing to a model.
    artists = table["artist"].fillna("").to_numpy(dtype=object)
    differs[:, ATTRIBUTES.index("artist")] = artists != artists[0]
    return [np.flatnonzero(row) for row in differs[1:]]


def _mixed(table: pd.DataFrame, choice: Places) -> pd.DataFrame:
    """A ready table whose row n has attribute a from row `choice[n, a]` of the ready `table`.

    Columns derived from an attribute come with it. Nobody's popularity is in it.
    """
    names, values, owners = _numbers(table)
    picked = values[choice[:, owners], np.arange(len(names))]
    numbers = pd.DataFrame(picked, columns=names)
    others: dict[str, Any] = {
        name: table[name].take(choice[:, ATTRIBUTES.index(name)]).reset_index(drop=True)
        for name in _TEXTS
    }
    others["song_id"] = pd.Series([f"song {n}" for n in range(len(choice))], dtype="str")
    others["row_genres"] = pd.Series(np.nan, index=range(len(choice)), dtype="str")
    others["popularity"] = np.full(len(choice), np.nan)
    others["schema_version"] = np.full(len(choice), SCHEMA_VERSION, dtype=np.int64)
    return pd.concat([pd.DataFrame(others), numbers], axis=1)[list(table.columns)]


def _numbers(table: pd.DataFrame) -> tuple[list[str], Numbers, Places]:
    """The columns of numbers that belong to attributes, their values, and whose they are."""
    names = [str(n) for n in table.columns if n not in _TEXTS and n not in _OF_NO_ATTRIBUTE]
    of_name = {n: "genre" if n.startswith(GENRE_PREFIX) else ATTRIBUTE_OF.get(n) for n in names}
    if unknown := [name for name, attribute in of_name.items() if attribute is None]:
        raise WrongSchema(f"the songs have the columns {unknown}; expected those of a ready table")
    owners = [ATTRIBUTES.index(attribute) for attribute in of_name.values() if attribute]
    values = table[names].to_numpy(dtype=np.float64, na_value=np.nan)
    return names, values, np.array(owners, dtype=np.intp)


def _asked(predict: Predict, table: pd.DataFrame) -> Numbers:
    return np.asarray(predict(table), dtype=np.float64)
