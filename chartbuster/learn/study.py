"""Studies one song: the number, how sure it is, why, and what would change it, all in one question.

A slider that moves wants all of it several times a second, so the model is asked once, about a few
hundred rows: the coalitions that contributions come from, and the points of every what-if curve.
Only one row of the model matrix is made from the song itself. Every other row takes each attribute
from one of three places: the song, the typical song, or a song that is typical but for one value;
the latter two are the same for all songs and made once (`Ground`).
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chartbuster.explanations import ATTRIBUTES, Curve, Value
from chartbuster.learn.artists import ARTIST
from chartbuster.learn.explain import Places, Shares, explanation, values_of
from chartbuster.learn.ground import SONG, TYPICAL, Ground, row_of
from chartbuster.learn.predictor import Predictor
from chartbuster.learn.uncertainty import outlook_of
from chartbuster.outlooks import Outlooks
from chartbuster.scoring import completed
from chartbuster.songs import AUDIO_NAMES
from chartbuster.study import Advice, Change, Study, Sureness

type Numbers = NDArray[np.float64]

PAIRS = 12
"""So many orders of attributes are drawn for contributions, and each is also walked backwards.

With the models and songs we have, the worst of a song's contributions is then off by 0.2 points.
"""

WORTH = 0.05
"""By how many points a change has to lift a prediction to be worth advising."""

CHANGEABLE = (*AUDIO_NAMES, "key", "mode", "time_signature")
"""What a musician can change about a song."""

REACH = 0.25
"""How far advice goes from where the song is, of what the run's songs span: one without any dancing
in it is another song.
"""

_ATTRIBUTES_TRIED, _VALUES_TRIED = 4, 5


def study(
    predictor: Predictor,
    model: str,
    song: Mapping[str, Any],
    *,
    outlooks: Outlooks | None,
    genre_mean: float | None,
) -> Study:
    """Everything `model` says about `song`, as somebody described it.

    The model is asked once for all but the advice, which takes one question more. `outlooks` are
    what the run knows of its models' errors, `genre_mean` what its baseline says of the song.
    Raises `InvalidSong`, and what `Predictor.model` raises.
    """
    ground = predictor.ground
    used = completed(song, ground.inputs)
    values = values_of(used)
    rows = np.vstack([ground.rows, row_of(used, ground.columns)])
    known = predictor.knows(model, rows[SONG:])
    shares = Shares.of(_players(ground, rows, known=bool(known[0])), PAIRS, 0)
    coalitions = shares.choice(SONG)

    def ask(choice: Places) -> Numbers:
        picked = rows[choice[:, ground.owners], np.arange(len(ground.columns))]
        return predictor.said(model, picked)

    predicted = ask(np.concatenate([coalitions, ground.choices]))
    of_coalitions, of_changes = np.split(predicted, [len(coalitions)])
    # Coalitions are sorted: the first has nothing of the song, the last everything.
    why = explanation(
        song,
        values,
        ground.typical,
        base=float(of_coalitions[0]),
        prediction=float(of_coalitions[-1]),
        points=shares.points(of_coalitions),
    )
    sureness = None
    if outlooks is not None:
        outlook = outlook_of(
            outlooks,
            model,
            ground.columns,
            rows[SONG:],
            predicted=of_coalitions[-1:],
            known=known,
        )
        sureness = Sureness.of(outlook, outlooks)
    return Study(
        sureness=sureness,
        genre_mean=genre_mean,
        explanation=why,
        curves=_curves(ground, values, why.prediction, of_changes),
        advice=_advice(ground, values, why.prediction, of_changes, ask),
    )


def _players(ground: Ground, rows: Numbers, *, known: bool) -> Places:
    """The places in ATTRIBUTES of what tells the song from the typical one."""
    song, typical = rows[SONG], rows[TYPICAL]
    differs = (song != typical) & ~(np.isnan(song) & np.isnan(typical))
    players = np.unique(ground.owners[differs])
    # An artist the model has not met is nobody to it, so there is no need to ask who.
    return players if known else players[players != ATTRIBUTES.index(ARTIST)]


def _curves(
    ground: Ground, values: Mapping[str, Value], prediction: float, predicted: Numbers
) -> tuple[Curve, ...]:
    """The curves of what is predicted for all changes, through the song's own values."""
    curves = []
    answers = zip(ground.changes, predicted.tolist(), strict=True)
    for name, these in itertools.groupby(answers, key=lambda answer: answer[0][0]):
        points = {value: answer for (_, value), answer in these}
        own = values[name]
        if isinstance(own, int | float):
            points[own] = prediction
            points = dict(sorted(points.items()))
        elif own in points:
            points[own] = prediction
        curves.append(Curve(name, tuple(points), tuple(points.values())))
    return tuple(curves)


def _advice(
    ground: Ground,
    values: Mapping[str, Value],
    prediction: float,
    predicted: Numbers,
    ask: Callable[[Places], Numbers],
) -> Advice | None:
    """The best of the single changes, and of the pairs of those few that gain most by themselves.

    A pair is tried at the best value of each fifth of either curve: what is best for one alone
    need not be so together.
    """
    of_attribute: dict[str, list[int]] = {}
    for number, (name, _) in enumerate(ground.changes):
        if name in CHANGEABLE:
            of_attribute.setdefault(name, []).append(number)
    of_attribute = {
        name: near
        for name, these in of_attribute.items()
        if (near := _near(values[name], these, [ground.changes[number][1] for number in these]))
    }

    def best(numbers: Sequence[int]) -> int:
        return max(numbers, key=lambda number: float(predicted[number]))

    leading = sorted(of_attribute.values(), key=lambda these: -predicted[best(these)])
    tried = [
        [best(part) for part in _parts(these, _VALUES_TRIED)]
        for these in leading[:_ATTRIBUTES_TRIED]
    ]
    pairs = [
        pair
        for one, other in itertools.combinations(tried, 2)
        for pair in itertools.product(one, other)
    ]
    found: tuple[tuple[int, ...], float] = ((), prediction)
    if leading and predicted[best(leading[0])] - prediction >= WORTH:
        found = ((best(leading[0]),), float(predicted[best(leading[0])]))
    if pairs:
        first, second = (ground.choices[list(side)] for side in zip(*pairs, strict=True))
        # What one change leaves to the song, -1, the other may take from its own row.
        together = ask(np.maximum(first, second))
        if together.max() - found[1] >= WORTH:
            found = (pairs[int(together.argmax())], float(together.max()))
    numbers, reached = found
    changes = [ground.changes[number] for number in numbers]
    if not changes:
        return None
    return Advice(
        tuple(Change(name, values[name], value) for name, value in changes),
        prediction=reached,
        gain=reached - prediction,
    )


def _near(own: Value, numbers: Sequence[int], reached: Sequence[float | str]) -> list[int]:
    """Those of the changes `numbers`, to the values `reached`, that leave it the same song."""
    amounts = [value for value in reached if not isinstance(value, str)]
    if not amounts or not isinstance(own, int | float):
        return list(numbers)
    most = REACH * (max(amounts) - min(amounts))
    near = zip(numbers, amounts, strict=True)
    return [number for number, amount in near if abs(amount - own) <= most]


def _parts(numbers: Sequence[int], count: int) -> list[Sequence[int]]:
    """`numbers` in at most `count` parts of about equal length, in their order."""
    size = math.ceil(len(numbers) / count)
    return [numbers[n : n + size] for n in range(0, len(numbers), size)]
