"""The stack in containers, as `make up` starts it where there is a Docker Engine."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from scripts.steps import Steps
from scripts.up import bring_containers_up
from tests import containers
from tests.acceptance.targets.embedded import LOCALSTACK
from tests.acceptance.targets.target import Running
from tests.emulator import Emulator


@dataclass(frozen=True)
class InContainers:
    """docker-compose.yml with the images of build/manifest.json, in a project of its own."""

    name: str = "composed"
    about: str = "docker-compose.yml and the built images"
    emulator: str = LOCALSTACK
    known_differences: Mapping[str, str] = field(default_factory=dict)
    patience: float = 90.0

    def missing(self) -> str | None:
        return containers.lacking()

    @contextmanager
    def up(self, folder: Path) -> Iterator[Running]:
        steps = Steps(Console(quiet=True))
        stack = containers.fresh_project()

        def restart() -> None:
            stack.down()
            bring_containers_up(stack, steps)

        try:
            bring_containers_up(stack, steps)
            outputs = stack.outputs()
            yield Running(outputs, Emulator(outputs["Endpoint"]).session, restart)
        finally:
            stack.forget()
