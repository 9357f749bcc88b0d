"""The stack in containers: what they may do, what a kill does to them, and what is left of them."""

import json
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compose import engine
from compose.composed import Composed
from compose.health import app_serves
from compose.status import look, look_at_containers
from scripts.down import bring_containers_down
from scripts.predict import command_in
from scripts.reset import forget_containers
from scripts.running import Running
from scripts.steps import Steps
from scripts.up import bring_containers_up
from tests import containers
from tests.acceptance.stack import Stack, fresh, songs
from tests.emulator import Emulator, require
from tests.waiting import until

pytestmark = pytest.mark.integration

SERVICES = ("keeper", "localstack", "trainer", "webapp")
QUIET = Steps(Console(quiet=True))
WRITABLE = {
    "localstack": {"/tmp", "/var/lib/localstack"},
    "keeper": {"/tmp", "/state"},
    "trainer": {"/tmp"},
    "webapp": {"/tmp"},
}
# Given to every container by the engine, in memory.
_OF_THE_ENGINE = {"/dev/shm", "/dev/mqueue"}


@pytest.fixture(scope="module")
def project() -> Iterator[Composed]:
    """A project of its own for the whole module; nothing of it is left behind."""
    require(containers.lacking())
    made = containers.fresh_project()
    try:
        yield made
    finally:
        made.forget()


@pytest.fixture
def stack(project: Composed) -> Composed:
    """The project, up and well, whatever the test before did to it."""
    if not well(project):
        bring_containers_up(project, QUIET)
        until(lambda: well(project), what="all containers well")
    return project


def well(stack: Composed) -> bool:
    running = stack.containers()
    return len(running) == 5 and all(each.well for each in running) and is_mirroring(stack)


def is_mirroring(stack: Composed) -> bool:
    return stack.report().get("phase") == "mirroring"


def seen(stack: Composed) -> Stack:
    """The stack as anybody with its outputs sees it."""
    outputs = stack.outputs()
    return Stack(outputs, Emulator(outputs["Endpoint"]).session, patience=120)


def inspected(stack: Composed) -> dict[str, dict[str, Any]]:
    """What the engine says of each container, the deployment's included."""
    ids = stack.call("ps", "--all", "--quiet").split()
    found = json.loads(engine.call(("inspect", *ids), stack.environ))
    return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}


def inside(stack: Composed, service: str, code: str) -> str:
    """What a Python program prints that runs in a service's container."""
    return stack.call("exec", "-T", service, "python", "-c", textwrap.dedent(code)).strip()


def objects(stack: Composed) -> dict[str, str]:
    """Every object with its ETag, but for the notes of how far a run is."""
    running = Running(stack.outputs())
    stores = {"raw": running.raw, "ready": running.ready, "artifacts": running.artifacts}
    return {
        f"{role}/{item.key}": item.etag
        for role, store in stores.items()
        for item in store.list("")
        if not item.key.startswith("progress/")
    }


def begun(stack: Composed) -> int:
    """How many runs the trainer's container has begun."""
    return sum('"stage": "reading the songs"' in line for line in stack.lines("trainer", 100_000))


def kill(stack: Composed, service: str) -> None:
    """Kill every process of a container, as running out of memory would; the engine restarts it."""
    before = inspected(stack)[service]["RestartCount"]
    stack.call("exec", "-T", service, "sh", "-c", "kill -9 -1")
    until(lambda: bool(inspected(stack)[service]["RestartCount"] > before), what="the restart")


