"""The distribution's Chromium, and pages in it; `tests/conftest.py` makes its fixtures known."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

from tests.emulator import require

# Chromium gives up whatever it loads when a network appears on the machine or goes, as one does
# with every container that starts or stops nearby.
_NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
_TRIES = 4


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The distribution's Chromium; without one, tests are skipped here and fail in CI."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    require(None if program else "there is no chromium on the PATH")
    with sync_playwright() as playwright:
        # Its sandbox needs rights that containers, and root, do not have.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page, and what went on behind it."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens a page of its own in a window of `width`, in the light or the dark theme."""
    contexts = []

    def opened(url: str, *, width: int = 1440, height: int = 900, theme: str = "light") -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
        )
        contexts.append(context)
        page = context.new_page()
        made = Visit(page)
        page.on("request", lambda request: made.hosts.add(request.url.split("/")[2]))
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: made.complaints.append(said.text) if _is_complaint(said) else None,
        )
        _show(made, url)
        return made

    yield opened
    for context in contexts:
        context.close()


def _is_complaint(said: ConsoleMessage) -> bool:
    """Whether a page logged an error that is not Streamlit's search for its own address.

    On any page but the first it asks for `<page>/_stcore/…` before it asks for `/_stcore/…`, since
    either could be where it lives.
    """
    searched = re.search(r"//[^/]+/[^/]+/_stcore/", said.location.get("url", ""))
    return said.type == "error" and not searched


def _show(visit: Visit, url: str) -> None:
    """Load the page until it has a heading; again when a changed network is why it has none."""
    for _ in range(_TRIES):
        visit.complaints.clear()
        try:
            visit.page.goto(url)
            visit.page.get_by_role("heading", level=2).first.wait_for()
        except Error as error:
            visit.complaints.append(str(error))
            if not any(_NETWORK_CHANGED in said for said in visit.complaints):
                break
        else:
            return
    shown = visit.page.locator("body").inner_text()
    raise AssertionError(f"{url} shows {shown!r} and says {visit.complaints}")
