"""Takes the picture of the app that the README shows, from the running stack, into docs/app.png."""

import argparse
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from chartbuster.errors import ChartBusterError, Misconfigured
from scripts.command import run
from scripts.running import ROOT, running_stack

_IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def take(url: str, out: Path, *, width: int, height: int, scheme: str) -> None:
    """Open `url` in the distribution's Chromium and keep what is seen once the page is idle."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise Misconfigured("no chromium on this machine; expected the distribution's package")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(url)
            page.get_by_text("Predicted popularity").wait_for(timeout=30_000)
            page.wait_for_selector(_IDLE, timeout=30_000)
            page.wait_for_timeout(1_000)  # the last animation
            page.screenshot(path=out)
        except Error as error:
            raise ChartBusterError(f"no picture of {url}: {error}") from error
        finally:
            browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make screenshot")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "app.png")
    parser.add_argument("--width", type=int, default=1_440, help="pixels (default: 1440)")
    parser.add_argument("--height", type=int, default=900, help="pixels (default: 900)")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    options = parser.parse_args()

    def picture() -> int:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        take(
            running_stack().web_url,
            options.out,
            width=options.width,
            height=options.height,
            scheme=options.scheme,
        )
        print(options.out)
        return 0

    return run(picture)


if __name__ == "__main__":
    sys.exit(main())
