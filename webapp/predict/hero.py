"""The predicted popularity in large type, as HTML made of values. Every text is escaped."""

from dataclasses import dataclass

from chartbuster.markup import Markup, element, joined


@dataclass(frozen=True)
class Beside:
    """A popularity to see the number beside, and whose it is: `the mean of Pop`."""

    popularity: float
    whose: str


def html(
    popularity: float,
    *,
    between: tuple[float, float] | None,
    often: str,
    mean: Beside | None,
    really: Beside | None,
    source: str,
) -> Markup:
    """The number from 0 to 100, how sure it is, and what it stands beside.

    `between` is the interval the song is in as `often` as it says; where there is none, `often`
    alone is said. `really` is what a known song really has. `source` says what the number is from.
    """
    whole, tenth = f"{popularity:.1f}".split(".")
    number = element(
        "p",
        element("span", whole, class_="cb-whole"),
        element("span", f".{tenth}", class_="cb-tenth"),
        element("span", " of 100", class_="cb-of"),
        class_="cb-number",
        role="status",
    )
    return element(
        "div",
        element("div", number, _sure(between, often), class_="cb-said"),
        _bar(popularity, between, mean, really),
        _key(popularity, mean, really),
        element("p", source, class_="cb-source"),
        class_="cb-hero",
    )


def often(interval: float) -> str:
    """How often songs are in their interval, in words: `nine of ten cases`."""
    words = {0.5: "one of two", 0.8: "four of five", 0.9: "nine of ten", 0.95: "19 of 20"}
    return f"{words.get(round(interval, 3), f'{interval * 100:g} of 100')} cases"


def _sure(between: tuple[float, float] | None, often: str) -> Markup:
    if between is None:
        return element("p", often, class_="cb-sure")
    low, high = between
    return element(
        "p", "between ", element("b", f"{low:.0f} and {high:.0f}"), f" in {often}", class_="cb-sure"
    )


def _bar(
    popularity: float,
    between: tuple[float, float] | None,
    mean: Beside | None,
    really: Beside | None,
) -> Markup:
    """A line from 0 to 100; a picture of what the text says, so screen readers skip it."""
    parts = []
    if between is not None:
        low, high = between
        parts.append(
            element(
                "i",
                class_="cb-band",
                style=f"left:{_percent(low)};width:{_percent(high - low)}",
            )
        )
    if mean is not None:
        parts.append(element("i", class_="cb-mean", style=f"left:{_percent(mean.popularity)}"))
    parts.append(element("i", class_="cb-dot", style=f"left:{_percent(popularity)}"))
    if really is not None:
        parts.append(element("i", class_="cb-really", style=f"left:{_percent(really.popularity)}"))
    return element("div", *parts, class_="cb-bar", aria_hidden="true")


def _key(popularity: float, mean: Beside | None, really: Beside | None) -> Markup:
    parts = []
    if really is not None:
        parts.append(
            element(
                "span",
                element("i", class_="cb-really"),
                element("b", f"really {really.popularity:.0f}"),
                element("span", really.whose, class_="cb-clip"),
                element("span", _off(popularity, really.popularity)),
            )
        )
    if mean is not None:
        parts.append(
            element("span", element("i", class_="cb-tick"), f"{mean.whose}: {mean.popularity:.1f}")
        )
    return element("p", *parts, class_="cb-key") if parts else joined()


def _off(popularity: float, really: float) -> str:
    points = round(round(popularity, 1) - really, 1)
    if points == 0:
        return "exactly as predicted"
    return f"predicted {abs(points):.1f} {'more' if points > 0 else 'less'}"


def _percent(points: float) -> str:
    return f"{min(max(points, 0.0), 100.0):.1f}%"
