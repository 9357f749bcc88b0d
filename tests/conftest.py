"""Fixtures every kind of test shares."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import containers
from tests.chromium import chromium, visit
from tests.emulator import Emulator, free_port, missing, require, running_emulator

__all__ = ["chromium", "visit"]

_POINTERS = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("acceptance", "the acceptance tests")
    group.addoption(
        "--target",
        action="append",
        default=[],
        metavar="NAME",
        help="run the acceptance tests on this target alone (may be repeated)",
    )
    group.addoption(
        "--parity", metavar="FILE", help="write how the targets compare, as Markdown, into FILE"
    )
    group.addoption(
        "--record-calls",
        action="store_true",
        help="write what the journeys asked of AWS into tests/deployment/calls.json",
    )


def pytest_configure(config: pytest.Config) -> None:
    """A target that was asked for by name must be there.

    It is asked before any test runs: the person's AWS credentials are out of sight by then.
    """
    if config.getoption("--target"):
        from tests.acceptance.targets import TARGETS

        for name in config.getoption("--target"):
            if name not in TARGETS:
                raise pytest.UsageError(f"no target {name!r}; expected one of {', '.join(TARGETS)}")
            if reason := TARGETS[name].missing():
                raise pytest.UsageError(f"target {name}: {reason}")


@pytest.fixture(scope="session", autouse=True)
def no_account_of_the_person_who_runs_the_tests() -> Iterator[None]:
    """Tests must never reach an AWS account: credentials are fake and profiles out of sight."""
    patch = pytest.MonkeyPatch()
    for name in _POINTERS:
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    patch.setenv("AWS_CONFIG_FILE", os.devnull)
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def a_ctrl_c_is_heard() -> None:
    """A shell has its background programs ignore it, and whatever those start ignores it too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One LocalStack for the whole session; tests use fresh names in it."""
    require(missing())
    folder: Path = tmp_path_factory.mktemp("emulator")
    with running_emulator(folder) as running:
        yield running


@pytest.fixture(scope="session")
def container_emulator() -> Iterator[Emulator]:
    """LocalStack in a container, for the whole session, by testcontainers."""
    require(containers.lacking())
    with containers.localstack_container(free_port()) as running:
        yield running
