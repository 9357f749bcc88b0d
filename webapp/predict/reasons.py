"""What pushes a prediction up or down, step by step from the typical song to this one, as HTML.

Every step is a sentence with its sign and an arrow; the bar beside it begins where the last one
ended, and is only a picture of the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chartbuster.explanations import Contribution, Explanation
from chartbuster.markup import Markup, element, joined, text
from webapp.predict.naming import label, shown, signed

MOST = 8
"""So many attributes are told one by one; the rest are one step together."""


@dataclass(frozen=True)
class Step:
    """One move of the prediction by `points`, to a tenth, starting `at` so many of 100.

    `value` is the song's, in words; empty for what is told together.
    """

    name: str
    value: str
    at: float
    points: float


def steps(explanation: Explanation, most: int = MOST) -> tuple[Step, ...]:
    """From the base to the prediction; as shown, to a tenth, the points add up exactly."""
    at = round(explanation.base, 1)
    end = round(explanation.prediction, 1)
    found = []
    for told in explanation.contributions[:most]:
        points = round(told.points, 1)
        if points == 0:
            continue
        found.append(Step(label(told.attribute), _value(told), at, points))
        at = round(at + points, 1)
    rest = round(end - at, 1)
    if rest != 0:
        found.append(Step("Everything else", "", at, rest))
    return tuple(found)


def html(explanation: Explanation, most: int = MOST) -> Markup:
    """The steps as a list with bars, and what they mean."""
    found = steps(explanation, most)
    base, prediction = round(explanation.base, 1), round(explanation.prediction, 1)
    low, high = _scale([base, prediction, *(step.at for step in found)])
    rows = [_total("A typical song", base, low, high)]
    rows += [_row(step, low, high) for step in found]
    rows.append(_total("This song", prediction, low, high))
    return joined(
        element("ol", *rows, class_="cb-steps"),
        element(
            "p",
            "From the song in the middle of all to this one. It says how the model thinks, not "
            "how the world works.",
            class_="cb-note",
        ),
    )


def _scale(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def _value(told: Contribution) -> str:
    return (
        "nothing in it"
        if told.attribute == "title" and told.value is None
        else shown(told.attribute, told.value)
    )


def _total(name: str, value: float, low: float, high: float) -> Markup:
    left = 100 * (value - low) / (high - low)
    return element(
        "li",
        element("span", element("b", name), class_="cb-name"),
        element(
            "span",
            element("i", class_="cb-stand", style=f"left:{left:.4g}%"),
            class_="cb-track",
            aria_hidden="true",
        ),
        element("span", f"{value:.1f}", class_="cb-points"),
        class_="cb-total",
    )


def _row(step: Step, low: float, high: float) -> Markup:
    up = step.points > 0
    begin, end = sorted((step.at, step.at + step.points))
    left, width = 100 * (begin - low) / (high - low), 100 * (end - begin) / (high - low)
    value = [text(" "), element("span", step.value, class_="cb-value")] if step.value else []
    return element(
        "li",
        element("span", element("b", step.name), *value, class_="cb-name"),
        element(
            "span",
            element("i", class_="cb-move", style=f"left:{left:.4g}%;width:{width:.4g}%"),
            class_="cb-track",
            aria_hidden="true",
        ),
        element(
            "span",
            joined(signed(step.points), element("i", "▲" if up else "▼", aria_hidden="true")),
            element("span", "up" if up else "down", class_="cb-unseen"),
            class_="cb-points",
        ),
        class_="cb-up" if up else "cb-down",
    )
