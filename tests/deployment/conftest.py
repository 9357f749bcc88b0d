"""Fixtures of the tests around deploying."""

from collections.abc import Iterator

import docker
import pytest

from compose.engine import NoEngine
from scripts.aws import images
from scripts.aws.standin import StandIn, missing, stand_in
from tests.deployment.small_images import Builder
from tests.emulator import require


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in for the whole session; tests use fresh stages in it."""
    require(missing())
    with stand_in(tmp_path_factory.mktemp("standin")) as running:
        yield running


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """The Docker Engine of this machine."""
    try:
        with images.engine() as client:
            # A build may be silent for longer than a dead engine is waited for.
            client.api.timeout = 120
            yield client
    except NoEngine as error:
        require(str(error))


@pytest.fixture
def builder(engine: docker.DockerClient) -> Iterator[Builder]:
    """Builds small images, which are gone after the test."""
    fresh = Builder(engine)
    yield fresh
    fresh.remove()
