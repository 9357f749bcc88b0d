"""The embedded composition on a real LocalStack: it restarts, forgets nothing, leaves nothing."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from chartbuster.errors import Misconfigured, NotFound
from chartbuster.identity import digest
from compose import embedded
from compose.mirror import Place
from compose.processes import is_alive, wait_for_end
from compose.state import StateFolder
from compose.supervision import Supervisor
from scripts.status import as_json, status_of
from tests.emulator import missing, require
from tests.integration.embedded_stack import EmbeddedStack, checkout

pytestmark = pytest.mark.integration

DEMO = "datasets/demo/demo_catalogue.csv.gz"
SONGS = Place("raw", "datasets/mine/my songs é.csv")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """One stack for the whole module, up; every test leaves it up and well."""
    require(missing())
    made = checkout(tmp_path_factory.mktemp("checkout") / ("a deep % folder; #1 " * 6).strip())
    made.up()
    try:
        yield made
    finally:
        made.down()


def until(come: Callable[[], bool], *, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s"
        time.sleep(0.1)


def well(stack: EmbeddedStack) -> bool:
    return status_of(stack.layout).well


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, patience=5)


def kept(stack: EmbeddedStack) -> set[Place]:
    return set(StateFolder(stack.layout.state).places())


def upload(stack: EmbeddedStack, body: bytes) -> None:
    """Put a file and wait until its run is the champion, all of it kept."""
    stack.running.raw.write(SONGS.key, body)
    state, run = StateFolder(stack.layout.state), digest(body)[:16]
    champion = Place("artifacts", "champions/mine.json")
    until(lambda: champion in kept(stack) and run in state.read(champion).decode())


def test_only_127_0_0_1_listens(stack: EmbeddedStack):
    listening = [
        connection
        for process in stack.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    ]
    assert {connection.laddr[0] for connection in listening} == {"127.0.0.1"}
    assert {connection.laddr[1] for connection in listening} >= {
        stack.ports.localstack,
        stack.ports.web,
    }


def test_no_aws_setting_of_the_person_reaches_a_program(stack: EmbeddedStack):
    for process in stack.processes():
        settings = process.environ()
        assert settings.get("AWS_ACCESS_KEY_ID", "test") in {"test", "000000000000"} or (
            settings["AWS_ACCESS_KEY_ID"].startswith("LSIA")
        )
        assert "AWS_PROFILE" not in settings
        assert settings.get("HOME", "").startswith(str(stack.layout.stack))


def test_everything_that_was_written_is_under_the_stack_folder(stack: EmbeddedStack):
    for process in stack.processes():
        for file in process.open_files():
            if file.mode not in {"r", "rb"}:
                assert file.path.startswith(str(stack.layout.stack))


def test_the_objects_of_two_stacks_do_not_share_a_folder(stack: EmbeddedStack):
    # LocalStack keeps small objects in memory and writes large ones to a folder per bucket.
    stack.running.artifacts.write("large", bytes(1_000_000))
    folder = stack.layout.localstack_home / "tmp" / "s3" / stack.running.outputs["ArtifactsBucket"]
    assert folder.is_dir()
    stack.running.artifacts.delete("large")


def test_up_again_is_quick_and_starts_nothing(stack: EmbeddedStack):
    before = {process.pid for process in stack.processes()}
    started = time.monotonic()
    stack.up()
    assert time.monotonic() - started < 2
    assert {process.pid for process in stack.processes()} <= before


def test_status_names_every_part_and_the_champion(stack: EmbeddedStack):
    status = status_of(stack.layout)
    assert status.faults == ()
    names = {"localstack", "keeper", "trainer", "webapp", "guard", "supervisor"}
    assert {each.name for each in status.components} == names
    assert all(each.memory > 0 for each in status.components)
    assert status.objects is not None
    assert status.objects["raw"] >= 1
    assert [each.dataset for each in status.champions if each.active] == ["demo"]
    assert '"well": true' in as_json(status)


def test_outputs_are_the_names_of_the_deployed_stack(stack: EmbeddedStack):
    outputs = embedded.outputs(stack.layout)
    assert outputs["Endpoint"] == stack.ports.endpoint
    assert outputs["WebUrl"] == stack.ports.web_url
    assert stack.running.raw.etag(DEMO) is not None


@pytest.mark.parametrize("name", ["keeper", "guard", "localstack", "trainer", "webapp"])
def test_a_killed_component_comes_back_and_nothing_is_lost_or_trained_twice(
    stack: EmbeddedStack, name: str
):
    upload(stack, f"songs before {name} died".encode())
    before, runs = kept(stack), stack.trained()
    pid = stack.components()[name].pid

    kill(pid)

    until(lambda: stack.components()[name].pid not in {0, pid})
    until(lambda: well(stack))
    assert kept(stack) == before
    body = stack.running.raw.read(SONGS.key).body
    assert body == f"songs before {name} died".encode()
    assert stack.trained() == runs


def test_a_killed_supervisor_is_started_anew_and_leaves_no_orphan(stack: EmbeddedStack):
    upload(stack, b"songs before supervisor died")
    before, runs, old = kept(stack), stack.trained(), stack.processes()
    pid = Supervisor(stack.layout).pid()
    assert pid is not None

    kill(pid)

    until(lambda: Supervisor(stack.layout).pid() not in {None, pid})
    until(lambda: well(stack))
    assert not [process for process in old if is_alive(process)]
    assert kept(stack) == before
    assert stack.trained() == runs


def test_down_leaves_nothing_but_the_state_and_up_goes_on_from_there(stack: EmbeddedStack):
    upload(stack, b"songs before down")
    before, runs, processes = kept(stack), stack.trained(), stack.processes()

    stack.running.raw.write("datasets/mine/last second.csv", b"just before the end")
    stack.down()
    stack.down()

    assert not [process for process in processes if is_alive(process)]
    assert stack.processes() == []
    for port in (stack.ports.localstack, stack.ports.web):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=1)
    left = {path.name for path in stack.layout.stack.iterdir()}
    assert left <= {"state", "logs", "cache", "home", "lock", "localstack"}
    localstack = (path for path in stack.layout.localstack_home.rglob("*") if path.is_file())
    assert {path.parent.name for path in localstack} == {"cache"}  # like its index of services
    assert Place("raw", "datasets/mine/last second.csv") in kept(stack)
    with pytest.raises(NotFound, match="not up"):
        embedded.outputs(stack.layout)
    assert not well(stack)

    stack.up()
    assert before <= kept(stack)
    until(lambda: stack.trained() == runs + 1)  # the file of the last second
    time.sleep(1)
    assert stack.trained() == runs + 1


def test_a_taken_port_is_named_with_its_holder_and_the_variable(stack: EmbeddedStack):
    with pytest.raises(Misconfigured) as raised:
        embedded.check_ports(stack.ports)
    pid = stack.components()["localstack"].pid
    assert f"port {stack.ports.localstack} is held by pid {pid} (" in str(raised.value)
    assert "LOCALSTACK_PORT=" in str(raised.value)
    assert "WEB_PORT=" in str(raised.value)


def test_what_is_built_anew_is_started_anew(stack: EmbeddedStack):
    before = Supervisor(stack.layout).pid()
    with stack.layout.lambda_zip.open("ab"):
        pass
    stack.layout.demo_catalogue.write_bytes(b"another catalogue")
    stack.up()
    assert Supervisor(stack.layout).pid() != before
    assert stack.running.raw.read(DEMO).body == b"the demo catalogue"
