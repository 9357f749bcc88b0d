"""What the embedded stack consists of: a list of programs, computed and not yet started."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from compose.environment import local_aws, of_services
from compose.layout import HOST, STAGE, Layout, Ports, expected_outputs


@dataclass(frozen=True)
class Program:
    """One supervised process.

    Programs start in the order of `priority` and stop in the opposite one, each given
    `stop_seconds` before it is killed. One without `autostart` waits until the keeper has put the
    state back.
    """

    name: str
    command: tuple[str, ...]
    priority: int
    environment: Mapping[str, str] = field(default_factory=dict)
    autostart: bool = True
    stop_seconds: int = 10


def programs(layout: Layout, ports: Ports) -> tuple[Program, ...]:
    """The stack's programs, in the order they start."""
    return (
        localstack(layout, ports),
        keeper(layout, ports),
        trainer(layout, ports),
        webapp(layout, ports),
        guard(layout),
    )


def localstack(layout: Layout, ports: Ports) -> Program:
    """The emulator, on 127.0.0.1 alone; stops last, since the keeper reads it to the end."""
    return Program(
        "localstack",
        (
            str(layout.python("emulator")),
            str(layout.localstack_launcher),
            "--home",
            str(layout.localstack_home),
        ),
        priority=10,
        environment={
            "GATEWAY_LISTEN": f"{HOST}:{ports.localstack}",
            "PROCESS_EXECUTOR_RUNTIME_DIR": str(layout.lambda_runtime),
            # The launcher chooses folders under its home only where none is given.
            "TMPDIR": "",
            "XDG_CACHE_HOME": "",
            # An environment with pandas holds about 100 MB: give it back when nobody uploads.
            "LAMBDA_KEEPALIVE_MS": "60000",
            "LAMBDA_RETRY_BASE_DELAY": "5",
            # Every request is a line otherwise, and the keeper alone makes six a second.
            "LS_LOG": "warning",
        },
        # What it knows is in the state by now, and what it wrote is removed: nothing to wait for.
        stop_seconds=2,
    )


def keeper(layout: Layout, ports: Ports) -> Program:
    """What deploys the stack, puts the state back and mirrors it from then on."""
    return Program(
        "keeper",
        (str(layout.python("scripts")), "-m", "compose.keeper"),
        priority=20,
        environment={
            **local_aws(ports.endpoint),
            "STAGE": STAGE,
            "STATE_DIR": str(layout.state),
            "REPORT_FILE": str(layout.report),
            "OUTPUTS_FILE": str(layout.outputs),
            "LAMBDA_ZIP": str(layout.lambda_zip),
            "DEMO_CATALOGUE": str(layout.demo_catalogue),
            "WEB_URL": ports.web_url,
            "HOLD_PROGRAMS": "trainer",
        },
        # Its last pass brings home what was written in the last half second.
        stop_seconds=20,
    )


def trainer(layout: Layout, ports: Ports) -> Program:
    """The worker; held back while the state is put back, so that it sees whole runs only."""
    return Program(
        "trainer",
        (str(layout.python("trainer")), "-m", "trainer"),
        priority=30,
        environment=_services(ports),
        autostart=False,
        stop_seconds=15,
    )


def webapp(layout: Layout, ports: Ports) -> Program:
    """The app; starts with LocalStack and says what is missing until there is a champion."""
    return Program(
        "webapp",
        (
            *(str(layout.python("webapp")), "-m", "webapp"),
            *("--host", HOST, "--port", str(ports.web)),
        ),
        priority=40,
        environment=_services(ports),
    )


def guard(layout: Layout) -> Program:
    """What starts supervisor anew when it was killed; the first to stop, so it means no harm."""
    return Program(
        "guard",
        (str(layout.python("scripts")), "-m", "compose.guard"),
        priority=50,
    )


def _services(ports: Ports) -> dict[str, str]:
    """The settings of the trainer and the app; the outputs are known before there are any."""
    return of_services(ports.endpoint, expected_outputs(ports.endpoint))


@dataclass(frozen=True)
class Composition:
    """All it takes to start a stack, and the `built` digest of what its programs are made of."""

    ports: Ports
    environment: Mapping[str, str]
    programs: tuple[Program, ...]
    built: str

    @property
    def fingerprint(self) -> str:
        """Two compositions with the same fingerprint would run the same stack.

        Which terminal asked for it makes no difference, so the shared environment is left out.
        """
        parts = {"programs": [_as_json(program) for program in self.programs], "built": self.built}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> str:
        """The text `from_json` reads again."""
        return json.dumps(
            {
                "ports": {"localstack": self.ports.localstack, "web": self.ports.web},
                "environment": dict(self.environment),
                "programs": [_as_json(program) for program in self.programs],
                "built": self.built,
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> "Composition":
        """The composition of `to_json`; raises ValueError, KeyError or TypeError for other text."""
        parts = json.loads(text)
        return cls(
            ports=Ports(**parts["ports"]),
            environment=parts["environment"],
            programs=tuple(
                Program(**{**program, "command": tuple(program["command"])})
                for program in parts["programs"]
            ),
            built=parts["built"],
        )


def _as_json(program: Program) -> dict[str, object]:
    return {
        "name": program.name,
        "command": list(program.command),
        "priority": program.priority,
        "environment": dict(program.environment),
        "autostart": program.autostart,
        "stop_seconds": program.stop_seconds,
    }
