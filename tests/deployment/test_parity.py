"""docker-compose.yml and the task definitions say the same, and a difference is found."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from scripts.aws.checks.parity import EXCEPTIONS, LOCAL_KEYS, LOCAL_VARIABLES, filled_in, findings
from scripts.aws.checks.sources import COMPOSE, Sources, read
from scripts.aws.mutation import DROPPED, Path, changed
from tests.emulator import ROOT

SOURCES = read(ROOT)


def found(sources: Sources) -> list[str]:
    return findings(
        sources.documents[COMPOSE],
        compute=sources.documents["compute.yaml"],
        data=sources.documents["data.yaml"],
        dockerfiles=sources.dockerfiles,
    )


def with_change(file: str, path: str, value: Any) -> Sources:
    """The files, with `value` at a path like `services.trainer.user`."""
    steps: Path = tuple(int(step) if step.isdecimal() else step for step in path.split("."))
    return SOURCES.with_document(file, changed(SOURCES.documents[file], steps, value))


def test_the_tasks_run_by_the_settings_the_containers_run_by_here():
    assert found(SOURCES) == []


LOCAL: list[tuple[str, Any]] = [
    ("image", "chartbuster/trainer:local"),
    ("image", "${TRAINER_IMAGE:-chartbuster/webapp:local}"),
    ("environment.READY_BUCKET", "chartbuster-local-000000000000-raw"),
    ("environment.ARTIFACTS_BUCKET", DROPPED),
    ("environment.TRAIN_QUEUE_URL", "http://keeper:4566/000000000000/another"),
    ("environment.AWS_REGION", "eu-west-1"),
    ("environment.AWS_ENDPOINT_URL", "http://localstack:4566"),
    ("environment.AWS_ACCESS_KEY_ID", "AKIA1"),
    ("environment.AWS_SECRET_ACCESS_KEY", DROPPED),
    ("environment.TRAINER_JOBS", "4"),
    ("environment", DROPPED),
    ("user", "0:0"),
    ("user", DROPPED),
    ("read_only", False),
    ("init", False),
    ("cap_drop", ["NET_RAW"]),
    ("cap_add", ["NET_ADMIN"]),
    ("tmpfs", ["/tmp:size=1g,mode=1777,exec"]),
    ("tmpfs", ["/tmp:size=2g,mode=1777"]),
    ("tmpfs", ["/tmp:mode=1777"]),
    ("tmpfs", ["/tmp:size=1g,mode=0700"]),
    ("tmpfs", ["/var/tmp:size=1g,mode=1777"]),
    ("tmpfs", ["/tmp:size=1g,mode=1777", "/run:size=1m"]),
    ("stop_grace_period", "16s"),
    ("stop_grace_period", "a while"),
    ("ports", ["127.0.0.1:8501:8501"]),
    ("command", ["--once"]),
    ("entrypoint", ["sh"]),
    ("healthcheck.interval", "11s"),
    ("healthcheck.timeout", "4s"),
    ("healthcheck.retries", 4),
    ("healthcheck.start_period", "10s"),
    ("healthcheck.start_interval", "5s"),
    ("healthcheck.test", ["CMD", "true"]),
    ("healthcheck.disable", True),
    ("healthcheck", DROPPED),
    ("cpus", 1),
    ("mem_limit", "2g"),
    ("mem_limit", "4096"),
    ("pids_limit", 1),
    ("security_opt", []),
    ("dns", ["8.8.8.8"]),
    ("networks", ["inside", "outside"]),
    ("restart", "no"),
    ("pull_policy", "always"),
    ("depends_on", {}),
    ("logging", {"driver": "none"}),
    ("platform", "linux/arm64"),
    ("shm_size", "64m"),
    ("env_file", "some.env"),
    ("user", "${USER_ID:?}"),
]


@pytest.mark.parametrize(("path", "value"), LOCAL, ids=lambda part: str(part)[:40])
def test_what_is_changed_here_alone_is_a_difference(path: str, value: Any):
    different = found(with_change(COMPOSE, f"services.trainer.{path}", value))

    assert different
    assert all(line.startswith("trainer: ") for line in different)


@pytest.mark.parametrize(
    "port", ["0.0.0.0:8501:8501", "127.0.0.1:8501:8502", "8501", "127.0.0.1:8501:8501/udp"]
)
def test_a_port_published_otherwise_is_a_difference(port: str):
    assert found(with_change(COMPOSE, "services.webapp.ports", [port]))


CLOUD: list[tuple[str, Any]] = [
    ("Cpu", "1024"),
    ("Memory", "8192"),
    ("NetworkMode", "bridge"),
    ("RequiresCompatibilities", ["EC2"]),
    ("RuntimePlatform", DROPPED),
    ("RuntimePlatform.CpuArchitecture", "X86_64"),
    ("RuntimePlatform.CpuArchitecture", {"Fn::If": ["ForArm", "X86_64", "ARM64"]}),
    ("RuntimePlatform.OperatingSystemFamily", "WINDOWS_SERVER_2022_CORE"),
    ("EphemeralStorage", {"SizeInGiB": 30}),
    ("Volumes", [{"Name": "somewhere"}]),
    ("PidMode", "task"),
    ("ContainerDefinitions", []),
    ("ContainerDefinitions.0.Name", "coach"),
    ("ContainerDefinitions.0.Image", {"Ref": "WebappImage"}),
    ("ContainerDefinitions.0.Image", "chartbuster/trainer:local"),
    ("ContainerDefinitions.0.Essential", False),
    ("ContainerDefinitions.0.User", "root"),
    ("ContainerDefinitions.0.User", DROPPED),
    ("ContainerDefinitions.0.ReadonlyRootFilesystem", False),
    ("ContainerDefinitions.0.LinuxParameters.InitProcessEnabled", False),
    ("ContainerDefinitions.0.LinuxParameters.Capabilities.Drop", []),
    ("ContainerDefinitions.0.LinuxParameters.Capabilities.Add", ["SYS_PTRACE"]),
    ("ContainerDefinitions.0.LinuxParameters.Tmpfs.0.Size", 512),
    ("ContainerDefinitions.0.LinuxParameters.Tmpfs.0.MountOptions", ["mode=1777"]),
    ("ContainerDefinitions.0.LinuxParameters.Tmpfs.0.ContainerPath", "/var/tmp"),
    ("ContainerDefinitions.0.LinuxParameters.SharedMemorySize", 64),
    ("ContainerDefinitions.0.PortMappings", [{"ContainerPort": 8501}]),
    ("ContainerDefinitions.0.Environment.0", DROPPED),
    ("ContainerDefinitions.0.Environment.0.Value", "us-east-1b"),
    ("ContainerDefinitions.0.Environment.3.Value", {"Ref": "RawBucket"}),
    ("ContainerDefinitions.0.Environment.0", {"Name": "AWS_ACCESS_KEY_ID", "Value": "test"}),
    ("ContainerDefinitions.0.HealthCheck", DROPPED),
    ("ContainerDefinitions.0.HealthCheck.Command.0", "CMD-SHELL"),
    ("ContainerDefinitions.0.HealthCheck.Command.6", "600"),
    ("ContainerDefinitions.0.HealthCheck.Interval", 30),
    ("ContainerDefinitions.0.HealthCheck.Timeout", 6),
    ("ContainerDefinitions.0.HealthCheck.StartPeriod", 120),
    ("ContainerDefinitions.0.HealthCheck.Retries", 2),
    ("ContainerDefinitions.0.StopTimeout", 30),
    ("ContainerDefinitions.0.StopTimeout", DROPPED),
    ("ContainerDefinitions.0.Command", ["--once"]),
    ("ContainerDefinitions.0.EntryPoint", ["sh"]),
    ("ContainerDefinitions.0.Privileged", True),
    ("ContainerDefinitions.0.Ulimits", []),
    ("ContainerDefinitions.0.LogConfiguration", DROPPED),
    ("ContainerDefinitions.0.LogConfiguration.LogDriver", "splunk"),
    ("ContainerDefinitions.0.LogConfiguration.Options.awslogs-group", "elsewhere"),
]


def in_place(path: str, value: Any) -> Sources:
    return with_change("compute.yaml", f"Resources.TrainerTask.Properties.{path}", value)


@pytest.mark.parametrize(("path", "value"), CLOUD, ids=lambda part: str(part)[-40:])
def test_what_is_changed_on_aws_alone_is_a_difference(path: str, value: Any):
    different = found(in_place(path, value))

    assert different
    assert all(line.startswith("trainer: ") for line in different)


def test_a_second_container_in_the_task_is_a_difference():
    containers = SOURCES.documents["compute.yaml"]["Resources"]["TrainerTask"]["Properties"][
        "ContainerDefinitions"
    ]

    (line,) = found(in_place("ContainerDefinitions", [*containers, *containers]))

    assert "2 containers" in line


def test_a_variable_that_is_there_twice_is_a_difference():
    path = "ContainerDefinitions.0.Environment.0"
    (line,) = found(in_place(path, {"Name": "RAW_BUCKET", "Value": {"Ref": "RawBucket"}}))

    assert "'RAW_BUCKET' is there twice" in line


def test_a_bucket_of_another_name_in_the_data_stack_is_a_difference():
    name = {"Fn::Sub": "chartbuster-${Stage}-prepared"}
    path = "Resources.ReadyBucket.Properties.BucketName"

    different = found(with_change("data.yaml", path, name))

    assert [line.split(" is ")[0] for line in different] == [
        "trainer: container.Environment.READY_BUCKET",
        "webapp: container.Environment.READY_BUCKET",
    ]


DOCKERFILES: list[Callable[[str], str]] = [
    lambda text: text.replace("USER 10001:10001", "USER 0:0"),
    lambda text: text.replace("--interval=10s", "--interval=20s"),
    lambda text: text.replace('"/tmp/alive", "60"', '"/tmp/alive", "61"'),
    lambda text: text.replace("HEALTHCHECK", "# HEALTHCHECK"),
    lambda text: f"{text}EXPOSE 8080\n",
]


@pytest.mark.parametrize("edit", DOCKERFILES)
def test_an_image_that_says_something_else_is_a_difference(edit: Callable[[str], str]):
    text = SOURCES.dockerfiles["trainer"]
    assert edit(text) != text

    assert found(Sources(SOURCES.documents, {**SOURCES.dockerfiles, "trainer": edit(text)}))


def test_a_difference_says_what_it_is_and_what_was_expected():
    (line,) = found(in_place("ContainerDefinitions.0.StopTimeout", 30))

    assert line == "trainer: container.StopTimeout is 30; locally it is 15"


def test_an_unknown_key_is_named_with_its_value():
    (line,) = found(with_change(COMPOSE, "services.webapp.shm_size", "64m"))
    assert line == (
        "webapp: docker-compose.yml says shm_size: '64m', which has no known counterpart"
    )


def test_every_exception_has_a_reason_and_nothing_is_excepted_that_is_not_there():
    assert all(len(reason) > 20 for reason in EXCEPTIONS.values())
    for service in ("trainer", "webapp"):
        asked = SOURCES.documents[COMPOSE]["services"][service]
        assert set(LOCAL_KEYS) <= set(asked)
        assert set(LOCAL_VARIABLES) <= set(asked["environment"])


@pytest.mark.parametrize(
    ("spelt", "filled"),
    [("${A:-b}", "b"), ("1:${A-b}:2", "1:b:2"), ("${A:-}", ""), ({"x": ["${A:-b}"]}, {"x": ["b"]})],
)
def test_variables_are_filled_in_as_where_nothing_is_set(spelt: Any, filled: Any):
    assert filled_in(spelt) == filled


@pytest.mark.parametrize("spelt", ["$A", "${A}", "${A:?needed}", "$$"])
def test_a_variable_without_a_default_cannot_be_compared(spelt: str):
    with pytest.raises(ValueError, match="NAME:-default"):
        filled_in(spelt)


def test_the_documentation_lists_exactly_what_only_one_side_has_with_the_reasons():
    text = (ROOT / "docs/aws.md").read_text(encoding="utf-8")
    table = text.split("<!-- exceptions -->")[1].split("<!-- end of exceptions -->")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", table, re.MULTILINE)

    assert rows == list(EXCEPTIONS.items())
