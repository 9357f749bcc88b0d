"""Which way the stack comes up, and what `make up` prints of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chartbuster.errors import Misconfigured
from compose.engine import Engine, NoEngine
from compose.modes import Choice, choose
from tests.emulator import ROOT
from tests.fake_docker import FakeDocker


def an_engine() -> Engine:
    return Engine("26.1", "2.26")


def no_engine() -> Engine:
    raise NoEngine("Docker is not installed")


def nobody_asks() -> Engine:
    raise AssertionError("there was no need to look for an engine")


def test_without_a_wish_it_is_docker_where_there_is_an_engine():
    chosen = choose("", embedded_runs=False, find_engine=an_engine)

    assert chosen == Choice("docker", "Docker Engine 26.1 with Compose 2.26")


def test_without_a_wish_and_an_engine_it_is_embedded_and_says_why():
    chosen = choose("", embedded_runs=False, find_engine=no_engine)

    assert chosen == Choice("embedded", "Docker is not installed")


def test_a_stack_that_runs_without_docker_goes_on_so():
    chosen = choose("", embedded_runs=True, find_engine=nobody_asks)

    assert chosen == Choice("embedded", "it runs so already")


def test_whoever_asks_for_docker_gets_it_even_when_the_stack_runs_without():
    chosen = choose("docker", embedded_runs=True, find_engine=an_engine)

    assert chosen == Choice("docker", "MODE=docker, Docker Engine 26.1 with Compose 2.26")


def test_whoever_asks_for_docker_where_there_is_none_hears_why():
    with pytest.raises(NoEngine, match="Docker is not installed"):
        choose("docker", embedded_runs=False, find_engine=no_engine)


def test_whoever_asks_for_embedded_gets_it_without_a_look_for_an_engine():
    chosen = choose("embedded", embedded_runs=False, find_engine=nobody_asks)

    assert chosen == Choice("embedded", "MODE=embedded")


@pytest.mark.parametrize("asked", ["Docker", "podman", " "])
def test_another_mode_is_refused_with_those_there_are(asked: str):
    with pytest.raises(Misconfigured) as raised:
        choose(asked, embedded_runs=True, find_engine=nobody_asks)

    assert str(raised.value) == (
        f"MODE={asked!r}; expected docker or embedded, or none to let it choose"
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which no stack runs, whatever runs in this one."""
    for name in ("chartbuster", "compose", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def printed(checkout: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "scripts.mode"],
        cwd=checkout,
        env={**os.environ, "MODE": "", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_mode_is_all_that_goes_to_standard_output(checkout: Path, tmp_path: Path):
    docker = FakeDocker(tmp_path / "fake")
    docker.is_an_engine()

    done = printed(checkout, **docker.environ)

    assert (done.returncode, done.stdout) == (0, "docker\n")
    assert done.stderr == (
        "ChartBuster in containers (Docker Engine 26.1.5+dfsg1 with Compose v2.26.1)\n"
    )


def test_a_machine_without_an_engine_is_told_why_there_are_no_containers(
    checkout: Path, tmp_path: Path
):
    done = printed(checkout, PATH=str(tmp_path))

    assert (done.returncode, done.stdout) == (0, "embedded\n")
    assert done.stderr == "ChartBuster without Docker (Docker is not installed)\n"


def test_a_wish_that_cannot_be_is_one_line_and_no_mode(checkout: Path, tmp_path: Path):
    done = printed(checkout, MODE="podman", PATH=str(tmp_path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: MODE='podman'; expected docker or embedded, or none to let it choose\n"
    )
