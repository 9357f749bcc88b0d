"""Ticks, scales and plots of the model card."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chartbuster.markup import Markup, element, joined
from chartbuster.plots import (
    About,
    Line,
    Mark,
    Row,
    Scale,
    heat,
    histogram,
    lines,
    log_ticks,
    rows,
    tick_labels,
    ticks,
)

_ABOUT = About("some", "Some plot", "What it shows")


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 100, (0, 20, 40, 60, 80, 100)),
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (6.35, 7.68, (6.5, 7, 7.5)),
        (-0.05, 4.36, (0, 1, 2, 3, 4)),
        (88.4, 90.9, (88.5, 89, 89.5, 90, 90.5)),
        (1_000, 16_000, (5_000, 10_000, 15_000)),
        (3, 3, (3,)),
    ],
)
def test_ticks_are_round_numbers(low, high, wanted):
    assert ticks(low, high) == pytest.approx(wanted)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(3, 9))
def test_ticks_are_few_in_order_and_between_the_ends(one, other, most):
    low, high = sorted((one, other))
    assume(high - low > 1e-6 * max(1.0, abs(low), abs(high)))

    found = ticks(low, high, most)

    assert 1 <= len(found) <= most
    assert list(found) == sorted(set(found))
    room = 1e-6 * (high - low)
    assert low - room <= found[0]
    assert found[-1] <= high + room


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, float("inf")), (float("nan"), 1)])
def test_ticks_of_no_range_are_refused(low, high):
    with pytest.raises(ValueError, match="expected finite, in order"):
        ticks(low, high)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (1_000, 16_000, (1_000, 2_000, 5_000, 10_000)),
        (500, 180_000, (1_000, 3_000, 10_000, 30_000, 100_000)),
        (1, 1e9, (1, 100, 10_000, 1e6, 1e8)),
        (1_100, 1_900, (1_200, 1_400, 1_600, 1_800)),
    ],
)
def test_log_ticks_are_ones_twos_and_fives_where_there_is_room(low, high, wanted):
    assert log_ticks(low, high) == pytest.approx(wanted)


@pytest.mark.parametrize(("low", "high"), [(0, 10), (-1, 10), (10, 1)])
def test_log_ticks_need_numbers_above_zero(low, high):
    with pytest.raises(ValueError, match="expected finite, above zero, in order"):
        log_ticks(low, high)


def test_tick_labels_share_their_decimals():
    assert tick_labels((0, 0.5, 1)) == ("0.0", "0.5", "1.0")
    assert tick_labels((0.25, 0.5)) == ("0.25", "0.50")
    assert tick_labels((1_000, 10_000)) == ("1,000", "10,000")
    assert tick_labels((-2, 0)) == ("−2", "0")
    assert tick_labels((1_970, 2_020), grouped=False) == ("1970", "2020")


def test_a_scale_reaches_from_end_to_end_and_no_further():
    scale = Scale(10, 20, 100, 200)

    assert [scale(value) for value in (10, 15, 20, 99)] == [100, 150, 200, 200]
    assert Scale(1, 100, 0, 10, log=True)(10) == pytest.approx(5)
    assert Scale(3, 3, 0, 10)(3) == 5


def test_marks_lie_where_their_values_are():
    plot = rows(
        _ABOUT,
        [Row("one", (Mark(1, 0, 2),)), Row("two", (Mark(3),))],
        series=("only",),
        axis="points",
    )

    first, second = (float(x) for x in re.findall(r'<circle cx="([\d.]+)"', plot))
    ((start, end),) = re.findall(r'<line x1="([\d.]+)"[^>]* x2="([\d.]+)"[^>]*range s1', plot)
    assert float(start) < first < float(end) < second


def test_a_series_without_a_mark_leaves_its_row_open():
    plot = rows(
        _ABOUT, [Row("one", (Mark(1), None)), Row("two", (Mark(1), Mark(2)))],
        series=("a", "b"), axis="points",
    )  # fmt: skip

    # One more of each is in the key.
    assert plot.count("<circle") == 3
    assert plot.count('class="dot s2"') == 2


def test_one_value_in_all_still_makes_a_plot():
    plot = rows(_ABOUT, [Row("one", (Mark(5),))], series=("only",), axis="points")

    assert ">5.0</text>" in plot


def test_a_long_name_is_cut_to_its_room_and_a_short_one_is_not():
    plot = rows(
        _ABOUT,
        [Row(name, (Mark(1),)) for name in ("x" * 60, "歌謡曲" * 20, "known artists")],
        series=("only",),
        axis="points",
    )

    assert f">{'x' * 18}…</text>" in plot
    assert re.search(">(歌謡曲){3}…</text>", plot)
    assert ">known artists</text>" in plot


def test_bars_of_one_zero_begin_at_zero():
    plot = rows(_ABOUT, [Row("a", (Mark(4),))], series=("only",), axis="points", zero=True)

    (start,) = re.findall(r'<line x1="([\d.]+)"[^>]*class="stem s1"', plot)
    (zero,) = re.findall(r'<text x="([\d.]+)"[^>]*>0</text>', plot)
    assert start == zero


def test_lines_go_through_their_points_on_a_logarithmic_axis():
    plot = lines(
        _ABOUT,
        [Line("mae", ((1_000, 8), (2_000, 7), (4_000, 6)))],
        across="songs",
        up="points",
        log=True,
    )

    (points,) = re.findall(r'points="([^"]+)"', plot)
    xs = [float(point.split(",")[0]) for point in points.split()]
    ys = [float(point.split(",")[1]) for point in points.split()]
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1], abs=0.2)
    assert ys == sorted(ys)


def test_a_heat_map_draws_only_where_there_are_songs_the_most_the_strongest():
    plot = heat(_ABOUT, ((0, 4), (1, 0)), high=10, across="actual", up="predicted")

    cells = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"[^>]*fill-opacity="([\d.]+)"', plot)
    (low_right, high_left) = cells
    assert float(low_right[0]) > float(high_left[0])
    assert float(low_right[1]) > float(high_left[1])
    assert (low_right[2], high_left[2]) == ("1", "0.54")


def bars(plot: str) -> list[tuple[float, ...]]:
    """The place, top, width and height of every bar."""
    found = re.findall(
        r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"></rect>', plot
    )
    return [tuple(map(float, bar)) for bar in found]


def test_the_bars_of_a_histogram_are_as_tall_as_there_are_many_and_stand_on_zero():
    plot = histogram(_ABOUT, (10, 0, 40, 20), low=0, high=1, across="energy", up="songs")

    first, second, third = bars(plot)
    assert second[3] == pytest.approx(4 * first[3])
    assert third[3] == pytest.approx(2 * first[3])
    assert first[1] + first[3] == second[1] + second[3] == third[1] + third[3]
    assert second[0] - first[0] == pytest.approx(2 * (third[0] - second[0])), "a bin is empty"


def test_a_bin_that_holds_one_of_a_million_can_still_be_seen():
    plot = histogram(_ABOUT, (1_000_000, 1), low=0, high=1, across="energy", up="songs")

    assert bars(plot)[1][3] >= 1


def test_a_histogram_marks_the_value_to_compare_with_where_it_is():
    plot = histogram(
        _ABOUT, (1, 1), low=10, high=30, across="energy", up="songs", beside=20, tall=90
    )

    ((x, top),) = re.findall(r'<line x1="([\d.]+)" y1="([\d.]+)"[^>]*class="beside"', plot)
    left, right = (bar[0] for bar in bars(plot))
    assert left < float(x) < right + 1
    assert float(top) == bars(plot)[0][1]


def test_a_histogram_of_years_sets_no_thousands_apart():
    plot = histogram(_ABOUT, (1, 2), low=1980, high=2020, across="year", up="songs", grouped=False)

    assert ">1990</text>" in plot


def test_a_histogram_of_nothing_is_empty_and_of_no_bins_refused():
    assert bars(histogram(_ABOUT, (0, 0), low=0, high=1, across="energy", up="songs")) == []
    with pytest.raises(ValueError, match="expected at least one"):
        histogram(_ABOUT, (), low=0, high=1, across="energy", up="songs")


def test_a_plot_says_what_it_is_to_those_who_do_not_see_it():
    plot = heat(_ABOUT, ((1,),), high=5, across="actual", up="predicted")

    assert 'role="img"' in plot
    assert '<title id="some-title">Some plot</title>' in plot
    assert '<desc id="some-says">What it shows</desc>' in plot


def test_texts_and_attributes_are_escaped_and_markup_is_not():
    assert element("p", "a < b", class_='"x"') == '<p class="&quot;x&quot;">a &lt; b</p>'
    assert joined("<", Markup("<b></b>")) == "&lt;<b></b>"


def test_numbers_in_attributes_are_short_and_none_leaves_the_attribute_out():
    assert element("rect", x=1 / 3, y=-0.001, width=10, id=None) == (
        '<rect x="0.33" y="0" width="10"></rect>'
    )
