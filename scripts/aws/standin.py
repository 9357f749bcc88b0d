"""The stand-in for an AWS account: MiniStack on this machine, with nothing of the person's own.

It serves the calls of the deployment programs and, on the same port, a registry that takes real
images. What it shows and what it cannot is listed in `scripts.rehearse_aws`.
"""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.session import Session as CoreSession

from chartbuster.errors import Misconfigured, Unreachable
from compose.environment import kept, local_aws
from compose.layout import HOST, REGION, Layout
from scripts.aws.account import Account
from scripts.running import ROOT

ACCOUNT = "123456789012"
"""The account it plays: not the zeros of the local stacks, so that nobody's zeros go unnoticed."""

_PATIENCE = 60.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class StandIn:
    """A running stand-in: `endpoint` takes the SDK's calls, `registry` (host:port) the images."""

    endpoint: str
    folder: Path = field(repr=False)

    @property
    def registry(self) -> str:
        """What stands for the registry's address, to push to and to pull from."""
        return urlsplit(self.endpoint).netloc

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to work on the stand-in, and on nothing else."""
        return {**local_aws(self.endpoint), "ECR_REGISTRY": self.registry}

    @property
    def session(self) -> boto3.Session:
        """The SDK bound to the stand-in, whatever the environment says about credentials."""
        fake = self.environ
        core = CoreSession()
        # The SDK takes an endpoint for all its clients only from the environment or from a file.
        core.set_config_variable("config_file", str(self.folder / "config"))
        core.set_config_variable("credentials_file", os.devnull)
        return boto3.Session(
            aws_access_key_id=fake["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=fake["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
            botocore_session=core,
        )

    def account(self, stage: str = "dev") -> Account:
        """The account the stand-in plays, as a program sees it that works on `stage`."""
        return Account(ACCOUNT, REGION, stage, self.endpoint, self.session)


def missing(root: Path = ROOT) -> str | None:
    """Why the stand-in cannot run in the checkout at `root`, or None."""
    python = Layout(root).python("ministack")
    if python.exists():
        return None
    return f"{python.relative_to(root)} is not there; `make rehearse-aws` and `make test` make it"


@contextmanager
def stand_in(folder: Path, *, root: Path = ROOT) -> Iterator[StandIn]:
    """A fresh stand-in with its files in `folder`; ended on leaving, with all that it started.

    Raises `Misconfigured` where its environment was not made, and `Unreachable` with the end of
    its log when it does not come up within 60 s.
    """
    if reason := missing(root):
        raise Misconfigured(reason)
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    port = free_port()
    running = StandIn(f"http://{HOST}:{port}", folder)
    (folder / "config").write_text(
        f"[default]\nregion = {REGION}\nendpoint_url = {running.endpoint}\n", encoding="utf-8"
    )
    log = folder / "ministack.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(Layout(root).python("ministack")), "-m", "ministack"],
            env={**kept(os.environ), **_settings(port, folder)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: a Ctrl-C meant for us does not reach it, and it ends as a whole.
            start_new_session=True,
        )
    try:
        _await_answer(running, process, log)
        yield running
    finally:
        _end(process)


def _settings(port: int, folder: Path) -> dict[str, str]:
    """MiniStack on 127.0.0.1 alone, with its files in `folder` and no ports but its own."""
    return {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(running: StandIn, process: "subprocess.Popen[bytes]", log: Path) -> None:
    health = f"{running.endpoint}/_ministack/health"
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Unreachable(f"the stand-in ended with {process.returncode}: {_last(log)}")
        try:
            with urllib.request.urlopen(health, timeout=2):  # noqa: S310 - ours, on this machine
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise Unreachable(f"the stand-in did not answer within {_PATIENCE:.0f} s: {_last(log)}")


def _last(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:].strip() or "it said nothing"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the whole group to end; kill what of it has not after 10 s."""
    _signal(process, signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        # Also what it started and left behind; and at once when somebody is in a hurry.
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
