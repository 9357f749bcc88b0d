"""The Compose project of a checkout: its name, its calls, and what containers say of themselves."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chartbuster.errors import NotFound
from compose.composed import Composed, Container, bytes_of, container, project
from compose.engine import EngineFailed
from compose.layout import Ports
from tests.fake_docker import FakeDocker

ROOT = Path("/some where/it's a checkout")


def well(**about: Any) -> bool:
    return Container(**{"service": "trainer", "state": "running", **HEALTHY, **about}).well


HEALTHY = {"health": "healthy", "exit_code": 0}


def inspected(service: str, **about: Any) -> dict[str, Any]:
    """What `docker inspect` says of a container that runs."""
    state = {
        "Status": "running",
        "Running": True,
        "Pid": 4711,
        "ExitCode": 0,
        "StartedAt": "2026-11-25T04:00:00.123456789Z",
        "Health": {"Status": "healthy"},
    }
    return {
        "Id": f"id-of-{service}",
        "Image": f"sha256:{service}",
        "Config": {"Labels": {"com.docker.compose.service": service}},
        "State": {**state, **about},
    }


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    """An engine that has a keeper and a trainer of the project, both healthy."""
    made = FakeDocker(tmp_path / "fake")
    made.is_an_engine()
    made.says("ps", "id-of-trainer\nid-of-keeper\n")
    made.says("inspect", json.dumps([inspected("trainer"), inspected("keeper")]))
    return made


def composed(docker: FakeDocker, **parts: Any) -> Composed:
    docker.folder.mkdir(exist_ok=True)
    return Composed(docker.folder, docker.environ, **parts)


def asked(docker: FakeDocker, *words: str) -> list[str]:
    """What was asked of Compose, without what every call has."""
    calls = (call.split(" docker-compose.yml ")[-1] for call in docker.calls)
    calls = (call.rsplit("docker-compose.yml ", 1)[-1] for call in calls)
    return [call for call in calls if call.startswith(words)]


def test_two_checkouts_are_two_projects_and_one_is_always_the_same():
    assert project(ROOT) == project(Path(str(ROOT)))
    assert project(ROOT) != project(ROOT / "another")


@pytest.mark.parametrize("root", [ROOT, Path("/ÄÖÜ/日本"), Path("/")])
def test_a_project_s_name_is_one_that_compose_takes(root: Path):
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", project(root))
    assert len(project(root)) < 40


def test_a_project_can_be_named_from_outside_and_its_volume_follows():
    named = Composed(ROOT, {"COMPOSE_PROJECT_NAME": "mine"})

    assert (named.name, named.volume) == ("mine", "mine_state")
    assert Composed(ROOT, {}).name == project(ROOT)
    assert Composed(ROOT, {"COMPOSE_PROJECT_NAME": ""}).name == project(ROOT)


def test_a_call_names_project_and_files_so_that_it_does_not_matter_where_it_is_made():
    stack = Composed(ROOT, {}, overrides=(Path("/over.yaml"),))

    assert stack.command("ps") == (
        *("compose", "--project-name", project(ROOT), "--project-directory", str(ROOT)),
        *("--file", str(ROOT / "docker-compose.yml"), "--file", "/over.yaml", "ps"),
    )


def test_compose_is_filled_in_with_ports_and_images_over_what_the_person_has():
    person = {"PATH": "/bin", "WEB_PORT": "1", "TRAINER_IMAGE": "theirs"}

    filled = Composed(ROOT, person, Ports(4600, 8600), {"TRAINER_IMAGE": "ours"}).environment

    assert filled == {
        "PATH": "/bin",
        "LOCALSTACK_PORT": "4600",
        "WEB_PORT": "8600",
        "TRAINER_IMAGE": "ours",
    }


def test_a_container_is_well_when_it_runs_and_its_health_says_nothing_else():
    assert well()
    assert well(health="")
    assert not well(health="starting")
    assert not well(health="unhealthy")
    assert not well(state="restarting", health="")
    assert not well(state="exited")
    assert not well(state="paused")


def test_the_deployment_is_well_when_it_is_done_or_at_work():
    assert well(service="deploy", state="exited", health="")
    assert well(service="deploy", state="running", health="")
    assert not well(service="deploy", state="exited", health="", exit_code=1)
    assert not well(service="deploy", state="created", health="")


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"state": "exited", "health": "unhealthy", "exit_code": 137}, "exited (137)"),
        ({"state": "running", "health": "starting", "exit_code": 0}, "starting"),
        ({"state": "running", "health": "", "exit_code": 0}, "running"),
        ({"state": "restarting", "health": "", "exit_code": 1}, "restarting"),
    ],
)
def test_a_container_says_how_it_is(about: dict[str, Any], words: str):
    assert Container("trainer", **about).said == words


@pytest.mark.parametrize(
    ("spelt", "count"),
    [
        ("0B", 0),
        ("--", 0),
        ("", 0),
        ("812B", 812),
        ("1.5KiB", 1536),
        ("189.3MiB", 198495436),
        ("1.25GiB", 1342177280),
        ("2TiB", 2**41),
        ("2kB", 2000),
        ("3MB", 3_000_000),
        ("1.5GB", 1_500_000_000),
    ],
)
def test_sizes_are_read_as_docker_spells_them(spelt: str, count: int):
    assert bytes_of(spelt) == count


def test_a_running_container_is_told_with_its_uptime_to_the_second():
    started = datetime.now(UTC) - timedelta(seconds=100)
    # Docker counts nanoseconds.
    stamp = started.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"

    told = container(inspected("trainer", StartedAt=stamp), memory=5)

    assert 99 < told.uptime < 130
    assert told == Container(
        *("trainer", "running", "healthy", 0, "sha256:trainer", 4711, 5, told.uptime)
    )


def test_a_container_that_never_ran_has_no_uptime_and_no_health():
    never = inspected("deploy", Status="created", Running=False, Pid=0)
    never["State"]["StartedAt"] = "0001-01-01T00:00:00Z"
    del never["State"]["Health"]

    told = container(never)

    assert (told.uptime, told.pid, told.health, told.said) == (0.0, 0, "", "created")


def test_containers_come_by_service_and_by_the_project_s_label(docker: FakeDocker):
    stack = composed(docker)

    assert [each.service for each in stack.containers()] == ["keeper", "trainer"]
    label = f"label=com.docker.compose.project={stack.name}"
    assert f"ps --all --no-trunc --quiet --filter {label}" in docker.calls


def test_memory_is_asked_for_only_when_wanted(docker: FakeDocker):
    docker.says("stats", "id-of-keeper 100MiB / 1GiB\nid-of-trainer -- / --\n")

    assert {each.memory for each in composed(docker).containers()} == {0}
    assert not [call for call in docker.calls if call.startswith("stats")]
    held = {each.service: each.memory for each in composed(docker).containers(memory=True)}
    assert held == {"keeper": 100 * 2**20, "trainer": 0}


def test_what_runs_from_another_image_or_unhealthy_is_not_as_wanted(docker: FakeDocker):
    wanted = {f"{name}_IMAGE": "sha256:new" for name in ("TRAINER", "WEBAPP", "LOCALSTACK")}
    docker.says(
        "inspect",
        json.dumps(
            [
                {**inspected("trainer"), "Image": "sha256:old"},
                {**inspected("localstack"), "Image": "sha256:new"},
                {**inspected("webapp", Status="exited"), "Image": "sha256:old"},
                inspected("keeper", Health={"Status": "unhealthy"}),
                {**inspected("deploy"), "Image": "sha256:old"},
            ]
        ),
    )

    assert composed(docker, variables=wanted).not_as_wanted() == ["keeper", "trainer"]
    assert composed(docker).not_as_wanted() == ["keeper"]


def test_what_runs_from_another_image_is_stopped_before_anything_is_started(docker: FakeDocker):
    docker.says("compose --project-name")

    composed(docker, variables={"TRAINER_IMAGE": "sha256:new", "KEEPER_IMAGE": "sha256:x"}).up()

    first, second = asked(docker, "stop", "up")
    assert first == "stop keeper trainer"
    assert second.startswith("up --detach --wait ")
    assert "--no-build" in second


def test_what_is_unhealthy_is_started_anew_since_compose_would_not_wait_for_it(docker: FakeDocker):
    docker.says("compose --project-name")
    unhealthy = inspected("keeper", Health={"Status": "unhealthy"})
    docker.says("inspect", json.dumps([inspected("trainer"), unhealthy]))

    composed(docker).up()

    first, second = asked(docker, "stop", "up")
    assert first == "stop keeper"
    assert second.startswith("up ")


def test_nothing_is_stopped_when_everything_runs_as_wanted(docker: FakeDocker):
    docker.says("compose --project-name")

    composed(docker, variables={"TRAINER_IMAGE": "sha256:trainer"}).up()

    assert not asked(docker, "stop")
    assert len(asked(docker, "up")) == 1


def test_what_does_not_come_up_is_named_with_the_last_it_said(docker: FakeDocker):
    ended = inspected("trainer", Status="exited", ExitCode=1)
    docker.says("inspect", json.dumps([ended, inspected("keeper")]))
    docker.does(
        "compose --project-name",
        'case "$*" in *" logs "*) printf "\\033[2Kno songs\\n"; echo "$*" | /bin/grep -c trainer ;;'
        ' *) echo "container trainer exited (1)" >&2; exit 1 ;; esac',
    )

    with pytest.raises(EngineFailed) as raised:
        composed(docker).up()

    said = str(raised.value).splitlines()
    assert "container trainer exited (1)" in said
    assert said[-3:] == ["trainer is exited (1)", "  trainer| no songs", "  trainer| 1"]


def test_without_an_engine_there_is_nothing_and_nothing_is_an_error(tmp_path: Path):
    stack = Composed(ROOT, {"PATH": str(tmp_path)})

    assert stack.containers() == ()
    assert not stack.is_there()
    assert not stack.remembers()
    assert not stack.down()
    assert stack.report() == {}


def test_outputs_of_a_stack_that_is_not_up_say_what_brings_it_up(docker: FakeDocker):
    docker.says("compose --project-name", err='service "keeper" is not running', code=1)

    with pytest.raises(NotFound, match=r"the stack is not up; `make up` brings it up"):
        composed(docker).outputs()


def test_outputs_and_report_are_read_from_the_keeper(docker: FakeDocker):
    docker.does(
        "compose --project-name",
        """case "$*" in *"exec -T keeper cat /state/outputs.json") echo '{"RawBucket": "raw"}' ;;
        *"exec -T keeper cat /tmp/report.json") echo '{"phase": "mirroring"}' ;; esac""",
    )

    assert composed(docker).outputs() == {"RawBucket": "raw"}
    assert composed(docker).report() == {"phase": "mirroring"}


def test_half_a_report_is_none(docker: FakeDocker):
    docker.says("compose --project-name", '{"phase": "mirr')

    assert composed(docker).report() == {}


def test_down_asks_compose_only_where_there_is_something_and_keeps_the_volume(docker: FakeDocker):
    docker.says("compose --project-name")

    assert composed(docker).down()
    (call,) = asked(docker, "--profile")
    assert call == "--profile * down --remove-orphans"

    docker.forget_calls()
    docker.says("ps")
    assert not composed(docker).down()
    assert not asked(docker, "--profile")


def test_forgetting_removes_the_volume_too(docker: FakeDocker):
    docker.says("compose --project-name")

    composed(docker).forget()

    (call,) = asked(docker, "--profile")
    assert call == "--profile * down --remove-orphans --volumes --timeout 1"


def test_a_volume_alone_is_remembered(docker: FakeDocker):
    docker.says("ps")
    docker.says("volume ls", "a_state\n")

    assert not composed(docker).is_there()
    assert composed(docker).remembers()
