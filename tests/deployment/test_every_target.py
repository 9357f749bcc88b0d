"""What every target that goes to AWS promises: it says what to set, and calls nobody else.

Targets and programs are found in the Makefile; a new one fails here until it is listed.
"""

import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.aws.standin import StandIn
from scripts.running import ROOT
from tests.deployment import small_stage
from tests.emulator import require

_WATCHED = Path(__file__).parent / "watched"
# How a program ends that `watched/sitecustomize.py` ended. It is not imported: that would watch us.
_ENDED = 97
_HEADING = re.compile(r"^([a-z-]+):[^=]*?(?:##.*)?$")
_PROGRAM = re.compile(r"(?:-m scripts\.|\$\(call on_aws,)(\w+)")
_SECONDS = 5.0
_ELSEWHERE = "https://songs.example.com"
_PROXY = "http://proxy.example.com:3128"

_WITHOUT_ACCOUNT = {
    "rehearse-aws": "it brings a stand-in of its own along",
    "mutate-aws": "it reads templates and asks checks, and no account",
}
"""Targets that need no account, and why."""

_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "plan-aws": ("--without-scaling", "--set", "AllowedCidr=203.0.113.7/32"),
    # Further than this it pushes images, which the engine does and not the program.
    "deploy-aws": (
        *("--without-scaling", "--set", "AllowedCidr=203.0.113.7/32", "--until", "bootstrap"),
    ),
    "verify-aws": (),
    "rollback-aws": (),
    "status-aws": (),
    "logs-aws": ("--since", "5m"),
    "train-now": (),
    "reconcile-aws": (),
    "drift-aws": (),
    "destroy-aws": ("--confirm", "chartbuster-{stage}"),
}
"""What each program is given on a stand-in, so that it does what it is for."""


@dataclass(frozen=True)
class Target:
    """A target of the Makefile and the program it runs."""

    name: str
    program: str

    def __str__(self) -> str:
        return self.name


def _found() -> list[Target]:
    """Every target that goes to AWS: those that end in -aws, and train-now."""
    found, name = [], ""
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.match(line):
            name = heading[1]
        if line.startswith("\t") and (name.endswith("-aws") or name == "train-now"):
            found += [Target(name, program) for program in _PROGRAM.findall(line)]
    return list(dict.fromkeys(found))


_ALL = _found()
_WITH_ACCOUNT = [each for each in _ALL if each.name not in _WITHOUT_ACCOUNT]


@dataclass(frozen=True)
class Ended:
    """How a program ended, what it said, and after how many seconds."""

    code: int
    said: str
    seconds: float


def _run(command: list[str], environ: Mapping[str, str]) -> Ended:
    started = time.monotonic()
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], **environ},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return Ended(done.returncode, done.stdout + done.stderr, time.monotonic() - started)


def _program(target: Target, *arguments: str, **environ: str) -> Ended:
    return _run([sys.executable, "-m", f"scripts.{target.program}", *arguments], environ)


def _arguments(target: Target, stage: str = "dev") -> tuple[str, ...]:
    return tuple(each.format(stage=stage) for each in _ARGUMENTS[target.name])


def test_every_target_that_goes_to_aws_is_listed_here():
    named = {each.name for each in _ALL}

    assert named >= {"plan-aws", "deploy-aws", "destroy-aws", "train-now"}
    assert named - _WITHOUT_ACCOUNT.keys() == set(_ARGUMENTS)


@pytest.mark.parametrize("target", _ALL, ids=str)
def test_its_help_says_what_it_does_with_an_example(target: Target, tmp_path: Path):
    ended = _program(target, "--help", HOME=str(tmp_path))

    assert ended.code == 0, ended.said
    assert f"example: make {target.name}" in ended.said


