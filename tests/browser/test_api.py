"""The API as a process keeps every promise of its own description."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import Message
from pathlib import Path

from tests.browser.conftest import answer

_PATIENCE = 300.0


def asked(url: str, body: bytes) -> tuple[int, Message, bytes]:
    """What a program gets that posts `body`."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as found:
            return found.status, found.headers, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_a_program_asks_beside_the_pages(app_in: Callable[[str], str]) -> None:
    url = app_in("champion")

    status, headers, body = asked(f"{url}/api/predict", b'{"songs": [{"genre": "Pop"}, {}]}')

    assert status == 200
    assert len(json.loads(body)["songs"]) == 2
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Set-Cookie"] is None
    for refused, status in ((b"{", 400), (b'{"songs": 1}', 422), (b" " * 1_500_000, 413)):
        got, headers, body = asked(f"{url}/api/predict", refused)
        assert got == status
        assert headers["Content-Type"] == "application/problem+json"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Set-Cookie"] is None
    assert answer(f"{url}/api/nothing")[0] == 404, "it is no page of the app"


def test_a_program_is_told_to_come_back_while_there_is_no_model(
    app_in: Callable[[str], str],
) -> None:
    status, headers, body = answer(f"{app_in('empty')}/api/model")

    assert (status, headers["Retry-After"]) == (503, "10")
    assert json.loads(body)["type"].endswith("no-champion")


def test_the_api_is_what_its_description_says(app_in: Callable[[str], str], tmp_path: Path) -> None:
    """Every check of schemathesis, none left out; it draws the same requests every time."""
    program = Path(sys.executable).with_name("schemathesis")
    run = subprocess.run(
        [
            *(program, "run", f"{app_in('champion')}/api/openapi.json"),
            *("--checks", "all", "--max-examples", "50", "--seed", "1"),
            *("--generation-database", "none", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-6_000:]
    assert "No issues found" in run.stdout
