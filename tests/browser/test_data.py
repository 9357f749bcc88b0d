"""The page Data in a real browser: what only a browser can tell."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Visit

type Open = Callable[..., Visit]
type AppIn = Callable[[str], str]

TABS = ("Songs", "Genres", "Files", "Drift")


def data(app_in: AppIn, visit: Open, **window: object) -> Visit:
    """The page Data, by its own address."""
    seen = visit(f"{app_in('data')}/data", **window)
    seen.page.get_by_role("tab").first.wait_for()
    return seen


def choose(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=label)
    box.fill(option)
    page.get_by_role("option", name=option).click()


def test_every_part_shows_without_complaint_and_from_this_host_alone(
    app_in: AppIn, visit: Open
) -> None:
    # By the navigation: at an address below the root, Streamlit itself asks for what is not there.
    seen = visit(app_in("data"))
    seen.page.get_by_role("link", name="Data", exact=True).click()

    for name, heading in zip(TABS, ("Popularity", "Genres", "Files", "Drift"), strict=True):
        seen.page.get_by_role("tab", name=name).click()
        expect(seen.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    assert seen.hosts == {app_in("data").removeprefix("http://")}
    assert seen.complaints == []


def test_plots_are_drawn_and_say_what_they_show(app_in: AppIn, visit: Open) -> None:
    page = data(app_in, visit).page

    plot = page.get_by_role("img", name="Popularity. The middle half of the songs")

    expect(plot).to_be_visible()
    assert plot.evaluate("image => image.complete && image.naturalWidth > 0")


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (360, "dark"), (1440, "light")])
@pytest.mark.parametrize("dataset", ["demo", "untidy"])
def test_nothing_scrolls_sideways(
    app_in: AppIn, visit: Open, width: int, theme: str, dataset: str
) -> None:
    page = data(app_in, visit, width=width, height=740, theme=theme).page
    if dataset != "demo":
        choose(page, "Dataset", dataset)
        page.get_by_role("heading", name=f"{dataset} in short").wait_for()

    for name in TABS:
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(300)
        wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= width, name


def test_the_rows_left_out_can_be_paged_through_and_downloaded(app_in: AppIn, visit: Open) -> None:
    page = data(app_in, visit).page
    choose(page, "Dataset", "untidy")
    expect(page.get_by_text("Rows 1 to 100 of 250")).to_be_visible()

    page.get_by_role("button", name="Page 3").click()
    expect(page.get_by_text("Rows 201 to 250 of 250")).to_be_visible()
    with page.expect_download() as found:
        page.get_by_role("button", name="Download rejects.csv").click()

    assert found.value.suggested_filename == "a few-rejects.csv"
    lines = found.value.path().read_text(encoding="utf-8").splitlines()
    assert lines[0] == "line,reason,row"
    assert len(lines) == 251


def test_headings_go_down_one_level_at_a_time(app_in: AppIn, visit: Open) -> None:
    page = data(app_in, visit).page
    choose(page, "Dataset", "untidy")
    page.get_by_role("heading", name="Rows left out").wait_for()

    levels = [
        int(tag[1])
        for tag in page.locator("h1,h2,h3,h4").evaluate_all("all => all.map(h => h.tagName)")
    ]

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
