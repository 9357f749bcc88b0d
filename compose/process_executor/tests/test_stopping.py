"""What is left when LocalStack ends, and what listens while it runs."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Thread

import psutil
import pytest
from botocore.exceptions import BotoCoreError
from running_localstack import LocalStack, eventually, is_running

pytestmark = pytest.mark.integration

# Busy for a minute in one call into C, which holds the interpreter's lock, beside a process
# that it started. It notes both pids.
BUSY = """
    import json, os, re, subprocess

    def handler(event, context):
        beside = subprocess.Popen(["sleep", "60"])
        with open(event + ".part", "w") as note:
            json.dump([os.getpid(), beside.pid], note)
        os.rename(event + ".part", event)
        re.match(r"(a+)+b", "a" * 60)
"""


@contextmanager
def a_busy_function(localstack: LocalStack, note: Path) -> Iterator[list[int]]:
    """The pids of a function in the middle of an invocation, and of the process beside it."""
    name = localstack.create(BUSY, Timeout=60)

    def call() -> None:
        client = localstack.client("lambda")
        with suppress(BotoCoreError, client.exceptions.ClientError):  # LocalStack is ended
            client.invoke(FunctionName=name, Payload=json.dumps(str(note)))
        client.close()

    caller = Thread(target=call)
    caller.start()
    eventually(note.exists, within=20)
    pids = json.loads(note.read_text())
    assert all(is_running(pid) for pid in pids)
    yield pids
    caller.join()


def test_no_function_outlives_a_localstack_that_is_killed(
    start_localstack: Callable[..., AbstractContextManager[LocalStack]], tmp_path: Path
) -> None:
    with (
        start_localstack() as localstack,
        a_busy_function(localstack, tmp_path / "note") as pids,
    ):
        localstack.process.kill()
        localstack.process.wait()

        eventually(lambda: not any(is_running(pid) for pid in pids), within=3)


def test_sigterm_ends_localstack_and_a_running_function_within_seconds(
    start_localstack: Callable[..., AbstractContextManager[LocalStack]], tmp_path: Path
) -> None:
    with (
        start_localstack() as localstack,
        a_busy_function(localstack, tmp_path / "note") as pids,
    ):
        begun = time.monotonic()
        localstack.process.send_signal(signal.SIGTERM)

        assert localstack.process.wait(10) == 0
        assert time.monotonic() - begun < 8
        eventually(lambda: not any(is_running(pid) for pid in pids), within=1)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", localstack.port)) != 0


def test_sigterm_right_after_an_invocation_ends_localstack_too(
    start_localstack: Callable[..., AbstractContextManager[LocalStack]],
) -> None:
    # Its metrics then load CloudWatch during the stop, whose scheduler would run for ever.
    with start_localstack() as localstack:
        name = localstack.create("def handler(event, context): return 1")
        localstack.invoke(name)
        localstack.process.send_signal(signal.SIGTERM)

        assert localstack.process.wait(10) == 0
        assert not (localstack.log.parent / "tmp").exists()


def test_only_the_loopback_address_listens(localstack: LocalStack) -> None:
    name = localstack.create("def handler(event, context): pass")
    localstack.invoke(name)
    emulator = psutil.Process(localstack.process.pid)

    def listening(process: psutil.Process) -> list[tuple[str, int]]:
        return [
            connection.laddr
            for connection in process.net_connections(kind="inet")
            if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
        ]

    functions = emulator.children(recursive=True)
    places = listening(emulator)

    assert ("127.0.0.1", localstack.port) in places
    assert {host for host, _ in places} == {"127.0.0.1"}
    assert functions
    assert not any(listening(function) for function in functions)
    # The gateway, and one Runtime API for each function; no DNS server, no ports for services.
    eventually(
        lambda: len(listening(emulator)) == 1 + len(emulator.children(recursive=True)), within=5
    )


def test_nothing_is_written_outside_the_home_folder(localstack: LocalStack) -> None:
    home = localstack.log.parent
    written = {
        Path(file.path)
        for file in psutil.Process(localstack.process.pid).open_files()
        if file.mode != "r"
    }

    assert localstack.log in written
    assert all(path.is_relative_to(home) for path in written), written
    assert not (home / "of-the-caller").exists()


def test_it_stays_small_once_its_services_are_loaded(localstack: LocalStack) -> None:
    localstack.invoke(localstack.create("def handler(event, context): pass"))

    # 190 MB, and 520 MB where it made the index of AWS's services by itself.
    assert psutil.Process(localstack.process.pid).memory_info().rss < 350 * 1024 * 1024


def test_a_taken_port_ends_the_start_with_the_port_and_the_variable(
    start_program: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start_program(tmp_path, port, tmp_path / "log")

        try:
            assert process.wait(30) == 1
        finally:
            process.kill()
    said = (tmp_path / "log").read_text()
    assert f"127.0.0.1:{port}" in said
    assert "set GATEWAY_LISTEN=host:port" in said
