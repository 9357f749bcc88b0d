"""Health checks: an address that answers, or a heartbeat that is fresh."""

import http.server
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from chartbuster.probe import HEARTBEAT_FILE, answers, heartbeat, is_fresh
from tests.emulator import ROOT, free_port


class Pages(http.server.BaseHTTPRequestHandler):
    """/well answers 200, /shaky cuts the connection, everything else answers 503."""

    def do_GET(self) -> None:
        if self.path == "/shaky":
            self.close_connection = True
            return
        self.send_response(200 if self.path in {"/well", "/"} else 503)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_page_that_answers_200_is_well(server: str):
    assert answers(f"{server}/well") == ""
    assert answers(server) == ""


def test_another_answer_is_told_with_the_one_expected(server: str):
    assert answers(f"{server}/ready") == f"{server}/ready answers 503; expected 200"


def test_a_connection_that_is_cut_is_no_answer(server: str):
    assert answers(f"{server}/shaky").startswith(f"{server}/shaky does not answer: ")


def test_where_nobody_listens_nobody_answers():
    address = f"http://127.0.0.1:{free_port()}/well"

    assert answers(address) == f"{address} does not answer: [Errno 111] Connection refused"


def test_a_heartbeat_is_fresh_to_the_second_it_may_be_old(tmp_path: Path):
    file = tmp_path / "alive"
    file.touch()
    os.utime(file, (1000, 1000))

    assert is_fresh(file, 60, now=1000) == ""
    assert is_fresh(file, 60, now=1060) == ""
    assert is_fresh(file, 60, now=1075) == (
        f"the last heartbeat in {file} is 75 s old; expected at most 60 s"
    )


def test_a_program_that_never_lived_has_no_heartbeat(tmp_path: Path):
    file = tmp_path / "alive"

    assert is_fresh(file, 60, now=1000) == f"no heartbeat in {file}: No such file or directory"


def test_a_program_touches_the_file_it_is_given_each_time_it_says_so(tmp_path: Path):
    file = tmp_path / "alive"
    alive = heartbeat({HEARTBEAT_FILE: str(file)})
    assert not file.exists()

    alive()
    os.utime(file, (1000, 1000))
    alive()

    assert is_fresh(file, 5, now=time.time()) == ""


@pytest.mark.parametrize("env", [{}, {HEARTBEAT_FILE: ""}])
def test_without_a_file_a_heartbeat_is_nothing(env: dict[str, str]):
    heartbeat(env)()


def probed(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "chartbuster.probe", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_program_ends_with_0_when_well_and_says_nothing(server: str, tmp_path: Path):
    (tmp_path / "alive").touch()

    assert probed(f"{server}/well") == (0, "")
    assert probed("--fresh", str(tmp_path / "alive"), "60") == (0, "")


def test_the_program_ends_with_1_and_the_reason_when_not(server: str, tmp_path: Path):
    file = tmp_path / "alive"

    assert probed(f"{server}/ready") == (1, f"{server}/ready answers 503; expected 200\n")
    assert probed("--fresh", str(file), "60") == (
        1,
        f"no heartbeat in {file}: No such file or directory\n",
    )


def test_the_program_wants_one_question():
    code, said = probed()

    assert code == 2
    assert "--fresh" in said
