"""What-if curves as small multiples in HTML: every attribute's curve, with the song marked on it.

Streamlit lets no SVG through, and a picture per curve would be decoded anew at every move of a
slider. So a curve is an element that is clipped to its shape: nothing to load, and in the colours
of the page.
"""

from collections.abc import Mapping, Sequence

from chartbuster.explanations import Curve, Value
from chartbuster.markup import Markup, element, joined
from webapp.predict.naming import label, shown

_LEAST_SPAN = 10.0
"""Points between bottom and top at least, so that a curve that hardly moves looks like it."""
_ROOM = 0.08
_GENRE = "genre"


def html(curves: Sequence[Curve], song: Mapping[str, Value], prediction: float) -> Markup:
    """All curves, each with the value `song` has marked, on one scale of popularity.

    Only the genre has a scale of its own, because it often counts for more than all else together.
    `prediction` is what the model says of the song as it is. Curves of numbers are lines, those of
    choices are columns; of many choices the columns are sorted. `song` is by attribute; what is
    not in it is not marked.
    """
    if not curves:
        return Markup()
    scales = {
        is_genre: _scale(
            [prediction]
            + [
                said
                for curve in curves
                if (curve.attribute == _GENRE) == is_genre
                for said in curve.predictions
            ]
        )
        for is_genre in (True, False)
    }
    cells = [
        _cell(curve, song.get(curve.attribute), prediction, *scales[curve.attribute == _GENRE])
        for curve in curves
    ]
    return element("ul", *cells, class_="cb-curves")


def says(curve: Curve, value: Value, prediction: float) -> str:
    """The curve in a sentence, for whoever does not see it."""
    if not curve.values:
        return f"{label(curve.attribute)}: no values."
    ranked = sorted(zip(curve.predictions, curve.values, strict=True), key=lambda pair: pair[0])
    (least, at_least), (most, at_most) = ranked[0], ranked[-1]
    name = curve.attribute
    here = f" Now {shown(name, value)}: {prediction:.1f}." if value is not None else ""
    if round(least, 1) == round(most, 1):
        return f"{label(name)}: {most:.1f} whatever it is.{here}"
    return (
        f"{label(name)}: lowest {least:.1f} at {shown(name, at_least)}, "
        f"highest {most:.1f} at {shown(name, at_most)}.{here}"
    )


def _scale(said: Sequence[float]) -> tuple[float, float]:
    low, high = min(said), max(said)
    room = max((high - low) * _ROOM, (_LEAST_SPAN - (high - low)) / 2)
    return max(low - room, 0.0), min(high + room, 100.0)


def _cell(curve: Curve, value: Value, prediction: float, low: float, high: float) -> Markup:
    span = high - low or 1.0
    tops = [100 * (1 - (said - low) / span) for said in curve.predictions]
    here = 100 * (1 - (prediction - low) / span)
    if _numbers(curve):
        drawn = _line(curve, tops, value, here)
        ends = joined(
            element("span", shown(curve.attribute, curve.values[0])),
            element("span", shown(curve.attribute, curve.values[-1])),
        )
    else:
        order = range(len(tops))
        if curve.attribute == _GENRE:
            order = sorted(order, key=lambda place: tops[place])  # type: ignore[assignment]
        drawn = _columns([(curve.values[n] == value, tops[n]) for n in order], here)
        names = [shown(curve.attribute, curve.values[n]) for n in order]
        ends = joined(*(element("span", name) for name in _ends(names)))
    least, most = min(curve.predictions), max(curve.predictions)
    return element(
        "li",
        element(
            "p",
            element("b", label(curve.attribute)),
            element("span", shown(curve.attribute, value)) if value is not None else Markup(),
            class_="cb-what",
        ),
        element(
            "div",
            drawn,
            class_="cb-field",
            role="img",
            aria_label=says(curve, value, prediction),
        ),
        element("p", ends, class_="cb-ends", aria_hidden="true"),
        element(
            "p",
            f"{least:.0f} to {most:.0f}" if round(least) != round(most) else f"{most:.0f} always",
            class_="cb-span",
            aria_hidden="true",
        ),
    )


def _line(curve: Curve, tops: Sequence[float], value: Value, here: float) -> Markup:
    xs = [float(x) for x in curve.values]
    width = xs[-1] - xs[0] or 1.0
    at = [(100 * (x - xs[0]) / width, top) for x, top in zip(xs, tops, strict=True)]
    if len(at) == 1:
        at = [(0.0, at[0][1]), (100.0, at[0][1])]
    above = ",".join(f"{x:.4g}% {y:.4g}%" for x, y in at)
    over = ",".join(f"{x:.4g}% calc({y:.4g}% - 1px)" for x, y in at)
    under = ",".join(f"{x:.4g}% calc({y:.4g}% + 1px)" for x, y in reversed(at))
    parts = [
        _clipped("cb-area", f"0% 100%,{above},100% 100%"),
        _clipped("cb-line", f"{over},{under}"),
    ]
    if isinstance(value, int | float):
        left = min(max(100 * (float(value) - xs[0]) / width, 0.0), 100.0)
        parts.append(element("i", class_="cb-at", style=f"left:{left:.4g}%"))
        parts.append(element("i", class_="cb-dot", style=f"left:{left:.4g}%;top:{here:.4g}%"))
    return joined(*parts)


def _columns(columns: Sequence[tuple[bool, float]], here: float) -> Markup:
    """A column per choice; the song's own is darker and has its dot."""
    drawn = []
    for mine, top in columns:
        dot = element("i", class_="cb-dot", style="left:50%;top:0%") if mine else Markup()
        drawn.append(
            element(
                "i",
                dot,
                class_="cb-column cb-mine" if mine else "cb-column",
                style=f"height:{100 - top:.4g}%",
            )
        )
    if not any(mine for mine, _ in columns):
        # Of none or several choices: where the song is, but over no column of its own.
        drawn.append(element("i", class_="cb-level", style=f"top:{here:.4g}%"))
    return element("div", *drawn, class_="cb-columns")


def _ends(names: Sequence[str]) -> Sequence[str]:
    """What stands under the columns: every choice where they are few, else the outer ones."""
    letters = sum(len(name) + 1 for name in names)
    return names if letters <= 20 and len(names) > 2 else (names[0], names[-1])


def _clipped(kind: str, shape: str) -> Markup:
    return element("i", class_=kind, style=f"clip-path:polygon({shape})")


def _numbers(curve: Curve) -> bool:
    return all(not isinstance(value, str) for value in curve.values)