# --- without an account ---------------------------------------------------------------------------
@pytest.mark.parametrize("target", _WITH_ACCOUNT, ids=str)
def test_without_credentials_the_target_ends_within_5_s_and_says_what_to_set(
    target: Target, tmp_path: Path
):
    """The target itself, with what it stands on taken to be there."""
    python = ROOT / ".venv" / "scripts" / "bin" / "python"
    require(None if python.exists() else "`make test` makes .venv/scripts")
    there = [f".venv/scripts/{stamp}" for stamp in (".synced", ".wheel")]
    command = ["make", *(part for stamp in there for part in ("-o", stamp)), target.name]

    ended = _run(command, {"HOME": str(tmp_path), "AWS_REGION": "eu-central-1", "CONFIRM": "yes"})

    assert ended.code != 0
    assert "sign in first: AWS_PROFILE=name" in ended.said, ended.said
    assert ended.seconds < _SECONDS, ended


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a metadata service that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_metadata_service_that_never_answers_takes_no_longer(silent: str, tmp_path: Path):
    """As on a network that swallows what is sent to it; the lookup is the same for all of them."""
    target = next(each for each in _ALL if each.name == "status-aws")

    ended = _program(
        target,
        HOME=str(tmp_path),
        AWS_REGION="eu-central-1",
        AWS_EC2_METADATA_SERVICE_ENDPOINT=silent,
    )

    assert ended.code != 0
    assert "sign in first" in ended.said
    assert ended.seconds < _SECONDS, ended


_KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}


@pytest.mark.parametrize("target", _WITH_ACCOUNT, ids=str)
@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({**_KEYS}, "no region is set, like AWS_REGION=us-east-1"),
        ({**_KEYS, "AWS_REGION": "eu-central-1", "STAGE": "Prod!"}, "STAGE is 'Prod!'; expected 1"),
        (
            {"AWS_REGION": "eu-central-1", "AWS_PROFILE": "nobodys"},
            "(nobodys) could not be found; expected AWS_PROFILE to name",
        ),
        (
            {**_KEYS, "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": _ELSEWHERE},
            f"the SDK would call {_ELSEWHERE}; expected AWS_ENDPOINT_URL unset for AWS",
        ),
    ],
    ids=["no region", "an impossible stage", "an unknown profile", "an endpoint elsewhere"],
)
def test_what_is_missing_or_wrong_is_said_before_anything_is_called(
    target: Target, environ: dict[str, str], words: str, tmp_path: Path
):
    record = tmp_path / "calls"
    record.touch()

    ended = _watched(target, record, HOME=str(tmp_path), CONFIRM="yes", **environ)

    assert ended.code not in {0, _ENDED}, ended.said
    assert words in ended.said
    assert ended.seconds < _SECONDS, ended
    assert record.read_text() == ""


def test_the_profiles_there_are_are_named(tmp_path: Path):
    config = tmp_path / "config"
    config.write_text("[profile songs]\nregion = eu-central-1\n")

    ended = _program(
        _WITH_ACCOUNT[0],
        HOME=str(tmp_path),
        AWS_CONFIG_FILE=str(config),
        AWS_PROFILE="song",
    )

    assert "expected AWS_PROFILE to name songs" in ended.said


# --- with a stand-in, nothing leaves for another host ---------------------------------------------
def _watched(target: Target, record: Path, *arguments: str, **environ: str) -> Ended:
    """The program with every call it makes written to `record`, ended at the first that leaves."""
    return _program(
        target, *arguments, PYTHONPATH=str(_WATCHED), WATCHED_CALLS=str(record), **environ
    )


@pytest.fixture
def stage(standin: StandIn, tmp_path: Path) -> str:
    """A stage on the stand-in, for each test its own."""
    name = f"w{uuid.uuid4().hex[:8]}"
    small_stage.deploy(standin.account(name), tmp_path)
    return name


@pytest.fixture
def at_stand_in(standin: StandIn, tmp_path: Path) -> dict[str, str]:
    """The stand-in's environment with what would lead away from it."""
    environ = {
        name: value
        for name, value in standin.environ.items()
        if name != "AWS_EC2_METADATA_DISABLED"
    }
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")
    proxies = dict.fromkeys(names, _PROXY)
    return {**environ, **proxies, "HOME": str(tmp_path), "CONFIRM": "yes"}