def predicted(stack: Composed) -> dict[str, Any]:
    done = subprocess.run(
        command_in(stack, '{"genre": "Pop", "danceability": 0.7}'),
        env=stack.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_after_up_a_prediction_is_served(stack: Composed):
    champion = seen(stack).registry.champion("demo")
    assert champion is not None

    answer = predicted(stack)

    assert app_serves(stack.ports.web_url)
    assert (answer["run_id"], answer["model"]) == (champion.run_id, champion.model)
    assert 40 < answer["popularity"] < 90


def test_status_finds_every_container_well_with_what_it_holds(stack: Composed):
    found = look_at_containers(stack)
    assert found is not None

    status = look(found, {}, {})

    assert status.faults == ()
    assert {each.name: each.state for each in status.components} == dict.fromkeys(
        SERVICES, "HEALTHY"
    )
    assert all(each.memory > 10e6 and each.uptime > 0 for each in status.components)
    assert status.addresses == {
        "Endpoint": stack.ports.endpoint,
        "WebUrl": stack.ports.web_url,
    }


@pytest.mark.parametrize("service", [*SERVICES, "deploy"])
def test_a_container_is_set_up_to_do_no_more_than_it_has_to(stack: Composed, service: str):
    found = inspected(stack)[service]
    host = found["HostConfig"]

    assert found["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"] is True
    assert host["Init"] is True
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not host["Devices"]
    assert (host["PidMode"], host["UTSMode"]) == ("", "")
    assert host["NetworkMode"] == f"{stack.name}_inside"
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    mounts = {each["Destination"]: each["Type"] for each in found["Mounts"]}
    assert mounts == ({"/state": "volume"} if service in {"keeper", "deploy"} else {})


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_what_it_is_set_up_to_be_when_looked_at_from_inside(
    stack: Composed, service: str
):
    looked = json.loads(inside(stack, service, LOOK))

    assert len(looked["processes"]) >= 3  # init, the program, and whoever looks
    for process in looked["processes"]:
        assert set(process["Uid"].split()) == {"10001"}, process
        assert set(process["Gid"].split()) == {"10001"}, process
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(process[capabilities], 16) == 0, process
        assert process["NoNewPrivs"] == "1", process
    assert set(looked["writable"]) - _OF_THE_ENGINE == WRITABLE[service]
    assert set(looked["in memory"]) >= WRITABLE[service] - {"/state"}
    assert looked["sockets"] == []


LOOK = """
    import json, os
    from pathlib import Path

    def status(pid):
        said = Path("/proc", pid, "status").read_text()
        return dict(line.split(":\\t", 1) for line in said.splitlines() if ":\\t" in line)

    writable = []
    for folder, folders, _ in os.walk("/"):
        if folder in {"/proc", "/sys"} or os.access(folder, os.W_OK):
            folders.clear()
            if folder not in {"/proc", "/sys"}:
                writable.append(folder)
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    print(json.dumps({
        "processes": [status(pid) for pid in os.listdir("/proc") if pid.isdigit()],
        "writable": writable,
        "in memory": [where for _, where, kind, *_ in mounts if kind == "tmpfs"],
        "sockets": [p for p in ("/var/run/docker.sock", "/run/docker.sock") if os.path.exists(p)],
    }))
"""


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_says_by_itself_how_it_is(stack: Composed, service: str):
    found = inspected(stack)[service]

    assert found["Config"]["Healthcheck"]["Test"][0] == "CMD"
    assert found["State"]["Health"]["Status"] == "healthy"


def test_ports_are_published_on_127_0_0_1_alone(stack: Composed):
    published = {
        service: {
            (binding["HostIp"], int(binding["HostPort"]))
            for bindings in found["NetworkSettings"]["Ports"].values()
            for binding in bindings or ()
        }
        for service, found in inspected(stack).items()
    }

    assert published == {
        "localstack": {("127.0.0.1", stack.ports.localstack)},
        "webapp": {("127.0.0.1", stack.ports.web)},
        "keeper": set(),
        "trainer": set(),
        "deploy": set(),
    }


def test_the_network_translates_no_addresses_and_asks_no_name_server(stack: Composed):
    (network,) = json.loads(
        engine.call(("network", "inspect", f"{stack.name}_inside"), stack.environ)
    )

    assert network["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    for found in inspected(stack).values():
        assert found["HostConfig"]["Dns"] == ["127.0.0.1"]
    # An unknown name is refused at once, and inside: nobody else was asked.
    assert float(inside(stack, "webapp", LOOK_UP)) < 2


LOOK_UP = """
    import socket, time
    began = time.monotonic()
    try:
        socket.getaddrinfo("a-service-that-is-not-there", 80)
    except socket.gaierror:
        print(time.monotonic() - began)
"""


def test_up_again_changes_nothing(stack: Composed):
    def life() -> dict[str, tuple[str, str]]:
        every = inspected(stack).items()
        return {name: (found["Id"], found["State"]["StartedAt"]) for name, found in every}

    before, kept, runs = life(), objects(stack), begun(stack)

    bring_containers_up(stack, QUIET)

    after = life()
    assert {name: after[name] for name in SERVICES} == {name: before[name] for name in SERVICES}
    assert after["deploy"][0] == before["deploy"][0]
    assert objects(stack) == kept
    assert begun(stack) == runs


@contextmanager
def watching_the_gate(stack: Composed) -> Iterator[list[str]]:
    """What whoever lists the artifacts through the gate is answered, each answer that is new.

    Filled on leaving the block, which ends once everything is there again.
    """
    command = stack.command("exec", "-T", "webapp", "python", "-c", textwrap.dedent(WATCH))
    with subprocess.Popen(
        ["docker", *command],
        env=stack.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as watch:
        assert watch.stdout is not None
        answers = [watch.stdout.readline().strip()]
        yield answers
        answers += watch.stdout.read().splitlines()


WATCH = """
    import http.client, os, time

    def answer():
        gate = http.client.HTTPConnection("keeper", 4566, timeout=5)
        try:
            gate.request("GET", f"/{os.environ['ARTIFACTS_BUCKET']}?list-type=2")
            said = gate.getresponse()
            return f"{said.status} with {said.read().count(b'<Key>')}"
        except ConnectionRefusedError:
            return "refused"
        except OSError as error:
            return f"cut: {type(error).__name__}"
        finally:
            gate.close()

    first = last = answer()
    print(first, flush=True)
    end = time.monotonic() + 100
    was_away = False
    while time.monotonic() < end and not (was_away and last == first):
        new = answer()
        if new != last:
            print(new, flush=True)
        last = new
        was_away = was_away or new == "refused"
        time.sleep(0.01)
"""


@pytest.mark.parametrize("how", ["its processes", "the container"])
def test_a_killed_localstack_gets_everything_back_behind_a_shut_gate(stack: Composed, how: str):
    before, runs = objects(stack), begun(stack)

    with watching_the_gate(stack) as answers:
        if how == "its processes":
            kill(stack, "localstack")
        else:
            # By hand: the engine does not restart what somebody killed, `make up` does.
            engine.call(("kill", f"{stack.name}-localstack-1"), stack.environ)
            bring_containers_up(stack, QUIET)

    assert answers[0].startswith("200 with ")
    assert "refused" in answers, answers
    # Nobody ever saw some of the artifacts and not the others.
    assert {answer for answer in answers if answer.startswith("200")} == {answers[0]}, answers
    assert answers[-1] == answers[0]
    until(lambda: well(stack), what="all containers well")
    assert objects(stack) == before
    until(lambda: app_serves(stack.ports.web_url), what="the app to serve")
    seen(stack).until(seen(stack).is_idle, "the end of all work")
    assert begun(stack) == runs


def test_a_killed_keeper_comes_back_and_brings_home_what_came_meanwhile(stack: Composed):
    before = objects(stack)
    key = f"datasets/{fresh('meanwhile')}/songs.csv"

    kill(stack, "keeper")
    Running(seen(stack).outputs).raw.write(key, b"no songs at all")

    until(lambda: well(stack), what="all containers well")
    kept = f"import os; print(os.path.exists('/state/kept/raw/{key}'))"
    until(lambda: inside(stack, "keeper", kept) == "True", what="the upload in the volume")
    assert before.items() <= objects(stack).items()


def test_a_killed_app_comes_back_and_serves(stack: Composed):
    kill(stack, "webapp")

    until(lambda: well(stack), what="all containers well")
    until(lambda: app_serves(stack.ports.web_url), what="the app to serve")


def test_a_trainer_killed_in_a_run_ends_it_after_all_and_once(stack: Composed):
    look_on, runs = seen(stack), begun(stack)
    upload = look_on.upload(fresh("killed"), songs(2_000))
    until(lambda: begun(stack) > runs, what="the run to begin")

    kill(stack, "trainer")

    look_on.until(lambda: look_on.decided(upload), "the run after the kill")
    assert len(look_on.runs(upload.dataset)) == 1
    look_on.until(look_on.is_idle, "the end of all work")
    until(lambda: well(stack), what="all containers well")


def left(stack: Composed, kind: str) -> list[str]:
    """What the engine has of the project, by name."""
    mine = ("--filter", f"label=com.docker.compose.project={stack.name}")
    questions = {
        "containers": ("ps", "--all", "--format", "{{.Names}}"),
        "networks": ("network", "ls", "--format", "{{.Name}}"),
        "volumes": ("volume", "ls", "--format", "{{.Name}}"),
    }
    return engine.call((*questions[kind], *mine), stack.environ).split()


def test_down_keeps_the_volume_alone_and_up_again_serves_without_training(stack: Composed):
    seen(stack).until(seen(stack).is_idle, "the end of all work")
    before = objects(stack)

    bring_containers_down(stack, QUIET)
    bring_containers_down(stack, QUIET)

    assert left(stack, "containers") == left(stack, "networks") == []
    assert left(stack, "volumes") == [stack.volume]
    assert not app_serves(stack.ports.web_url)

    bring_containers_up(stack, QUIET)

    assert app_serves(stack.ports.web_url)
    until(lambda: well(stack), what="all containers well")
    seen(stack).until(seen(stack).is_idle, "the end of all work")
    assert before.items() <= objects(stack).items()
    assert begun(stack) == 0


def test_on_a_network_without_a_way_out_all_of_it_works(stack: Composed, tmp_path: Path):
    override = tmp_path / "internal.yaml"
    override.write_text("networks: {inside: {internal: true}}\n")
    # Such a network has no way in, either: everything is asked from inside.
    offline = replace(stack, overrides=(override,))
    bring_containers_down(stack, QUIET)
    try:
        offline.up()
        (network,) = json.loads(
            engine.call(("network", "inspect", f"{stack.name}_inside"), stack.environ)
        )
        assert network["Internal"] is True

        until(lambda: inside(offline, "webapp", READY) == "200", what="the app to serve")
        assert predicted(offline)["dataset"] == "demo"

        inside(offline, "trainer", UPLOAD)
        until(lambda: inside(offline, "trainer", CHAMPION) == "offline", what="a new champion")
    finally:
        bring_containers_down(offline, QUIET)


READY = """
    import urllib.error, urllib.request
    try:
        print(urllib.request.urlopen("http://127.0.0.1:8501/ready", timeout=5).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
UPLOAD = """
    import os
    from chartbuster.aws import s3_store
    from chartbuster.demo.catalogue import as_csv, generate
    songs = as_csv(generate(300, seed=5))
    s3_store(os.environ["RAW_BUCKET"]).write("datasets/offline/songs.csv", songs)
"""
CHAMPION = """
    import os
    from chartbuster.aws import s3_store
    from chartbuster.registry import Registry
    champion = Registry(s3_store(os.environ["ARTIFACTS_BUCKET"])).champion("offline")
    print(champion.dataset if champion else "")
"""


def test_forgetting_leaves_nothing_of_the_project(project: Composed):
    """The last of them: also the volume of all that the tests before it did is gone."""
    if not project.remembers():
        project.up()

    forget_containers(project, QUIET)
    forget_containers(project, QUIET)

    for kind in ("containers", "networks", "volumes"):
        assert left(project, kind) == []
    assert not project.is_there()
    assert not project.remembers()
