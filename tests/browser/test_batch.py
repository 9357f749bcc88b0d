"""The page Batch in a browser: a file goes in, is understood, scored, browsed and taken away."""

import csv
import io
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Visit

type Open = Callable[..., Visit]
type AppIn = Callable[[str], str]

SONGS = """track_id,artist_name,track_name,genre,energy,tempo,duration_ms
a,Nobody,"=HYPERLINK(""http://evil.example"",""here"")",Pop,0.8,120,200000
b,Björk,[Jóga](http://evil.example),Gabber,0.7,,200000
c,Björk,Jóga,Pop,loud,120,200000
"""


def page_in(visit: Open, url: str, **window: int) -> Visit:
    return visit(f"{url}/batch", **window)


def put_in(page: Page, body: str, name: str = "songs.csv") -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": body.encode()}
    )


def start(page: Page) -> None:
    page.get_by_role("button", name=re.compile(r"^Score [\d,]+ song")).click()


def scored(page: Page, body: str = SONGS) -> None:
    put_in(page, body)
    start(page)
    page.get_by_role("heading", name="Results").wait_for()


def test_a_file_is_understood_scored_and_comes_back_harmless(app_in: AppIn, visit: Open) -> None:
    url = app_in("champion")
    seen = page_in(visit, url)
    page = seen.page
    put_in(page, SONGS)
    expect(page.get_by_text("2 of 3 rows can be scored, 1 cannot")).to_be_visible()
    expect(page.get_by_role("cell", name="energy is not 0 to 1")).to_be_visible()
    expect(page.get_by_role("heading", name="Results")).to_have_count(0)

    start(page)
    expect(page.get_by_text("2 scored, 1 rejected")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as CSV", exact=True).click()

    download = waiting.value
    assert re.fullmatch(r"songs\.demo\.run1\.\w+\.csv", download.suggested_filename)
    body = download.path().read_bytes()
    assert body.startswith(b"\xef\xbb\xbf"), "Excel would not read accents without it"
    first, second, third = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
    assert first["track_name"] == """'=HYPERLINK("http://evil.example","here")"""
    assert 0 <= float(first["popularity"]) <= 100
    assert second["artist_name"] == "Björk"
    assert third["reason"] == "energy is 'loud', expected 0 to 1"
    assert seen.hosts == {url.removeprefix("http://")}
    assert seen.complaints == []


def test_the_only_download_is_the_harmless_one_and_titles_are_no_links(
    app_in: AppIn, visit: Open
) -> None:
    page = page_in(visit, app_in("champion")).page
    scored(page)
    grid = page.get_by_test_id("stDataFrame").last
    grid.hover()

    expect(page.get_by_role("button", name="Fullscreen: The scored rows")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Download as CSV: "))).to_have_count(0)
    # The grid is painted on a canvas; what it says to screen readers stands inside.
    titles = grid.locator("canvas [role=gridcell]", has_text="evil.example")
    expect(titles.last).to_have_text("[Jóga](http://evil.example)")
    assert page.locator("a[href*='evil.example']").count() == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_scrolls_sideways_on_a_telephone(app_in: AppIn, visit: Open, theme: str) -> None:
    page = visit(f"{app_in('champion')}/batch", width=360, height=740, theme=theme).page
    page.get_by_text("Columns that are understood").click()
    scored(page)
    page.get_by_text("How each column is read").click()
    page.wait_for_timeout(1_000)

    for part in ("html", "[data-testid=stMain]"):
        wide, room = page.locator(part).first.evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide <= room, f"{part} is {wide} wide and has room for {room}"


def test_headings_go_down_one_level_at_a_time(app_in: AppIn, visit: Open) -> None:
    page = page_in(visit, app_in("champion")).page
    scored(page)

    levels = page.locator("h1,h2,h3,h4").evaluate_all("all => all.map(h => +h.tagName[1])")

    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_scoring_can_be_stopped_and_started_again(app_in: AppIn, visit: Open) -> None:
    page = page_in(visit, app_in("champion")).page
    put_in(page, "track_id,energy\n" + "".join(f"{n},0.5\n" for n in range(150_000)))
    start(page)
    expect(page.get_by_role("progressbar")).to_be_visible()

    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_text("Stopped. Nothing was kept")).to_be_visible()
    expect(page.get_by_role("heading", name="Results")).to_have_count(0)
    start(page)
    expect(page.get_by_text("Stopped. Nothing was kept")).to_have_count(0)
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.get_by_role("link", name="Predict").first.click()
    page.get_by_role("heading", name="Predicted popularity").wait_for()


def test_the_results_are_still_there_after_a_look_at_another_page(
    app_in: AppIn, visit: Open
) -> None:
    page = page_in(visit, app_in("champion")).page
    scored(page)

    page.get_by_role("link", name="Predict").first.click()
    page.get_by_role("heading", name="Predicted popularity").wait_for()
    page.get_by_role("link", name="Batch").first.click()

    expect(page.get_by_text("2 scored, 1 rejected")).to_be_visible()


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(app_in: AppIn, visit: Open) -> None:
    page = page_in(visit, app_in("champion")).page

    put_in(page, "energy\n" + "0.5\n" * 5_300_000)

    expect(page.get_by_text(re.compile("must be 20.* or smaller"))).to_be_visible()
