"""A real Chromium and the app as a process, on this machine alone."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def answer(url: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of a GET, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=10) as found:
            return found.status, found.headers, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@contextmanager
def running(
    module: str, *arguments: str, env: Mapping[str, str]
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`python -m module` until its port answers; ended and gone afterwards."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", str(port), *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if answer(f"{url}/_stcore/health")[0] == 200:
                    break
            except OSError:
                pass
            assert process.poll() is None, f"the app ended with {process.returncode}"
            assert time.monotonic() < deadline, f"no answer from {url} in {PATIENCE:.0f} s"
            time.sleep(0.1)
        yield url, process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def app_in() -> Iterator[Callable[[str], str]]:
    """The address of an app over a store in the state asked for; one app per state."""
    opened: dict[str, str] = {}
    with ExitStack() as apps:

        def in_state(state: str) -> str:
            if state not in opened:
                app = running("tests.browser.serve", "--state", state, env={"OMP_NUM_THREADS": "1"})
                opened[state] = apps.enter_context(app)[0]
            return opened[state]

        yield in_state


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The distribution's Chromium; without one, tests are skipped here and fail in CI."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        why = "there is no chromium on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{why}, and CI must not skip these tests")
        pytest.skip(why)
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
            lambda said: made.complaints.append(said.text) if said.type == "error" else None,
        )
        page.goto(url)
        page.get_by_role("heading", level=2).first.wait_for()
        return made

    yield opened
    for context in contexts:
        context.close()
