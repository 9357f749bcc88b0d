"""Where a prediction stands among known songs, in words and as a small plot, as HTML."""

import itertools
from collections.abc import Sequence

from chartbuster.markup import Markup, element, joined
from chartbuster.study import Sureness

_BINS = 25
_WIDE = 100 / _BINS


def html(
    popularity: float, sure: Sureness, whose: str, among: Sequence[float] = (), of: str = ""
) -> Markup:
    """The percentile among the songs of `whose` genres, and the chance of a hit.

    Where quantiles of popularity (from 0 to 1 in equal steps) are given, there is a plot of how the
    song stands `among` the songs they are `of`.
    """
    plot = _plot(popularity, sure.hit_from, among, of or whose) if among else joined()
    return element(
        "div",
        element("p", element("b", rank(sure.percentile)), f" {whose}.", class_="cb-rank"),
        plot,
        element(
            "p",
            element("b", f"{chance(sure.hit)} chance of a hit"),
            f", {sure.hit_from:.0f} or more",
            " (dotted)." if among else ".",
            class_="cb-rank",
        ),
        class_="cb-standing",
    )


def rank(percentile: float) -> str:
    """What a percentile says: `More popular than 72 in 100 songs of`."""
    below = round(percentile)
    if below <= 0:
        return "Among the least popular songs of"
    if below >= 100:
        return "More popular than nearly all songs of"
    return f"More popular than {below} in 100 songs of"


def chance(probability: float) -> str:
    """A probability in per cent: `12%`, `Under 1%`, `Over 99%`."""
    percent = 100 * probability
    if percent < 1:
        return "Under 1%"
    if percent > 99:
        return "Over 99%"
    return f"{percent:.0f}%"


def shares(quantiles: Sequence[float]) -> tuple[float, ...]:
    """Which part of the songs is in each of 25 equal steps of popularity from 0 to 100."""
    edges = [_below(quantiles, _WIDE * n) for n in range(_BINS)] + [1.0]
    edges[0] = 0.0
    return tuple(max(after - before, 0.0) for before, after in itertools.pairwise(edges))


def _below(quantiles: Sequence[float], popularity: float) -> float:
    """The share of songs less popular than `popularity`."""
    steps = len(quantiles) - 1
    for place, value in enumerate(quantiles):
        if value >= popularity:
            if place == 0:
                return 0.0
            before = quantiles[place - 1]
            part = (popularity - before) / (value - before) if value > before else 0.0
            return (place - 1 + part) / steps
    return 1.0


def _plot(popularity: float, hit_from: float, among: Sequence[float], whose: str) -> Markup:
    found = shares(among)
    most = max(found) or 1.0
    own = min(int(popularity / _WIDE), _BINS - 1)
    columns = [
        element(
            "i",
            class_="cb-column cb-mine" if n == own else "cb-column",
            style=f"height:{max(100 * share / most, 1.5 if share else 0):.3g}%",
        )
        for n, share in enumerate(found)
    ]
    half = among[len(among) // 2]
    return element(
        "div",
        element(
            "div",
            element("div", *columns, class_="cb-columns"),
            element("i", class_="cb-at", style=f"left:{popularity:.4g}%"),
            element("i", class_="cb-hit", style=f"left:{hit_from:.4g}%"),
            class_="cb-field",
            role="img",
            aria_label=f"How popular songs of {whose} are: half of them are below {half:.0f}. "
            f"This song is predicted {popularity:.1f}.",
        ),
        element(
            "p",
            element("span", "0"),
            element("span", f"how popular songs of {whose} are"),
            element("span", "100"),
            class_="cb-ends",
            aria_hidden="true",
        ),
    )
