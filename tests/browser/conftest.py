"""The app as a process, on this machine alone."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from email.message import Message

import pytest

from tests.emulator import ROOT, free_port

PATIENCE = 60.0


def answer(url: str) -> tuple[int, Message, bytes]:
    """Status, headers and body of a GET, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=10) as found:
            return found.status, found.headers, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@contextmanager
def running(
    module: str, *arguments: str, env: Mapping[str, str], port: int | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`python -m module` until its port answers; ended and gone afterwards."""
    port = port or free_port()
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
