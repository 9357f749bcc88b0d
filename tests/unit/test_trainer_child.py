"""Real processes: a run's child says how it ended, and never outlives the trainer."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trainer.child import Outcome, run_in_child, threads_environment

ROOT = Path(__file__).parents[2]


def child(code: str, *, stopping: threading.Event | None = None) -> tuple[Outcome, list[str]]:
    said: list[str] = []
    outcome = run_in_child(
        [sys.executable, "-u", "-c", code],
        env=dict(os.environ),
        stopping=stopping or threading.Event(),
        relay=said.append,
    )
    return outcome, said


def soon(condition: Callable[[], bool], *, seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_child_that_ends_well_is_done_and_what_it_said_is_passed_on() -> None:
    assert child("print('one'); print('two')") == (Outcome("done"), ["one\n", "two\n"])


def test_a_child_says_why_its_job_can_never_be_done() -> None:
    line = json.dumps({"event": "run_refused", "reason": "it has 3 songs"})

    assert child(f"print({line!r}); raise SystemExit({os.EX_DATAERR})")[0] == Outcome(
        "unusable", "it has 3 songs"
    )


def test_a_child_that_is_killed_or_breaks_has_failed_and_may_be_tried_again() -> None:
    killed, _ = child("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    broken, said = child("raise RuntimeError('oops')")

    assert killed == Outcome("failed", "the run ended with -9")
    assert broken.ending == "failed"
    assert "oops" in "".join(said)


def test_a_stop_ends_a_child_that_does_not_want_to_end_and_all_it_started() -> None:
    stopping = threading.Event()
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "inner = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(inner.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    said: list[str] = []

    def relay(line: str) -> None:
        said.append(line)
        stopping.set()

    started = time.monotonic()
    outcome = run_in_child(
        [sys.executable, "-c", code], env=dict(os.environ), stopping=stopping, relay=relay
    )

    assert outcome.ending == "stopped"
    assert time.monotonic() - started < 10
    assert soon(lambda: not is_alive(int(said[0])))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the lifeline is Linux's")
def test_a_child_dies_with_a_trainer_that_is_killed() -> None:
    inner = (
        "import sys, time; from trainer.lifeline import die_with;"
        "die_with(int(sys.argv[1])); print('ready', flush=True); time.sleep(60)"
    )
    outer = (
        "import os, subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {inner!r}, str(os.getpid())],"
        " start_new_session=True, stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as trainer:
        assert trainer.stdout is not None
        pid = int(trainer.stdout.readline())
        assert is_alive(pid)
        trainer.kill()

    assert soon(lambda: not is_alive(pid))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the lifeline is Linux's")
def test_a_child_whose_trainer_is_gone_already_ends_at_once() -> None:
    code = "from trainer.lifeline import die_with; die_with(1); print('still here')"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )

    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")


def test_a_run_is_told_how_many_models_to_fit_at_a_time_each_on_one_thread() -> None:
    env = threads_environment({"PATH": "/bin", "OMP_NUM_THREADS": "64"}, 3)

    assert (env["PATH"], env["OMP_NUM_THREADS"], env["TRAINER_JOBS"]) == ("/bin", "1", "3")


class Services(ThreadingHTTPServer):
    """A queue with one message, and a bucket that never answers, as the SDK speaks to them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        key = "datasets/demo/a.csv/u/ready_data.csv"
        self.body = json.dumps({"Records": [{"s3": {"object": {"key": key}}}]})
        self.delivered = False
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.bucket_asked = threading.Event()
        self.over = threading.Event()


class _Answers(BaseHTTPRequestHandler):
    server: Services

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.calls.append((action, asked))
        answer: dict[str, Any] = {}
        if action == "ReceiveMessage" and not self.server.delivered:
            self.server.delivered = True
            answer = {
                "Messages": [{"Body": self.server.body, "ReceiptHandle": "r", "MessageId": "m"}]
            }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.bucket_asked.set()
        self.server.over.wait(60)


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


def test_a_stop_in_the_middle_of_a_run_gives_the_message_back_and_ends_well(
    services: Services,
) -> None:
    address = f"http://127.0.0.1:{services.server_address[1]}"
    env = os.environ | {
        "AWS_ENDPOINT_URL": address,
        "AWS_DEFAULT_REGION": "us-east-1",
        "READY_BUCKET": "ready",
        "ARTIFACTS_BUCKET": "artifacts",
        "TRAIN_QUEUE_URL": f"{address}/000000000000/train",
        "TRAIN_DEAD_LETTER_QUEUE_URL": f"{address}/000000000000/dead",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "trainer"], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as trainer:
        assert services.bucket_asked.wait(60), "the run began"
        children = Path(f"/proc/{trainer.pid}/task/{trainer.pid}/children").read_text().split()
        started = time.monotonic()
        trainer.terminate()
        assert trainer.wait(20) == 0
        took = time.monotonic() - started
        assert trainer.stdout is not None
        events = [json.loads(line)["event"] for line in trainer.stdout]

    assert took < 10
    assert services.calls[-1][0] == "ChangeMessageVisibility"
    assert services.calls[-1][1]["VisibilityTimeout"] == 0
    assert "DeleteMessage" not in [action for action, _ in services.calls]
    assert events[-1] == "trainer_stopped"
    assert len(children) == 1
    assert soon(lambda: not is_alive(int(children[0])))


@pytest.mark.parametrize(
    "program",
    ["trainer", "trainer.train_model", "trainer.evaluate_performance", "trainer.score_model"],
)
def test_every_program_explains_itself_with_an_example(program: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", program, "--help"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )

    assert "example:" in told.stdout
    assert program in told.stdout


@pytest.mark.parametrize(
    "program",
    [
        ["trainer"],
        ["trainer.train_model", "--dataset", "demo"],
        ["trainer.score_model", "--song", "{}"],
        ["trainer.evaluate_performance", "--run", "x"],
    ],
    ids=lambda program: program[0],
)
def test_a_program_without_its_settings_names_what_it_lacks(program: list[str]) -> None:
    env = {k: v for k, v in os.environ.items() if not k.endswith(("_BUCKET", "_QUEUE_URL"))}
    told = subprocess.run(
        [sys.executable, "-m", *program],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
        check=False,
    )

    assert told.returncode != 0
    assert "ARTIFACTS_BUCKET" in told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr
