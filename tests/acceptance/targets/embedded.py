"""The stack as supervised processes, as `make up` starts it where there is no Docker."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from compose.programs import Program, programs
from tests.acceptance.targets.target import Running, locked
from tests.emulator import Emulator
from tests.integration.whole_stack import Consists, checkout, lacking

LOCALSTACK = f"LocalStack {locked('compose/localstack/requirements.txt', 'localstack-core')}"


@dataclass(frozen=True)
class Embedded:
    """The embedded composition, in a folder and on ports of its own."""

    name: str = "embedded"
    about: str = "supervised processes over LocalStack"
    emulator: str = LOCALSTACK
    consists_of: Consists = programs
    lacking: Callable[[], str | None] = lacking
    known_differences: Mapping[str, str] = field(default_factory=dict)
    patience: float = 90.0

    def missing(self) -> str | None:
        return self.lacking()

    @contextmanager
    def up(self, folder: Path) -> Iterator[Running]:
        stack = checkout(folder, self.consists_of)

        def restart() -> None:
            stack.down()
            stack.up()

        try:
            stack.up()
            outputs = stack.running.outputs
            yield Running(outputs, Emulator(outputs["Endpoint"]).session, restart)
        finally:
            stack.down()


def replacing(programs: tuple[Program, ...], other: Program) -> tuple[Program, ...]:
    """`programs` with `other` in the place of the one that has its name."""
    return tuple(
        replace(other, priority=each.priority) if each.name == other.name else each
        for each in programs
    )
