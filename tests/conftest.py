"""Fixtures every kind of test shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import containers
from tests.emulator import Emulator, free_port, missing, require, running_emulator

_POINTERS = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE")


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
