"""An environment's life with real processes and no LocalStack.

The processes here are runtimes of a few lines: awslambdaric is not needed to see what the
sandbox does with one.
"""

import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from localstack_process_executor.child import LARGEST_LOG, Child
from localstack_process_executor.sandbox import Invocation, Limits, Sandbox, SandboxStopped
from localstack_process_executor.settings import CannotRun
from running_localstack import eventually, is_running

INVOCATION = Invocation("id-1", "arn:f", "Root=1", b'"event"')

ANSWERING = """
    import http.client, os, sys
    at = "/2018-06-01/runtime/invocation/"
    api = http.client.HTTPConnection(sys.argv[1])
    print("initialised", flush=True)
    while True:
        api.request("GET", at + "next")
        task = api.getresponse()
        event = task.read()
        {work}
        api.request("POST", at + task.headers["Lambda-Runtime-Aws-Request-Id"] + "/response", event)
        api.getresponse().read()
"""

Make = Callable[..., Sandbox]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Sandbox] = []

    def sandbox(code: str, **limits: float) -> Sandbox:
        def launch(api: str) -> Child:
            command = [sys.executable, "-S", "-c", textwrap.dedent(code), api]
            return Child(command, env={}, cwd=tmp_path)

        wanted = Limits(
            **{  # type: ignore[arg-type]
                "timeout_seconds": 5,
                "memory_mib": 256,
                "answer_bytes": 100,
                **limits,
            }
        )
        made.append(Sandbox(launch, version="7", limits=wanted))
        return made[-1]

    yield sandbox
    for each in made:
        each.stop()


def test_the_log_begins_with_the_initialisation_and_only_once(make: Make) -> None:
    sandbox = make(ANSWERING.format(work="print('at work', flush=True)"))
    sandbox.start()

    first, second = sandbox.invoke(INVOCATION), sandbox.invoke(INVOCATION)

    assert first.payload == b'"event"'
    assert not first.is_error
    assert first.log.splitlines()[:4] == [
        "initialised",
        "START RequestId: id-1 Version: 7",
        "at work",
        "END RequestId: id-1",
    ]
    assert second.log.startswith("START ")


def test_a_slow_initialisation_gets_a_second_chance_in_the_invocation(
    make: Make, tmp_path: Path
) -> None:
    slow_once = """
        import os, time
        if not os.path.exists("been-here"):
            open("been-here", "w").close()
            print("too slow", flush=True)
            time.sleep(60)
    """
    sandbox = make(textwrap.dedent(slow_once) + textwrap.dedent(ANSWERING).format(work="pass"),
                   init_seconds=0.5)  # fmt: skip
    sandbox.start()

    outcome = sandbox.invoke(INVOCATION)

    assert not outcome.is_error
    assert outcome.log.startswith("too slow\ninitialised\nSTART ")


def test_an_initialisation_that_never_ends_is_a_timeout(make: Make) -> None:
    sandbox = make("import time; time.sleep(60)", init_seconds=0.2, timeout_seconds=0.3)
    sandbox.start()

    outcome = sandbox.invoke(INVOCATION)

    assert outcome.is_error
    assert b"Sandbox.Timedout" in outcome.payload
    assert "Status: timeout" in outcome.log


def test_too_much_memory_while_initialising_is_out_of_memory(make: Make) -> None:
    sandbox = make("held = b'x' * (300 << 20); import time; time.sleep(60)")
    sandbox.start()

    assert b"Runtime.OutOfMemory" in sandbox.invoke(INVOCATION).payload


def test_stopping_ends_a_running_invocation(make: Make, tmp_path: Path) -> None:
    sandbox = make(
        ANSWERING.format(
            work="open('pid', 'w').write(str(os.getpid())); import time; time.sleep(60)"
        )
    )
    sandbox.start()
    seen: list[Exception] = []

    def call() -> None:
        try:
            sandbox.invoke(INVOCATION)
        except SandboxStopped as error:
            seen.append(error)

    caller = Thread(target=call)
    caller.start()
    note = tmp_path / "pid"
    eventually(lambda: note.exists() and note.read_text(), within=5)

    sandbox.stop()
    sandbox.stop()

    caller.join(5)
    assert [str(error) for error in seen] == ["the environment was stopped during id-1"]
    assert not is_running(int(note.read_text()))


def test_a_stopped_environment_starts_nothing_again(make: Make) -> None:
    sandbox = make(ANSWERING.format(work="pass"))
    sandbox.start()
    sandbox.stop()

    with pytest.raises(SandboxStopped):
        sandbox.invoke(INVOCATION)


def test_what_cannot_be_started_is_tried_again_at_the_next_invocation(tmp_path: Path) -> None:
    tries = []

    def launch(api: str) -> Child:
        tries.append(api)
        raise CannotRun("set SOMETHING")

    sandbox = Sandbox(launch, version="7", limits=Limits(1, 128, 100))
    sandbox.start()

    outcomes = [sandbox.invoke(INVOCATION) for _ in range(2)]

    assert len(tries) == 2
    assert all(b"set SOMETHING" in outcome.payload for outcome in outcomes)
    assert all("RequestId: id-1 Error: set SOMETHING\n" in outcome.log for outcome in outcomes)


def test_of_too_much_output_the_latest_is_kept(make: Make) -> None:
    much = f"sys.stdout.write('a' * {LARGEST_LOG} + 'the end' + chr(10)); sys.stdout.flush()"
    sandbox = make(ANSWERING.format(work=much))
    sandbox.start()

    log = sandbox.invoke(INVOCATION).log

    assert "bytes of output dropped]\na" in log
    assert "the end\nEND RequestId" in log
    assert len(log) < LARGEST_LOG + 1000


def test_a_process_that_a_function_leaves_behind_is_ended_with_it(
    make: Make, tmp_path: Path
) -> None:
    work = "import subprocess; event = str(subprocess.Popen(['/bin/sleep', '60']).pid).encode()"
    sandbox = make(ANSWERING.format(work=work))
    sandbox.start()
    beside = int(sandbox.invoke(INVOCATION).payload)
    assert is_running(beside)

    sandbox.stop()

    eventually(lambda: not is_running(beside), within=2)
