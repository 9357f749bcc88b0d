"""The stack in containers: one Compose project, how it starts and stops, and what it says.

Everything here can be repeated: starting what runs and stopping what does not change nothing. The
kept state is the volume `state`; only `forget` removes it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from chartbuster.errors import NotFound
from chartbuster.identity import digest
from compose import engine
from compose.layout import Ports

_EVERYTHING = ("--profile", "*")
_OUTPUTS, _REPORT = "/state/outputs.json", "/tmp/report.json"  # noqa: S108
_START_PATIENCE = 240


@dataclass(frozen=True)
class Container:
    """One service's container.

    `state` is running, exited and the like, `health` may be empty; `image` is its image's id, `pid`
    is 0 when it does not run, `memory` in bytes is 0 where nobody asked, `uptime` in seconds.
    """

    service: str
    state: str
    health: str
    exit_code: int
    image: str = ""
    pid: int = 0
    memory: int = 0
    uptime: float = 0.0

    @property
    def well(self) -> bool:
        """Whether it is as it should be; a service that is done is well when it ended with 0."""
        if self.service == "deploy":
            return self.state == "running" or (self.state == "exited" and self.exit_code == 0)
        return self.state == "running" and self.health in {"", "healthy"}

    @property
    def said(self) -> str:
        """How it is, in two words."""
        if self.state == "exited":
            return f"exited ({self.exit_code})"
        return self.health or self.state


def project(root: Path) -> str:
    """The Compose project of the checkout at `root`: two checkouts never share a volume."""
    return f"chartbuster-{digest(str(root).encode())[:8]}"


@dataclass(frozen=True)
class Composed:
    """The Compose project of one checkout.

    `variables` fill in the Compose file as `manifest.variables` gives them; `overrides` are more
    Compose files. Both matter to `up` only.
    """

    root: Path
    environ: Mapping[str, str]
    ports: Ports = field(default_factory=Ports)
    variables: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[Path, ...] = ()

    @classmethod
    def of(cls, root: Path, environ: Mapping[str, str] = os.environ) -> "Composed":
        """The project of `root`, for whoever asks or stops it."""
        return cls(root, environ)

    @property
    def name(self) -> str:
        """The project's name."""
        return self.environ.get("COMPOSE_PROJECT_NAME") or project(self.root)

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The arguments of `docker` for a Compose command on this project."""
        files = (self.root / "docker-compose.yml", *self.overrides)
        return (
            *("compose", "--project-name", self.name, "--project-directory", str(self.root)),
            *(part for file in files for part in ("--file", str(file))),
            *arguments,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the Compose file is filled in with, beside the environment of the client."""
        return {
            **self.environ,
            **{variable: str(port) for variable, port in self.ports.named()},
            **self.variables,
        }

    def call(self, *arguments: str, patience: float = 120.0) -> str:
        """What a Compose command prints; raises `EngineFailed`."""
        return engine.call(
            self.command(*arguments), self.environment, cwd=self.root, patience=patience
        )

    def not_as_wanted(self) -> list[str]:
        """The services that run unhealthy, or from another image than they should."""

        def is_wanted(each: Container) -> bool:
            image = self.variables.get(f"{each.service.upper()}_IMAGE", each.image)
            return each.image == image and each.health != "unhealthy"

        running = (each for each in self.containers() if each.state == "running")
        return [each.service for each in running if not is_wanted(each)]

    def up(self) -> None:
        """Start everything that does not run as wanted, and wait until all of it is healthy.

        What does not run as wanted is stopped first, in order: Compose would replace the keeper
        before those who reach LocalStack through it, and would give up at once over what is
        unhealthy already. Raises `EngineFailed` with the last words of what is not healthy.
        """
        if wrong := self.not_as_wanted():
            self.call("stop", *wrong)
        try:
            self.call(
                *("up", "--detach", "--wait", "--wait-timeout", str(_START_PATIENCE)),
                *("--remove-orphans", "--no-build"),
                patience=_START_PATIENCE + 60,
            )
        except engine.EngineFailed as error:
            raise engine.EngineFailed(f"{error}{self._last_words()}") from error

    def down(self) -> bool:
        """Stop and remove the containers and the network; whether there were any."""
        there = self.is_there()
        if there:
            self.call(*_EVERYTHING, "down", "--remove-orphans")
        return there

    def forget(self) -> None:
        """Stop everything and remove the volume with the kept state."""
        self.call(*_EVERYTHING, "down", "--remove-orphans", "--volumes", "--timeout", "1")

    @property
    def volume(self) -> str:
        """The volume with the kept state."""
        return f"{self.name}_state"

    def is_there(self) -> bool:
        """Whether there is any container of the project, running or not; none without an engine."""
        return bool(self._of_project("ps", "--all", "--no-trunc"))

    def remembers(self) -> bool:
        """Whether the volume with the kept state is there; it is not without an engine."""
        return bool(self._of_project("volume", "ls"))

    def containers(self, *, memory: bool = False) -> tuple[Container, ...]:
        """Every container of the project; with `memory`, what each holds, which takes 2 s."""
        ids = self._of_project("ps", "--all", "--no-trunc")
        if not ids:
            return ()
        found = json.loads(engine.call(("inspect", *ids), self.environ))
        held = self._memory(ids) if memory else {}
        every = (container(each, memory=held.get(each["Id"], 0)) for each in found)
        return tuple(sorted(every, key=lambda each: each.service))

    def states(self) -> dict[str, str]:
        """Each service's state in Docker's words, like `Up 3 seconds (healthy)`; asked in 30 ms."""
        form = '{{.Label "com.docker.compose.service"}}\t{{.Status}}'
        lines = engine.call(("ps", "--all", *self._mine, "--format", form), self.environ)
        return dict(line.split("\t", 1) for line in lines.splitlines())

    def outputs(self) -> dict[str, str]:
        """The running stack's names and addresses; raises `NotFound` when it is not up."""
        found: dict[str, str] = json.loads(self._read(_OUTPUTS))
        return found

    def report(self) -> dict[str, object]:
        """The keeper's last word; empty before its first."""
        try:
            found: dict[str, object] = json.loads(self._read(_REPORT))
        except (NotFound, ValueError):
            return {}
        return found

    def restart(self, service: str) -> None:
        """Stop a service's container, within 2 s, and start it again."""
        # By the name Compose gives it: asking for it would take longer than the restart.
        engine.call(("restart", "--time", "2", f"{self.name}-{service}-1"), self.environ)

    def lines(self, service: str, count: int = 12) -> list[str]:
        """The last lines of a service's log."""
        said = self.call("logs", "--no-log-prefix", "--no-color", "--tail", str(count), service)
        # Some releases of Compose clear the line first, whoever reads it.
        return [line.removeprefix("\x1b[2K") for line in said.splitlines()]

    def _read(self, path: str) -> str:
        """A small file of the keeper's; raises `NotFound` when it does not run."""
        not_up = "the stack is not up; `make up` brings it up"
        if not self._has_engine:
            raise NotFound(not_up)
        try:
            return self.call("exec", "-T", "keeper", "cat", path, patience=20)
        except engine.EngineFailed as error:
            raise NotFound(not_up) from error

    def _of_project(self, *question: str) -> list[str]:
        """The ids or names of what the project has."""
        if not self._has_engine:
            return []
        return engine.call((*question, "--quiet", *self._mine), self.environ).split()

    @cached_property
    def _has_engine(self) -> bool:
        """Asked once: whoever waits for the stack looks every second."""
        try:
            engine.find(self.environ)
        except engine.NoEngine:
            return False
        return True

    @property
    def _mine(self) -> tuple[str, str]:
        """What keeps a question of the client to this project."""
        return ("--filter", f"label=com.docker.compose.project={self.name}")

    def _memory(self, ids: Sequence[str]) -> dict[str, int]:
        """Resident bytes by container id, of those that run."""
        lines = engine.call(
            ("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemUsage}}", *ids),
            self.environ,
        ).splitlines()
        return {line.split()[0]: bytes_of(line.split()[1]) for line in lines}

    def _last_words(self) -> str:
        try:
            wrong = [each for each in self.containers() if not each.well]
            return "".join(
                f"\n{each.service} is {each.said}"
                + "".join(f"\n  {each.service}| {line[:300]}" for line in self.lines(each.service))
                for each in wrong
            )
        except engine.EngineFailed:
            return ""


def bytes_of(spelt: str) -> int:
    """The bytes of a size as Docker spells it, like `189.3MiB`; 0 for `--`."""
    units = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
    units |= {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
    for unit, factor in (units | {"B": 1}).items():
        if spelt.endswith(unit):
            return int(float(spelt.removesuffix(unit)) * factor)
    return 0


def container(found: Mapping[str, Any], *, memory: int = 0) -> Container:
    """The `Container` that `docker inspect` describes as `found`."""
    state = found["State"]
    started = datetime.fromisoformat(state["StartedAt"])
    return Container(
        service=found["Config"]["Labels"]["com.docker.compose.service"],
        state=state["Status"],
        health=state.get("Health", {}).get("Status", ""),
        exit_code=state["ExitCode"],
        image=found["Image"],
        pid=state["Pid"],
        memory=memory,
        uptime=(datetime.now(UTC) - started).total_seconds() if state["Running"] else 0.0,
    )
