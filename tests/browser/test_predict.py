"""The page Predict in a real browser: what only a browser can tell."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Visit

type Open = Callable[..., Visit]
type AppIn = Callable[[str], str]


def number(page: Page) -> str:
    """The predicted popularity as it is read."""
    found = page.get_by_role("status").filter(has_text="of 100")
    found.wait_for()
    return found.inner_text()


def test_the_page_loads_without_complaint_and_from_this_host_alone(
    app_in: AppIn, visit: Open
) -> None:
    url = app_in("champion")

    seen = visit(url)

    assert re.match(r"\d+\.\d of 100", number(seen.page))
    seen.page.wait_for_timeout(3_000)  # long enough for the page to look for a new champion
    assert seen.hosts == {url.removeprefix("http://")}
    assert seen.complaints == []


def test_a_key_press_on_a_slider_changes_the_number(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion")).page
    before = number(page)

    slider = page.get_by_role("slider", name="Acousticness")
    slider.focus()
    slider.press("End")

    expect(page.get_by_role("status").filter(has_text="of 100")).not_to_have_text(before)


def test_another_genre_moves_the_sliders_that_were_not_touched(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion")).page
    moved = page.get_by_role("slider", name="Energy")
    moved.focus()
    moved.press("Home")
    expect(moved).to_have_value("0")
    untouched = page.get_by_role("slider", name="Acousticness")
    before = untouched.input_value()

    page.get_by_role("combobox", name="Genre").fill("Classical")
    page.get_by_role("option", name="Classical").click()

    expect(untouched).not_to_have_value(before)
    expect(moved).to_have_value("0")


@pytest.mark.parametrize(
    ("width", "theme"), [(360, "light"), (360, "dark"), (768, "light"), (1920, "dark")]
)
def test_nothing_scrolls_sideways(app_in: AppIn, visit: Open, width: int, theme: str) -> None:
    page = visit(app_in("champion"), width=width, height=740, theme=theme).page
    number(page)

    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")

    assert wide <= width
    ours = page.evaluate("getComputedStyle(document.querySelector('.stApp')).colorScheme")
    assert ours == theme


def test_on_a_phone_the_result_comes_first_and_stays_in_sight(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion"), width=360, height=740).page
    number(page)
    result = page.locator(".cb-number")
    assert result.bounding_box()["y"] < 300  # type: ignore[index]
    assert result.bounding_box()["y"] < page.get_by_role("slider").first.bounding_box()["y"]  # type: ignore[index]

    page.get_by_role("slider", name="Speechiness").scroll_into_view_if_needed()

    expect(result).to_be_in_viewport()


def test_on_a_wide_screen_the_sliders_are_left_and_the_result_right(
    app_in: AppIn, visit: Open
) -> None:
    page = visit(app_in("champion"), width=1440).page
    number(page)

    result = page.locator(".cb-number").bounding_box()
    slider = page.get_by_role("slider").first.bounding_box()

    assert result is not None
    assert slider is not None
    assert slider["x"] < result["x"]
    assert abs(slider["y"] - result["y"]) < 400


def test_headings_go_down_one_level_at_a_time(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion")).page
    number(page)

    levels = [
        int(tag[1])
        for tag in page.locator("h1,h2,h3,h4").evaluate_all("all => all.map(h => h.tagName)")
    ]

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_model_that_cannot_be_trusted_is_named_and_another_is_one_click_away(
    app_in: AppIn, visit: Open
) -> None:
    page = visit(app_in("champion")).page
    page.get_by_role("combobox", name="Dataset").fill("tampered")
    page.get_by_role("option", name="tampered").click()
    expect(page.get_by_role("alert").first).to_contain_text("was not loaded")

    page.get_by_role("button", name=re.compile("instead")).click()

    assert "of 100" in number(page)


def test_the_first_champion_shows_without_a_reload(app_in: AppIn, visit: Open) -> None:
    seen = visit(app_in("soon"))
    page = seen.page
    expect(page.get_by_role("heading", level=2)).to_contain_text("The first model is being")

    page.get_by_role("heading", name="Predicted popularity").wait_for(timeout=30_000)

    assert "of 100" in number(page)
    assert seen.complaints == []


def popularity(page: Page) -> str:
    """The number alone, `42.9`, whatever else is read with it."""
    return re.sub(r"\s*of 100", "", number(page)).strip()


def link_of(page: Page) -> str:
    """The link the page offers, as one would copy it."""
    page.get_by_role("button", name="Link").click()
    link = page.get_by_test_id("stCode").locator("code").inner_text()
    page.keyboard.press("Escape")
    return link


def start_from_a_known_song(page: Page, words: str) -> str:
    """Search by keyboard alone, choose what is found first, and say what its button said."""
    page.get_by_role("button", name="Known song").press("Enter")
    box = page.get_by_role("searchbox")
    box.focus()
    page.keyboard.type(words)
    first = page.locator(".st-key-found button").first
    expect(first).to_contain_text(re.compile(words, re.IGNORECASE))
    said = first.inner_text()
    first.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    return said


def test_a_link_brings_the_same_song_and_number_to_somebody_else(
    app_in: AppIn, visit: Open
) -> None:
    mine = visit(app_in("champion")).page
    before = number(mine)
    slider = mine.get_by_role("slider", name="Acousticness")
    slider.focus()
    slider.press("End")
    expect(mine.get_by_role("status").filter(has_text="of 100")).not_to_have_text(before)

    seen = visit(link_of(mine))

    assert popularity(seen.page) == popularity(mine)
    theirs = seen.page.get_by_role("slider", name="Acousticness")
    assert theirs.input_value() == slider.input_value()
    assert seen.complaints == []


def test_a_known_song_is_searched_as_one_types_and_its_real_popularity_shown(
    app_in: AppIn, visit: Open
) -> None:
    seen = visit(app_in("champion"))
    page = seen.page
    number(page)

    said = start_from_a_known_song(page, "the")

    real = re.match(r"\d+", said)
    assert real is not None
    expect(page.locator(".cb-key")).to_contain_text(f"really {real.group()}")
    expect(page.get_by_role("button", name="Start over")).to_be_enabled()
    assert seen.complaints == []


def test_a_random_song_is_one_press_away(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion")).page
    number(page)

    page.get_by_role("button", name="Random song").press("Enter")

    expect(page.locator(".cb-key")).to_contain_text("really")
    expect(page.get_by_label("Artist")).not_to_have_value("")


def test_everything_moves_with_a_slider_and_says_so_in_words(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion")).page
    number(page)
    curve = page.get_by_role("img", name=re.compile("^Acousticness:"))
    before = curve.get_attribute("aria-label")
    steps = page.locator(".cb-steps").inner_text()

    slider = page.get_by_role("slider", name="Acousticness")
    slider.focus()
    slider.press("End")

    expect(curve).not_to_have_attribute("aria-label", before or "")
    expect(page.locator(".cb-steps")).not_to_have_text(steps)
    # The last step of the list is the number in large type.
    expect(page.locator(".cb-steps li").last).to_contain_text(popularity(page))


def test_on_a_phone_nothing_covers_the_number_while_dragging(app_in: AppIn, visit: Open) -> None:
    page = visit(app_in("champion"), width=360, height=740).page
    number(page)

    page.get_by_role("slider", name="Liveness").scroll_into_view_if_needed()
    page.wait_for_timeout(300)

    covered = page.evaluate(
        """() => { const box = document.querySelector('.cb-whole').getBoundingClientRect();
             const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
             return !top.closest('.cb-hero'); }"""
    )
    assert not covered


@pytest.mark.parametrize("width", [360, 1440, 1920])
def test_the_curves_fit_and_their_letters_are_large_enough(
    app_in: AppIn, visit: Open, width: int
) -> None:
    page = visit(app_in("champion"), width=width).page
    number(page)

    boxes = page.locator(".cb-curves .cb-field").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().toJSON())"
    )
    small = page.locator(".cb-curves p").evaluate_all(
        "all => Math.min(...all.map(each => parseFloat(getComputedStyle(each).fontSize)))"
    )

    assert len(boxes) >= 13
    assert min(box["width"] for box in boxes) >= 130
    assert max(box["right"] for box in boxes) <= width
    assert small >= 12
