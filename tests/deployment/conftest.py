"""Fixtures of the tests around deploying."""

from collections.abc import Iterator

import pytest

from scripts.aws.standin import StandIn, missing, stand_in
from tests.emulator import require


@pytest.fixture(scope="session")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in for the whole session; tests use fresh stages in it."""
    require(missing())
    with stand_in(tmp_path_factory.mktemp("standin")) as running:
        yield running
