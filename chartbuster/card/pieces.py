"""The pieces a card's page is made of: paragraphs, tables, a plot beside its table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chartbuster.card import words
from chartbuster.markup import Markup, element, joined
from chartbuster.plots import Mark
from chartbuster.runs import Interval

_NOTHING = Markup()


@dataclass(frozen=True)
class Section:
    """A section: its address within the page, its heading, and what is in it."""

    name: str
    heading: str
    body: Markup


def mark(value: float, interval: Interval | None, times: float = 1.0) -> Mark:
    if interval is None:
        return Mark(value)
    return Mark(value, interval.low * times, interval.high * times)


def paragraph(*said: str) -> Markup:
    return element("p", *said)


def small(said: str) -> Markup:
    return element("small", said)


def with_interval(
    figure: str,
    interval: Interval | None,
    write: Callable[[Interval], str] = words.figures_between,
) -> Markup:
    """A figure, and under it its interval where there is one."""
    return joined(figure, small(write(interval)) if interval else "")


def pair(plot: Markup, table: Markup, *, under: Markup = _NOTHING) -> Markup:
    """A plot with the figures it shows, and what may stand under it."""
    left = element("div", element("figure", plot), under)
    return element("div", left, element("div", table), class_="pair")


def table(caption: str, header: Sequence[str], body: Sequence[Sequence[str]]) -> Markup:
    """A table whose first column names its rows; one too wide for the page scrolls by itself."""
    shown = element(
        "table",
        element("thead", element("tr", *(element("th", name, scope="col") for name in header))),
        element("tbody", *(_table_row(cells) for cells in body)),
        aria_label=caption,
    )
    # The caption stands outside, or it would scroll away with the table.
    return joined(
        element("p", caption, class_="caption"),
        element("div", shown, class_="scroll", role="region", tabindex="0", aria_label=caption),
    )


def _table_row(cells: Sequence[str]) -> Markup:
    first, *others = cells
    return element(
        "tr", element("th", first, scope="row"), *(element("td", cell) for cell in others)
    )


def facts(facts: Sequence[tuple[str, str]]) -> Markup:
    return element(
        "table",
        element("tbody", *(_table_row(fact) for fact in facts)),
        class_="facts",
    )