@pytest.mark.parametrize(
    "call",
    [
        "import socket; socket.create_connection(('192.0.2.1', 443), 1)",
        "import socket; socket.getaddrinfo('example.com', 443)",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/', timeout=1)",
        "import boto3; boto3.client('sts', 'eu-central-1').get_caller_identity()",
    ],
)
def test_the_watch_ends_a_program_that_calls_out_before_it_does(call: str, tmp_path: Path):
    """The control: what the tests below stand on."""
    record = tmp_path / "calls"
    environ = {**_KEYS, "HOME": str(tmp_path)}
    environ |= {"PYTHONPATH": str(_WATCHED), "WATCHED_CALLS": str(record)}

    ended = _run([sys.executable, "-c", f"{call}; print('it went out')"], environ)

    assert ended.code == _ENDED
    assert "it went out" not in ended.said
    assert re.fullmatch(r"calls (192\.0\.2\.1|example\.com|sts\..*)\n", record.read_text())


@pytest.mark.integration
@pytest.mark.parametrize("target", _WITH_ACCOUNT, ids=str)
def test_with_a_stand_in_nothing_leaves_for_another_host(
    target: Target, at_stand_in: dict[str, str], stage: str, tmp_path: Path
):
    record = tmp_path / "calls"

    ended = _watched(target, record, *_arguments(target, stage), **at_stand_in, STAGE=stage)

    assert ended.code != _ENDED, f"{record.read_text()}\n{ended.said}"
    assert "Traceback" not in ended.said
    called = set(record.read_text().splitlines())
    assert "calls 127.0.0.1" in called
    assert called <= {"calls 127.0.0.1", "calls a socket file"}


@pytest.mark.integration
@pytest.mark.parametrize("target", _WITH_ACCOUNT, ids=str)
@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_STS", "DOCKER_HOST"])
def test_one_service_or_the_engine_elsewhere_is_refused_by_name(
    target: Target, name: str, at_stand_in: dict[str, str], tmp_path: Path
):
    record = tmp_path / "calls"
    record.touch()

    elsewhere = {name: _ELSEWHERE}

    ended = _watched(target, record, *_arguments(target), **at_stand_in, **elsewhere)

    assert ended.code not in {0, _ENDED}, ended.said
    assert _ELSEWHERE in ended.said or name in ended.said
    assert record.read_text() == ""


@pytest.mark.integration
@pytest.mark.parametrize("target", _WITH_ACCOUNT, ids=str)
def test_an_app_or_registry_elsewhere_is_called_by_nobody(
    target: Target, at_stand_in: dict[str, str], stage: str, tmp_path: Path
):
    record = tmp_path / "calls"
    elsewhere = {"WEB_URL": _ELSEWHERE, "ECR_REGISTRY": "registry.example.com:5000"}
    environ = {**at_stand_in, **elsewhere, "STAGE": stage}

    ended = _watched(target, record, *_arguments(target, stage), **environ)

    assert ended.code != _ENDED, f"{record.read_text()}\n{ended.said}"
    assert "calls 127.0.0.1" in record.read_text()


@pytest.mark.integration
@pytest.mark.parametrize("target", _WITH_ACCOUNT, ids=str)
def test_credentials_for_a_stand_in_are_looked_for_on_this_machine_alone(
    target: Target, at_stand_in: dict[str, str], tmp_path: Path
):
    record = tmp_path / "calls"
    record.touch()
    keys = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    environ = {name: value for name, value in at_stand_in.items() if name not in keys}
    environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials"

    ended = _watched(target, record, *_arguments(target), **environ)

    assert ended.code not in {0, _ENDED}, ended.said
    assert "sign in first" in ended.said
    assert record.read_text() == ""


@pytest.mark.integration
def test_an_app_elsewhere_is_refused_by_whoever_would_ask_it(
    at_stand_in: dict[str, str], tmp_path: Path
):
    target = next(each for each in _ALL if each.name == "status-aws")

    ended = _watched(target, tmp_path / "calls", **at_stand_in, WEB_URL=_ELSEWHERE)

    assert ended.code == 1
    assert f"nothing may leave this machine, and {_ELSEWHERE} is elsewhere" in ended.said
