"""LocalStack in a container of our image, started by testcontainers; the rest as processes."""

import os
import sys

from compose.layout import Layout, Ports
from compose.programs import Program, programs
from tests import containers
from tests.acceptance.targets.embedded import LOCALSTACK, Embedded, replacing
from tests.emulator import ROOT
from tests.integration.whole_stack import lacking


def localstack(ports: Ports) -> Program:
    """LocalStack's container for as long as this program runs."""
    engine = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    return Program(
        "localstack",
        (sys.executable, "-m", "tests.containers", "--port", str(ports.localstack)),
        priority=10,
        environment={**engine, "PYTHONPATH": str(ROOT)},
        # The container ends with it, unless it is killed first.
        stop_seconds=30,
    )


def over_a_container(layout: Layout, ports: Ports) -> tuple[Program, ...]:
    """The stack's programs, with the one that runs LocalStack's container in LocalStack's place."""
    return replacing(programs(layout, ports), localstack(ports))


def _lacking() -> str | None:
    return containers.lacking() or lacking()


IN_A_CONTAINER = Embedded(
    name="testcontainers",
    about="supervised processes over LocalStack in a container",
    emulator=LOCALSTACK,
    consists_of=over_a_container,
    lacking=_lacking,
)
