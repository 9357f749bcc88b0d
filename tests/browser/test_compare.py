"""The page Compare in a real browser: what only a browser can tell."""

import re
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.chromium import Visit
from webapp import links
from webapp.links import Asked, Comparison

type Open = Callable[..., Visit]
type AppIn = Callable[[str], str]

THREE = links.comparison(
    Comparison(
        "demo",
        "run1",
        (
            Asked(model="linear", song={"energy": 0.4}),
            Asked(model="linear", song={"energy": 0.8}),
            Asked(model="boosting", song={"energy": 0.4}, name="Another model"),
        ),
    )
)


def scores(page: Page) -> list[str]:
    """The numbers of the variants, in their order, once all of them are drawn."""
    page.locator(".cb-score").first.wait_for()
    page.locator("[data-test-script-state=notRunning]").wait_for()
    return page.locator(".cb-score").all_inner_texts()


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def variants(page: Page) -> list[str]:
    """The variants as the address has them."""
    return parse_qs(urlsplit(page.url).query).get("v", [])


def test_two_people_who_follow_one_link_see_the_same(app_in: AppIn, visit: Open) -> None:
    address = links.address(f"{app_in('champion')}/compare", THREE)

    one, other = visit(address), visit(address, width=360, height=740)

    assert len(scores(one.page)) == 3
    assert scores(one.page) == scores(other.page)
    expect(other.page.get_by_role("heading", name="C: Another model")).to_be_visible()
    assert one.complaints == other.complaints == []
    assert one.hosts == {urlsplit(address).netloc}


def test_a_change_is_in_the_address_and_the_way_back_undoes_it(app_in: AppIn, visit: Open) -> None:
    page = visit(links.address(f"{app_in('champion')}/compare", THREE)).page
    before = scores(page)
    moved = slider(page, "Energy of B")
    moved.focus()
    moved.press("End")
    expect(page.locator(".cb-score").nth(1)).not_to_have_text(before[1])
    page.wait_for_url(re.compile("energy%3D1"))
    after = scores(page)
    assert after[0] == before[0]

    again = visit(page.url).page
    expect(again.locator(".cb-score")).to_have_text(after)

    page.go_back()
    expect(page.locator(".cb-score")).to_have_text(before)
    expect(slider(page, "Energy of B")).to_have_value("0.8")


def test_quick_changes_are_all_kept(app_in: AppIn, visit: Open) -> None:
    page = visit(f"{app_in('champion')}/compare").page
    scores(page)
    for name in ("Energy of A", "Energy of B"):
        moved = slider(page, name)
        moved.focus()
        moved.press("Home")
        for _ in range(5):
            moved.press("ArrowRight")

    page.wait_for_url(re.compile("energy%3D0.05.*energy%3D0.05"))

    assert [value.rpartition("energy=")[2] for value in variants(page)] == ["0.05", "0.05"]


def test_a_variant_is_added_and_removed(app_in: AppIn, visit: Open) -> None:
    page = visit(f"{app_in('champion')}/compare").page
    assert len(scores(page)) == 2

    page.get_by_role("button", name="Copy B").click()
    expect(page.locator(".cb-score")).to_have_count(3)
    page.get_by_role("button", name="Remove A").click()

    expect(page.locator(".cb-score")).to_have_count(2)
    page.wait_for_function("new URLSearchParams(location.search).getAll('v').length == 2")


def test_a_known_song_is_added_by_its_name(app_in: AppIn, visit: Open) -> None:
    page = visit(f"{app_in('champion')}/compare").page
    scores(page)
    page.get_by_role("button", name="Add a known song").click()
    page.get_by_role("searchbox", name=re.compile("Title, artist")).fill("the")
    found = page.locator("[class*=st-key-compare-found] button").first
    found.click()

    expect(page.locator(".cb-score")).to_have_count(3)
    expect(page.get_by_text("which really has")).to_be_visible()


def test_an_attribute_to_vary_is_chosen_by_keyboard(app_in: AppIn, visit: Open) -> None:
    page = visit(f"{app_in('champion')}/compare").page
    scores(page)

    box = page.get_by_role("combobox", name="What to vary")
    box.focus()
    page.keyboard.type("Tempo")
    page.get_by_role("option", name="Tempo").wait_for()
    page.keyboard.press("Enter")
    # The open list hides the rest of the page from those who do not see it.
    page.keyboard.press("Escape")

    expect(slider(page, "Tempo of A")).to_be_visible()
    expect(slider(page, "Tempo of B")).to_be_visible()


def test_another_page_and_back_leaves_the_comparison_as_it_was(app_in: AppIn, visit: Open) -> None:
    page = visit(links.address(f"{app_in('champion')}/compare", THREE)).page
    before = scores(page)

    page.get_by_role("link", name="Data").click()
    page.get_by_role("heading", level=1, name="Data").wait_for()
    page.get_by_role("link", name="Compare", exact=True).click()

    expect(page.locator(".cb-score")).to_have_text(before)
    page.wait_for_function("new URLSearchParams(location.search).getAll('v').length == 3")


def test_the_way_back_leads_to_the_page_before_as_it_was(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion")).page
    number = page.get_by_role("status").filter(has_text="of 100")
    before = number.inner_text()
    moved = page.get_by_role("slider", name="Energy:")
    moved.focus()
    moved.press("Home")
    # The app has heard of it by then; whoever goes on sooner leaves before it was told.
    expect(number).not_to_have_text(before)
    page.get_by_role("link", name="Compare", exact=True).click()
    page.wait_for_function("location.search.includes('energy')")

    page.go_back()
    page.wait_for_timeout(3_000)  # long enough for the page to write the address it was left at
    page.go_back()

    page.wait_for_function("location.pathname == '/' && location.search == ''")
    expect(moved).to_have_value("0")


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (360, "dark"), (1920, "light")])
def test_nothing_scrolls_sideways(app_in: AppIn, visit: Open, width: int, theme: str) -> None:
    six = THREE | {"v": [*THREE["v"], *THREE["v"]]}
    address = links.address(f"{app_in('champion')}/compare", six)
    page = visit(address, width=width, height=740, theme=theme).page
    assert len(scores(page)) == 6

    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")

    assert wide <= width


def test_on_a_phone_the_result_comes_before_the_controls(app_in: AppIn, visit: Open) -> None:
    page = visit(f"{app_in('champion')}/compare", width=360, height=740).page
    scores(page)

    plot = page.get_by_role("img", name=re.compile("Predicted popularity")).bounding_box()
    first = page.get_by_role("slider").first.bounding_box()

    assert plot is not None
    assert first is not None
    assert plot["y"] + plot["height"] < min(740, first["y"])


def test_headings_go_down_one_level_at_a_time(app_in: AppIn, visit: Open) -> None:
    page = visit(f"{app_in('champion')}/compare").page
    scores(page)

    levels = [
        int(tag[1])
        for tag in page.locator("h1,h2,h3,h4").evaluate_all("all => all.map(h => h.tagName)")
    ]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
