"""The embedded composition with MiniStack in LocalStack's place.

It shares no code with LocalStack, so what depends on an accident of one of them shows on the other.
"""

from compose.layout import HOST, Layout, Ports
from compose.programs import Program, programs
from tests.acceptance.targets.embedded import Embedded, replacing
from tests.acceptance.targets.target import locked
from tests.emulator import ROOT
from tests.integration.whole_stack import lacking


def ministack(layout: Layout, ports: Ports) -> Program:
    """MiniStack on 127.0.0.1 alone; it runs a Lambda's own zip as a process too."""
    return Program(
        "localstack",
        (str(layout.python("ministack")), "-m", "ministack"),
        priority=10,
        environment={
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(ports.localstack),
            "MINISTACK_HOST": HOST,
            # Services that would listen on ports of their own.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        },
    )


def over_ministack(layout: Layout, ports: Ports) -> tuple[Program, ...]:
    """The stack's programs, MiniStack among them under the name of what it replaces."""
    return replacing(programs(layout, ports), ministack(layout, ports))


def _lacking() -> str | None:
    python = Layout(ROOT).python("ministack")
    if not python.exists():
        return f"{python.relative_to(ROOT)} is not there; `make test` makes it"
    return lacking()


MINISTACK = Embedded(
    name="ministack",
    about="supervised processes over MiniStack",
    emulator=f"MiniStack {locked('tests/ministack/requirements.txt', 'ministack')}",
    consists_of=over_ministack,
    lacking=_lacking,
)
