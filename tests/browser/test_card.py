"""The model card in a browser: it fits, and it asks for nothing."""

import dataclasses

import pytest

from chartbuster.card import model_card
from tests.unit.made_up_run import made_up_report, made_up_run


@pytest.fixture
def address(tmp_path):
    report = made_up_report()
    long = dataclasses.replace(report.genres[0], genre="Donaudampfschifffahrtsmusik" * 3)
    report = dataclasses.replace(report, genres=(long, *report.genres))
    page = tmp_path / "card.html"
    page.write_text(model_card(made_up_run(), report), encoding="utf-8")
    return page.as_uri()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_its_window_and_loads_nothing(visit, address, width, theme):
    seen = visit(address, width=width, theme=theme)

    wide = seen.page.evaluate("document.documentElement.scrollWidth")
    assert wide == width
    assert seen.complaints == []
    # A file has no host; anything else would have one.
    assert seen.hosts == {""}


def test_dark_and_light_follow_the_reader_s_system(visit, address):
    colours = [
        visit(address, theme=theme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for theme in ("light", "dark")
    ]

    assert colours == ["rgb(251, 252, 252)", "rgb(15, 23, 25)"]


def test_no_letters_of_a_plot_reach_beyond_it(visit, address):
    page = visit(address).page

    beyond = page.evaluate(
        """[...document.querySelectorAll("svg")].flatMap(svg => {
             const whole = svg.getBoundingClientRect();
             return [...svg.querySelectorAll("text")].filter(text => {
               const its = text.getBoundingClientRect();
               return its.left < whole.left - 1 || its.right > whole.right + 1
                   || its.top < whole.top - 1 || its.bottom > whole.bottom + 1;
             }).map(text => svg.id + text.textContent);
           })"""
    )

    assert beyond == []
