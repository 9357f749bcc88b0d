"""Takes pictures of every page of the running stack's app, light and dark, narrow and wide.

They go to build/screenshots, one PNG each, as tall as the page is long; --docs takes the few that
the README shows instead, as large as a window, into docs; for one of
them it sends 2,000 made-up songs on their way.
"""

import argparse
import contextlib
import itertools
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright
from playwright.sync_api import TimeoutError as TimedOut

from chartbuster.errors import ChartBusterError, Misconfigured
from scripts.command import run
from scripts.running import ROOT, running_stack

PAGES = ("predict", "compare", "batch", "models", "data", "pipeline")
THEMES = ("light", "dark")
WIDTHS = (360, 1_440)

_IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
_LONG = "document.querySelector('[data-testid=stMain]').scrollHeight"
_LONGEST = 12_000


@dataclass(frozen=True)
class Picture:
    """One picture to take; `height` in pixels, or None for as tall as the page is long.

    With `sends` a file of made-up songs is sent first, and the picture taken while it trains.
    """

    page: str
    theme: str
    width: int
    height: int | None
    file: str
    sends: bool = False


def pictures(pages: tuple[str, ...]) -> tuple[Picture, ...]:
    """Every picture of `pages`."""
    return tuple(
        Picture(page, theme, width, None, f"{page}-{theme}-{width}.png")
        for page, theme, width in itertools.product(pages, THEMES, WIDTHS)
    )


def docs() -> tuple[Picture, ...]:
    """The pictures in the README."""
    return (
        Picture("predict", "light", 1_440, 900, "app.png"),
        Picture("pipeline", "dark", 1_440, 900, "pipeline.png", sends=True),
        Picture("predict", "dark", 360, 740, "phone.png"),
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """The distribution's Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise Misconfigured("no chromium on this machine; expected the distribution's package")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def take(browser: Browser, url: str, picture: Picture, out: Path) -> None:
    """Open the page and keep what is seen once it is idle."""
    window = {"width": picture.width, "height": picture.height or 900}
    page = browser.new_page(
        viewport={"width": window["width"], "height": window["height"]},
        color_scheme="dark" if picture.theme == "dark" else "light",
        reduced_motion="reduce",
    )
    # The app's first page has no path of its own.
    address = url if picture.page == PAGES[0] else f"{url}/{picture.page}"
    try:
        _open(page, address)
        page.wait_for_selector(_IDLE, timeout=30_000)
        page.wait_for_timeout(1_500)  # the last animation, and what comes in a second step
        if picture.sends:
            page.get_by_role("button", name="made-up songs").click()
            page.get_by_text("In training: fitting").wait_for(timeout=120_000)
        if picture.height is None:
            tall = min(int(page.evaluate(_LONG)) + 60, _LONGEST)
            page.set_viewport_size({"width": picture.width, "height": max(tall, 740)})
            page.wait_for_timeout(500)
        out.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=out / picture.file)
    except Error as error:
        raise ChartBusterError(f"no picture of {address}: {error}") from error
    finally:
        page.close()


def _open(page: Page, address: str) -> None:
    """Load the page until it has a heading; again where it stays empty, as it does once in a while:
    Chromium gives up what it loads when a network comes or goes with a container nearby.
    """
    for patience in (10_000, 30_000):
        page.goto(address)
        with contextlib.suppress(TimedOut):
            page.get_by_role("heading", level=2).first.wait_for(timeout=patience)
            return
    raise Error(f"no heading in {page.locator('body').inner_text()!r}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: make screenshots PAGES='predict models'"
    )
    parser.add_argument(
        "--pages", nargs="*", choices=PAGES, default=(), metavar="PAGE", help="only these pages"
    )
    parser.add_argument("--docs", action="store_true", help="the pictures in the README")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "screenshots")
    options = parser.parse_args()

    def take_all() -> int:
        url = running_stack().web_url
        out = ROOT / "docs" if options.docs else options.out
        wanted = docs() if options.docs else pictures(tuple(options.pages) or PAGES)
        with chromium() as browser:
            for picture in wanted:
                take(browser, url, picture, out)
                print(out / picture.file, flush=True)
        return 0

    return run(take_all)


if __name__ == "__main__":
    sys.exit(main())
