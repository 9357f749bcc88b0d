"""Finding the Docker Engine, and calling its client; against a `docker` of the test's own."""

import time
from pathlib import Path

import pytest

from compose import engine
from compose.engine import Engine, EngineFailed, NoEngine
from tests.fake_docker import FakeDocker


@pytest.fixture
def docker(tmp_path: Path) -> FakeDocker:
    made = FakeDocker(tmp_path / "it's a folder")
    made.is_an_engine()
    return made


def test_an_engine_of_this_machine_is_found_with_its_compose(docker: FakeDocker):
    found = engine.find(docker.environ)

    assert found == Engine("26.1.5+dfsg1", "v2.26.1")
    assert str(found) == "Docker Engine 26.1.5+dfsg1 with Compose v2.26.1"


def test_without_a_docker_program_it_is_said_that_there_is_none(tmp_path: Path):
    with pytest.raises(NoEngine, match="Docker is not installed"):
        engine.find({"PATH": str(tmp_path)})


def test_a_docker_that_may_not_be_started_is_told_apart_from_none(docker: FakeDocker):
    (docker.folder / "bin" / "docker").chmod(0o644)

    with pytest.raises(NoEngine, match="docker cannot be started: Permission denied"):
        engine.find(docker.environ)


def test_a_client_without_a_daemon_is_heard_to_its_last_line(docker: FakeDocker):
    docker.says("version", err="warning\n\nCannot connect to the Docker daemon\n", code=1)

    with pytest.raises(NoEngine, match=r"^Cannot connect to the Docker daemon$"):
        engine.find(docker.environ)


def test_a_client_that_fails_in_silence_is_named(docker: FakeDocker):
    docker.says("compose version", code=1)

    with pytest.raises(NoEngine, match="docker compose ended with an error"):
        engine.find(docker.environ)


@pytest.mark.parametrize("answer", ["", "what?", "null", "[]", '{"Server": null}', "{}"])
def test_an_answer_that_is_none_is_shown(docker: FakeDocker, answer: str):
    docker.says("version", answer)

    with pytest.raises(NoEngine) as raised:
        engine.find(docker.environ)

    assert f"Docker's answer is none we know: {answer!r}" in str(raised.value)


@pytest.mark.parametrize("version", ["24.0.9", "20.10.24+dfsg1"])
def test_an_engine_too_old_is_named_with_the_oldest_that_will_do(docker: FakeDocker, version: str):
    docker.is_an_engine(version=version)

    with pytest.raises(NoEngine) as raised:
        engine.find(docker.environ)

    assert str(raised.value) == f"Docker Engine {version} is too old; expected 25 or newer"


@pytest.mark.parametrize("compose", ["2.22.9", "1.29.2"])
def test_a_compose_too_old_is_named_with_the_oldest_that_will_do(docker: FakeDocker, compose: str):
    docker.is_an_engine(compose=compose)

    with pytest.raises(NoEngine) as raised:
        engine.find(docker.environ)

    assert str(raised.value) == f"Docker Compose {compose} is too old; expected 2.23 or newer"


@pytest.mark.parametrize(
    ("version", "compose"), [("25.0.0", "2.23.0"), ("25.0", "v2.23.3-desktop.2"), ("29.1", "5.0.1")]
)
def test_the_oldest_that_will_do_and_newer_ones_do(docker: FakeDocker, version: str, compose: str):
    docker.is_an_engine(version=version, compose=compose)

    assert engine.find(docker.environ) == Engine(version, compose)


@pytest.mark.parametrize("host", ["tcp://10.0.0.7:2376", "ssh://me@builder"])
def test_an_engine_elsewhere_is_left_alone(docker: FakeDocker, host: str):
    docker.says("context inspect", host)

    with pytest.raises(NoEngine) as raised:
        engine.find(docker.environ)

    assert str(raised.value) == (
        f"Docker is set to {host}, and the stack is for an engine on this machine"
    )
    # Not even asked how it is.
    assert len(docker.calls) == 1


@pytest.mark.parametrize("silent", ["context", "version", "compose"])
def test_an_engine_that_never_answers_is_waited_for_no_longer_than_said(
    docker: FakeDocker, silent: str
):
    """Also when what holds on is a program that docker started, as Compose is one."""
    docker.does(silent, "/bin/sleep 8 & wait")
    started = time.monotonic()

    with pytest.raises(NoEngine, match="the Docker Engine did not answer within 1 s"):
        engine.find(docker.environ, patience=1)

    assert time.monotonic() - started < 3


def test_a_call_gives_what_was_printed_and_runs_where_it_is_told(
    docker: FakeDocker, tmp_path: Path
):
    docker.does("where", "pwd")

    assert engine.call(("where", "am i"), docker.environ, cwd=tmp_path) == f"{tmp_path}\n"
    assert docker.calls == ["where am i"]


def test_a_call_that_fails_says_which_how_and_the_end_of_why(docker: FakeDocker):
    lines = "\n".join(f"line {number}" for number in range(40))
    docker.says("image rm", "out", err=lines, code=7)

    with pytest.raises(EngineFailed) as raised:
        engine.call(("image", "rm", "abc"), docker.environ)

    said = str(raised.value).splitlines()
    assert said[0] == "docker image rm abc ended with 7:"
    assert said[1:] == [f"line {number}" for number in range(25, 40)]


def test_a_call_that_does_not_end_is_given_up(docker: FakeDocker):
    docker.does("compose up", "exec /bin/sleep 8")
    started = time.monotonic()

    with pytest.raises(EngineFailed, match="docker compose did not end within 1 s"):
        engine.call(("compose", "up"), docker.environ, patience=1)

    assert time.monotonic() - started < 3


def test_a_call_without_docker_is_a_failure_and_no_crash(tmp_path: Path):
    with pytest.raises(EngineFailed, match="docker cannot be started: No such file"):
        engine.call(("ps",), {"PATH": str(tmp_path)})
