"""The page Pipeline in a real browser, over a way where everything happens by itself."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Visit
from tests.unit.way import NO_POPULARITY, songs

type Open = Callable[..., Visit]
type AppIn = Callable[[str], str]


@pytest.fixture
def page(app_in: AppIn, visit: Open) -> Page:
    return visit(f"{app_in('living')}/pipeline").page


def send(page: Page, dataset: str, body: bytes) -> None:
    page.get_by_role("textbox", name="Dataset").fill(dataset)
    page.locator("input[type=file]").set_input_files(
        {"name": "songs.csv", "mimeType": "text/csv", "buffer": body}
    )
    expect(page.get_by_text("songs.csv").first).to_be_visible()
    page.get_by_role("button", name="Send this file").click()


def test_a_file_is_watched_from_upload_to_champion_without_a_reload(page: Page) -> None:
    send(page, "watched", songs())

    heard = page.get_by_role("status").filter(has_text="watched / songs.csv")
    expect(heard).to_contain_text("being prepared", timeout=5_000)
    expect(heard).to_contain_text("in training", timeout=10_000)
    bar = page.get_by_role("progressbar", name="The run at the trainer")
    expect(bar).to_be_visible()
    expect(heard).to_contain_text("trained", timeout=10_000)
    expect(page.get_by_text("Champion").first).to_be_visible()
    expect(bar).to_have_count(0)


def test_a_refused_file_leaves_a_letter_that_can_be_discarded(page: Page) -> None:
    send(page, "refused", NO_POPULARITY)

    letter = page.get_by_role("button", name="Redrive").first
    expect(letter).to_be_visible(timeout=10_000)
    page.get_by_role("button", name="Discard", exact=True).click()
    confirm = page.get_by_role("button", name="Discard for good")
    # It stays open though the page looks again every few seconds.
    page.wait_for_timeout(4_000)
    confirm.click()

    expect(page.get_by_text("Discarded.")).to_be_visible()
    expect(letter).to_have_count(0)


def test_what_is_typed_stays_while_the_page_looks_again(page: Page) -> None:
    box = page.get_by_role("textbox", name="Dataset")
    box.press_sequentially("half a na")

    page.wait_for_timeout(4_000)

    expect(box).to_have_value("half a na")
    expect(box).to_be_focused()


def test_on_a_telephone_the_stations_stand_below_one_another(app_in: AppIn, visit: Open) -> None:
    page = visit(f"{app_in('living')}/pipeline", width=360).page
    page.locator(".cb-station").first.wait_for()
    boxes = [box.bounding_box() for box in page.locator(".cb-station").all()]

    lefts = {box["x"] for box in boxes if box}
    tops = [box["y"] for box in boxes if box]
    assert len(boxes) == 7
    assert len(lefts) == 1
    assert tops == sorted(tops)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("it => it.scrollWidth <= it.clientWidth")
