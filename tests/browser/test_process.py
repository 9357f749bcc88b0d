"""The app as a process: what it answers, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import answer, running
from tests.chromium import Visit

# Nothing listens on the discard port, so the store is as far away as it can be.
NO_STORE = {
    "RAW_BUCKET": "nowhere",
    "READY_BUCKET": "nowhere",
    "ARTIFACTS_BUCKET": "nowhere",
    "TRAIN_QUEUE_URL": "http://127.0.0.1:9/nowhere",
    "TRAIN_DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:9/nowhere",
    "LAMBDA_DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:9/nowhere",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def test_without_a_store_the_app_starts_and_says_so_and_ends_cleanly_when_told() -> None:
    with running("webapp", env=NO_STORE) as (url, process):
        status, _, body = answer(f"{url}/ready")
        assert status == 503
        assert json.loads(body) == {"ready": False, "state": "store-away"}

        for path in ("/", "/ready", "/_stcore/health", "/static/nothing.js"):
            _, headers, _ = answer(url + path)
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] == "same-origin", path

        second = another_on_the_port_of(url)
        assert second.returncode == 1
        assert url.rpartition(":")[2] in second.stderr.decode(), "the taken port is named"

        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_link_to_a_page_is_a_fine_first_visit(visit: Callable[..., Visit]) -> None:
    with running("tests.browser.serve", env={}) as (url, _):
        page = visit(f"{url}/models").page

        expect(page.get_by_role("link", name="Pipeline")).to_be_visible()
        assert page.title() == "Models – ChartBuster"


def another_on_the_port_of(url: str) -> subprocess.CompletedProcess[bytes]:
    port = url.rpartition(":")[2]
    return subprocess.run(
        [sys.executable, "-m", "webapp", "--port", port],
        env={**os.environ, **NO_STORE},
        capture_output=True,
        timeout=60,
        check=False,
    )
