"""A LocalStack of a test session's own: real, on 127.0.0.1, gone when the session ends."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from compose.environment import local_aws, of_stack
from compose.layout import Layout, Ports
from compose.programs import localstack

ROOT = Path(__file__).parents[1]
_PATIENCE = 90.0


@dataclass(frozen=True)
class Emulator:
    """A running LocalStack at `endpoint`."""

    endpoint: str

    def client(self, service: str) -> Any:
        """The SDK's client for one of its services."""
        return self.session.client(service, endpoint_url=self.endpoint)  # type: ignore[call-overload]

    @property
    def session(self) -> boto3.Session:
        """The SDK with this LocalStack's credentials; it finds the endpoint in the environment."""
        fake = local_aws(self.endpoint)
        return boto3.Session(
            aws_access_key_id=fake["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=fake["AWS_SECRET_ACCESS_KEY"],
            region_name=fake["AWS_REGION"],
        )


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def missing() -> str | None:
    """Why LocalStack cannot run here, or None; `make test` makes everything it needs."""
    layout = Layout(ROOT)
    for needed in (layout.python("emulator"), layout.lambda_runtime):
        if not needed.exists():
            return f"{needed.relative_to(ROOT)} is not there; `make test` makes it"
    return None


def require(reason: str | None) -> None:
    """Skip for `reason`; where CI=true a missing part is a failure instead."""
    if reason and os.environ.get("CI") == "true":
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@contextmanager
def running_emulator(folder: Path) -> Iterator[Emulator]:
    """LocalStack with all its files under `folder`; ended, if need be killed, on leaving."""
    layout, ports = Layout(ROOT), Ports(localstack=free_port(), web=free_port())
    program = localstack(layout, ports)
    shared = of_stack(Layout(folder), os.environ)
    for name in ("HOME", "TMPDIR"):
        Path(shared[name]).mkdir(parents=True)
    command = [
        str(folder / "localstack") if part == str(layout.stack / "localstack") else part
        for part in program.command
    ]
    log = folder / "localstack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**shared, **program.environment},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await_health(ports, process, log)
        yield Emulator(ports.endpoint)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_health(ports: Ports, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"LocalStack ended with {process.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{ports.endpoint}/_localstack/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"LocalStack was not healthy after {_PATIENCE:.0f} s:\n{log.read_text()}")
