"""Every test of this folder runs on every target: one is brought up, tested and taken down, and
then the next.
"""

from collections.abc import Iterator

import pytest

from tests.acceptance.stack import Stack
from tests.acceptance.targets import LOCAL, TARGETS, NotOffered, Running, Target
from tests.emulator import require


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--target") or [target.name for target in LOCAL]
        metafunc.parametrize("target", chosen, indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is known to differ on a target is run all the same, and must go on differing."""
    for item in items:
        if isinstance(item, pytest.Function) and (target := target_of(item)):
            reason = target.known_differences.get(item.originalname)
            if reason:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def target_of(item: pytest.Item) -> Target | None:
    """The target a test runs on; None for a test that has none."""
    spec = getattr(item, "callspec", None)
    return TARGETS.get(spec.params.get("target", "")) if spec else None


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


@pytest.fixture(scope="session")
def running(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The target, up; a restart it does not offer is a reason to skip."""
    require(target.missing())
    folder = tmp_path_factory.mktemp(target.name) / "checkout"
    with target.up(folder) as running:

        def restart() -> None:
            try:
                running.restart()
            except NotOffered as error:
                pytest.skip(str(error))

        yield Running(running.outputs, running.session, restart)


@pytest.fixture(scope="session")
def stack(target: Target, running: Running) -> Stack:
    """What the tests know of the target."""
    return Stack(running.outputs, running.session, target.patience)
