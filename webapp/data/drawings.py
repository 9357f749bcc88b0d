"""The plots of the page Data."""

from collections.abc import Sequence

from chartbuster import plots
from chartbuster.learn.distributions import Distributions, GenreSongs, Histogram, WordCounts
from chartbuster.markup import Markup, element, joined
from chartbuster.plots import About, Mark, Row
from chartbuster.songs import RELEASE_YEAR
from webapp.data.sentences import counted, label, shown

MOST_GENRES = 30
"""The genres in the plot; the table has all."""

_LOW = 90.0


def popularity(found: Histogram) -> Markup:
    """How popular the songs are; the line stands where half of them are."""
    return _histogram(found, across="popularity", tall=190.0)


def attributes(found: Distributions) -> Markup:
    """A small plot per attribute, for a page that lays them out in columns."""
    return joined(
        *(_figure(each.name, _histogram(each, across="", tall=_LOW)) for each in found.numbers),
        *(_figure(each.name, _words(each)) for each in found.words),
    )


def genres(found: Sequence[GenreSongs]) -> Markup:
    """The genres with the most songs, the most popular first, each with the middle half."""
    drawn = most_songs(found)
    first, last = drawn[0], drawn[-1]
    return plots.rows(
        About(
            "genres",
            "Popularity by genre",
            f"Half of the songs of {first.genre} are at {first.quarters[1]:g} or below, of "
            f"{last.genre} at {last.quarters[1]:g}. Lines hold the middle half of the songs.",
        ),
        [Row(each.genre, (_middle(each.quarters),)) for each in drawn],
        series=("popularity",),
        axis="popularity: middle half and median",
    )


def most_songs(found: Sequence[GenreSongs]) -> list[GenreSongs]:
    """The genres that are drawn, in their order."""
    most = sorted(found, key=lambda each: (-each.songs, each.genre))[:MOST_GENRES]
    return sorted(most, key=lambda each: (-each.quarters[1], -each.mean, each.genre))


def _histogram(found: Histogram, *, across: str, tall: float) -> Markup:
    name = label(found.name)
    low, half, high = (shown(found.name, value) for value in found.quarters)
    most = max(range(len(found.counts)), key=found.counts.__getitem__)
    start, end = (shown(found.name, found.edges[place]) for place in (most, most + 1))
    beyond = found.below + found.above
    return plots.histogram(
        About(
            f"songs-{found.name}",
            name,
            f"The middle half of the songs lies between {low:.3g} and {high:.3g}, half are at "
            f"{half:.3g} or below. The most, {counted(found.counts[most], 'song')}, are from "
            f"{start:.3g} to {end:.3g}."
            + (f" {counted(beyond, 'song')} beyond the ends." if beyond else ""),
        ),
        found.counts,
        low=shown(found.name, found.low),
        high=shown(found.name, found.high),
        across=across,
        up="songs",
        beside=half,
        grouped=found.name != RELEASE_YEAR.name,
        tall=tall,
    )


def _words(found: WordCounts) -> Markup:
    most = max(found.counts, key=lambda word: found.counts[word])
    return plots.rows(
        About(
            f"songs-{found.name}",
            label(found.name),
            f"The most, {counted(found.counts[most], 'song')}, have {most}.",
        ),
        [Row(word, (Mark(count),)) for word, count in found.counts.items()],
        series=("songs",),
        axis="songs",
        zero=True,
    )


def _figure(name: str, drawn: Markup) -> Markup:
    return element("figure", element("figcaption", label(name)), drawn)


def _middle(quarters: tuple[float, float, float]) -> Mark:
    return Mark(quarters[1], quarters[0], quarters[2])
