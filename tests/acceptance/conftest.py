"""Every test of this folder runs on every target: one is brought up, tested and taken down, and
then the next.
"""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.acceptance.parity import Observation, Outcome, report, sentence
from tests.acceptance.probes import Probe
from tests.acceptance.stack import Stack
from tests.acceptance.targets import LOCAL, TARGETS, NotOffered, Running, Target
from tests.emulator import require

OUTCOMES = pytest.StashKey[list[Outcome | Observation]]()


def chosen(config: pytest.Config) -> list[str]:
    """The names of the targets of this session."""
    return config.getoption("--target") or [target.name for target in LOCAL]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", chosen(metafunc.config), indirect=True, scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is known to differ on a target is run all the same, and must go on differing."""
    for item in items:
        if isinstance(item, pytest.Function) and (target := target_of(item)):
            reason = target.known_differences.get(item.originalname)
            if reason:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember how every test ended, for `--parity`."""
    made = yield
    target = target_of(item)
    if target and isinstance(item, pytest.Function):
        item.config.stash.setdefault(OUTCOMES, []).extend(remembered(item, target, made))
    return made


def remembered(
    item: pytest.Function, target: Target, made: pytest.TestReport
) -> Iterator[Outcome | Observation]:
    """What one phase of a test leaves to be told, if anything."""
    if made.when != "call" and made.passed:
        return
    said = dict(made.user_properties)
    probe = item.callspec.params.get("probe")
    if not isinstance(probe, Probe):
        check, note = sentence(item.originalname), str(said.get("note", ""))
        yield Outcome(check, target.name, verdict(made), note)
    elif made.passed:
        yield Observation(probe, target.name, str(said["observed"]))
    elif made.failed:
        yield Outcome(f"{probe.what} can be observed", target.name, verdict(made))


def verdict(made: pytest.TestReport) -> str:
    """How a test ended, with the reason where it did not just pass or fail."""
    if hasattr(made, "wasxfail"):
        return f"known difference: {made.wasxfail.removeprefix('reason: ')}"
    if made.skipped:
        assert isinstance(made.longrepr, tuple)
        reason: str = made.longrepr[2]
        return reason.replace("Skipped: ", "skipped: ", 1)
    return made.outcome


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what was asked for with `--parity`, also when a check failed."""
    file, found = session.config.getoption("--parity"), session.config.stash.get(OUTCOMES, [])
    if file and found:
        targets = [TARGETS[name] for name in chosen(session.config)]
        text = report(
            [(target, target.missing()) for target in targets],
            [each for each in found if isinstance(each, Outcome)],
            [each for each in found if isinstance(each, Observation)],
        )
        Path(file).write_text(text, encoding="utf-8")


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
