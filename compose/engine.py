"""The Docker Engine of this machine: whether there is one that will do, and calls of its client.

The client knows contexts, Docker Desktop and rootless engines; so everything here goes through it.
"""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chartbuster.errors import Permanent, TryAgain

# Engine 25 is the first that asks health checks more often while a container starts.
_OLDEST_ENGINE = 25
_OLDEST_COMPOSE = (2, 23)
# A dead daemon may accept a connection and never answer.
_PATIENCE = 5.0


class EngineFailed(TryAgain):
    """A call of the Docker client that ended with an error; holds the last of what it said."""


class NoEngine(Permanent):
    """There is no Docker Engine that could run the stack; says why."""


@dataclass(frozen=True)
class Engine:
    """An engine that can run the stack, and the Compose that talks to it."""

    version: str
    compose: str

    def __str__(self) -> str:
        return f"Docker Engine {self.version} with Compose {self.compose}"


def find(environ: Mapping[str, str], *, patience: float = _PATIENCE) -> Engine:
    """The engine of this machine; raises `NoEngine` with the reason, within three `patience`."""
    where = _asked(("context", "inspect", "-f", "{{.Endpoints.docker.Host}}"), environ, patience)
    if not where.startswith(("unix://", "npipe://")):
        raise NoEngine(f"Docker is set to {where}, and the stack is for an engine on this machine")
    said = _asked(("version", "-f", "{{json .}}"), environ, patience)
    try:
        server = json.loads(said)["Server"]["Version"]
    except (ValueError, KeyError, TypeError) as error:
        raise NoEngine(f"Docker's answer is none we know: {said[:200]!r}") from error
    compose = _asked(("compose", "version", "--short"), environ, patience)
    if _numbers(server) < (_OLDEST_ENGINE,):
        raise NoEngine(f"Docker Engine {server} is too old; expected {_OLDEST_ENGINE} or newer")
    if _numbers(compose) < _OLDEST_COMPOSE:
        oldest = ".".join(map(str, _OLDEST_COMPOSE))
        raise NoEngine(f"Docker Compose {compose} is too old; expected {oldest} or newer")
    return Engine(server, compose)


def _asked(question: Sequence[str], environ: Mapping[str, str], patience: float) -> str:
    try:
        done = _docker(question, environ, patience=patience)
    except FileNotFoundError:
        raise NoEngine("Docker is not installed") from None
    except subprocess.TimeoutExpired:
        raise NoEngine(f"the Docker Engine did not answer within {patience:.0f} s") from None
    except OSError as error:
        raise NoEngine(f"docker cannot be started: {error.strerror}") from error
    if done.returncode:
        raise NoEngine(_last_line(done.stderr) or f"docker {question[0]} ended with an error")
    return done.stdout.strip()


def call(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    cwd: Path | None = None,
    patience: float = 600.0,
) -> str:
    """What `docker ARGUMENTS` prints; raises `EngineFailed`."""
    try:
        done = _docker(arguments, environ, cwd=cwd, patience=patience)
    except OSError as error:
        raise EngineFailed(f"docker cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise EngineFailed(f"docker {arguments[0]} did not end within {patience:.0f} s") from error
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise EngineFailed(f"docker {' '.join(arguments)} ended with {done.returncode}:\n{said}")
    return done.stdout


def _docker(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    cwd: Path | None = None,
    patience: float,
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["docker", *arguments],
        env=dict(environ),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
