"""What the champion's songs look like: popularity, attributes, genres."""

from collections.abc import Sequence

import streamlit as st

from chartbuster.errors import ChartBusterError, TryAgain
from chartbuster.learn.distributions import Distributions
from chartbuster.markup import element
from chartbuster.quality import UploadReport
from chartbuster.report import GenreScore
from webapp import frame
from webapp.data import drawings, reading, sentences, tables
from webapp.edges import Edges
from webapp.states import Shown
from webapp.words import plain

_WIDE = 720
_PLOT = 520
_POINTS = st.column_config.NumberColumn(format="%.1f")
_COUNT = st.column_config.NumberColumn(format="localized")


def show(edges: Edges, shown: Shown | None) -> None:
    """How popular the songs are, and how their attributes are distributed."""
    if shown is None:
        _without_champion()
        return
    found = _songs(edges, shown)
    st.header("Popularity", anchor=False)
    with st.container(width=_PLOT):
        frame.plot(drawings.popularity(found.popularity))
        low, half, high = found.popularity.quarters
        st.markdown(
            f"The dashed line is the median: half of the songs are at {half:g} or below. The "
            f"middle half lies between {low:g} and {high:g}."
        )
        with st.expander("As a table", key="popularity table"):
            st.dataframe(
                tables.bins([found.popularity]),
                hide_index=True,
                column_config={"Attribute": None, "Songs": _COUNT},
            )
    st.header("Attributes", anchor=False)
    st.markdown(
        "Each bar counts songs; the dashed line is the median. Where an attribute has no ends of "
        "its own, the plot leaves out one song in two hundred at either end.",
        width=_WIDE,
    )
    frame.plot(element("div", drawings.attributes(found), class_="cb-many"))
    with st.expander("As tables", key="attribute tables"):
        st.dataframe(tables.middles(found.numbers), hide_index=True)
        st.dataframe(
            tables.bins(found.numbers, found.words),
            hide_index=True,
            column_config={"Songs": _COUNT},
        )


def genres(edges: Edges, shown: Shown | None, reports: Sequence[UploadReport]) -> None:
    """The genres: how many songs, how popular, and how far off the best model is in each."""
    st.header("Genres", anchor=False)
    if shown is None:
        counts = tables.genre_counts(reports)
        if counts.empty:
            st.markdown("The files name no genre.")
            return
        st.markdown("How many songs of the files have each genre.")
        st.dataframe(counts, hide_index=True, width=_WIDE, column_config={"Songs": _COUNT})
        return
    found = _songs(edges, shown)
    if not found.genres:
        st.markdown("The songs have no genre.")
        return
    st.markdown(_genres_in_words(found), width=_WIDE)
    scores = _scores(edges, shown)
    left, right = st.columns([2, 3], gap="large")
    with left:
        frame.plot(drawings.genres(found.genres))
    with right:
        _genre_table(found, scores)


def _genre_table(found: Distributions, scores: Sequence[GenreScore]) -> None:
    st.dataframe(
        tables.genre_table(found.genres, scores),
        hide_index=True,
        height=600,
        placeholder="",
        column_config={
            "Songs": _COUNT,
            "Mean popularity": st.column_config.ProgressColumn(
                format="%.1f", min_value=0, max_value=100
            ),
            **dict.fromkeys(("Lower quarter", "Median", "Upper quarter"), _POINTS),
            "Error": st.column_config.NumberColumn(
                format="%.1f", help="How far off the best model is, in points, for new artists"
            ),
            "Baseline's error": st.column_config.NumberColumn(
                format="%.1f", help="How far off the mean of the genre is"
            ),
            "Bias": st.column_config.NumberColumn(
                format="%+.1f", help="Mean prediction minus mean popularity"
            ),
        },
        alt="Every genre with its songs, their popularity and the model's error",
    )
    if scores:
        st.caption(
            "Errors are the best model's, in points of popularity, on songs of artists it had "
            "never heard. Genres with too few songs have none."
        )


def _genres_in_words(found: Distributions) -> str:
    most = max(found.genres, key=lambda each: each.songs)
    drawn = drawings.most_songs(found.genres)
    said = (
        f"{sentences.counted(len(found.genres), 'genre')}; the one with the most songs is "
        f"{plain(most.genre)} with {most.songs:,}."
    )
    if len(drawn) > 1:
        said += (
            f" The most popular is {plain(drawn[0].genre)} (half of its songs are at "
            f"{drawn[0].quarters[1]:g} or below), the least {plain(drawn[-1].genre)} "
            f"({drawn[-1].quarters[1]:g})."
        )
    if len(found.genres) > len(drawn):
        said += f" The plot has the {len(drawn)} with the most songs."
    if found.without_genre:
        said += f" {sentences.counted(found.without_genre, 'song')} without any genre."
    return said


def _songs(edges: Edges, shown: Shown) -> Distributions:
    with st.spinner("Counting the songs…"):
        return reading.songs_of(edges, shown.run)


def _scores(edges: Edges, shown: Shown) -> Sequence[GenreScore]:
    """The errors by genre; the table stands without them too."""
    try:
        return reading.genre_scores(edges, shown.run)
    except TryAgain:
        raise
    except ChartBusterError as error:
        st.warning(
            f"The errors by genre are not there: {plain(str(error))}.", icon=":material/help:"
        )
        return ()


def _without_champion() -> None:
    st.header("No songs to show yet", anchor=False)
    st.markdown(
        "Songs are counted in the run of the champion, and there is none that can be read. Until "
        "then, *Files* and *Genres* say what is known of this dataset.",
        width=_WIDE,
    )
