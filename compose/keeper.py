"""Keeps the state of the local stack: `python -m compose.keeper`, in both modes.

Deploys infra/data.yaml into a LocalStack that is new, puts the kept objects back, and from then on
mirrors every change. With --once it ends as soon as all is put back.
"""

import argparse
import dataclasses
import functools
import json
import logging
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chartbuster.aws import s3_store
from chartbuster.errors import ChartBusterError, Misconfigured, Unreachable
from chartbuster.identity import digest
from chartbuster.probe import heartbeat
from compose.gate import Gate
from compose.health import localstack_is_healthy
from compose.keeping import Consumers, Emulator, Keeper, NobodyHeld, Report
from compose.layout import BUCKETS, Layout, bucket, expected_outputs
from compose.locking import Locked, only_one
from compose.state import StateFolder
from infra.data import deploy_data, stack_name
from infra.stacks import outputs, template

log = logging.getLogger("compose.keeper")

_PATIENCE_WITH_ANOTHER = 60.0


@dataclass(frozen=True)
class Settings:
    """What the keeper is told: which LocalStack, which folder, and where to report.

    `public_endpoint` is where people reach LocalStack, which may have another address than the
    keeper's. Who must not see the buckets while they are filled is either a list of supervised
    programs, `hold`, or everybody who comes through the gate on the port `gate_port`.
    """

    stage: str
    endpoint: str
    public_endpoint: str
    state: Path
    report: Path
    outputs: Path
    lambda_zip: Path
    demo_catalogue: Path
    web_url: str
    hold: tuple[str, ...]
    gate_port: int | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """The settings; raises `Misconfigured` naming every missing variable at once."""
        needed = (
            *("STAGE", "AWS_ENDPOINT_URL", "STATE_DIR", "REPORT_FILE", "OUTPUTS_FILE"),
            *("LAMBDA_ZIP", "DEMO_CATALOGUE", "WEB_URL"),
        )
        missing = [name for name in needed if not env.get(name)]
        if missing:
            raise Misconfigured(f"the keeper needs {', '.join(missing)} in its environment")
        return cls(
            stage=env["STAGE"],
            endpoint=env["AWS_ENDPOINT_URL"],
            public_endpoint=env.get("PUBLIC_ENDPOINT") or env["AWS_ENDPOINT_URL"],
            state=Path(env["STATE_DIR"]),
            report=Path(env["REPORT_FILE"]),
            outputs=Path(env["OUTPUTS_FILE"]),
            lambda_zip=Path(env["LAMBDA_ZIP"]),
            demo_catalogue=Path(env["DEMO_CATALOGUE"]),
            web_url=env["WEB_URL"],
            hold=tuple(filter(None, env.get("HOLD_PROGRAMS", "").split(","))),
            gate_port=_port(env, "GATE_PORT"),
        )


def _port(env: Mapping[str, str], name: str) -> int | None:
    """The port that `name` holds, None where it is not set; raises `Misconfigured`."""
    text = env.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise Misconfigured(f"{name}={text!r} is no port; expected a number from 1 to 65535")
    return int(text)


def write_json(path: Path, value: object) -> None:
    """Replace a small file in one step, so that nobody reads half of it."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def checked_outputs(settings: Settings, found: Mapping[str, str]) -> dict[str, str]:
    """The stack's outputs with both addresses.

    Raises `Misconfigured` when a name is not the one the other programs were started with.
    """
    expected = expected_outputs(settings.public_endpoint, settings.stage)
    wrong = [
        f"{name} is {found.get(name)!r}, expected {value!r}"
        for name, value in expected.items()
        if found.get(name) != value
    ]
    if wrong:
        raise Misconfigured(f"infra/data.yaml and compose/layout.py disagree: {'; '.join(wrong)}")
    return {**expected, "Endpoint": settings.public_endpoint, "WebUrl": settings.web_url}


def deploy(settings: Settings, marker_bucket: str) -> dict[str, str]:
    """Deploy the stack and make the keeper's own bucket; a repeat changes nothing."""
    try:
        session = boto3.Session()
        session.client("s3").create_bucket(Bucket=marker_bucket)
        return deploy_data(session, stage=settings.stage, zip_path=settings.lambda_zip)
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"could not deploy into {settings.endpoint}: {error}") from error
    except OSError as error:
        raise Misconfigured(f"could not read {settings.lambda_zip}: {error}") from error


def deployed(settings: Settings) -> dict[str, str]:
    """The outputs of the stack that is deployed already."""
    try:
        return outputs(boto3.client("cloudformation"), stack_name(settings.stage))
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"could not ask {settings.endpoint} for the stack: {error}") from error


def release_of(settings: Settings) -> str:
    """The digest of what is deployed; raises `Misconfigured` when the zip was not built."""
    try:
        code = settings.lambda_zip.read_bytes()
    except OSError as error:
        raise Misconfigured(f"could not read {settings.lambda_zip}: {error.strerror}") from error
    return digest(template("data.yaml").encode() + code)[:16]


def read_demo(path: Path) -> bytes:
    """The demo catalogue; raises `Misconfigured` when it was not built."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"could not read the demo catalogue {path}: {error.strerror}; `make up` builds it"
        ) from error


def consumers_of(settings: Settings) -> Consumers:
    """Whoever must not see the buckets while they are filled."""
    if settings.gate_port is not None:
        address = urlsplit(settings.endpoint)
        return Gate(settings.gate_port, to=(address.hostname or "", address.port or 80))
    if settings.hold:
        # Imported here: only the embedded composition has a supervisor.
        from compose.supervision import Held, Supervisor

        return Held(Supervisor(Layout(Path.cwd().parent)), settings.hold)
    return NobodyHeld()


def keeper_of(
    settings: Settings,
    consumers: Consumers,
    *,
    stopping: Callable[[], bool],
    rest: Callable[[float], object],
) -> Keeper:
    """The keeper over the LocalStack and the folder these settings name."""
    marker_bucket = bucket("keeper", settings.stage)
    return Keeper(
        emulator=Emulator(
            healthy=functools.partial(localstack_is_healthy, settings.endpoint),
            deploy=functools.partial(deploy, settings, marker_bucket),
            release=release_of(settings),
            outputs=functools.partial(deployed, settings),
            stores={role: s3_store(bucket(role, settings.stage)) for role in BUCKETS},
            marker=s3_store(marker_bucket),
        ),
        state=StateFolder(settings.state),
        consumers=consumers,
        demo=functools.partial(read_demo, settings.demo_catalogue),
        ready=lambda found: write_json(settings.outputs, checked_outputs(settings, found)),
        tell=lambda report: write_json(settings.report, told(report)),
        alive=heartbeat(os.environ),
        new_marker=lambda: uuid.uuid4().hex.encode(),
        stopping=stopping,
        rest=rest,
    )


def told(report: Report) -> dict[str, object]:
    """What is written of a report: with our pid, so that a dead keeper's word can be told."""
    return {"pid": os.getpid(), **dataclasses.asdict(report)}


def keep_once(keeper: Keeper, state: Path, stop: threading.Event) -> None:
    """Return when LocalStack holds state and release, put there by us or by another keeper.

    Raises `Locked` when another keeper is at work and does not get there.
    """
    deadline = time.monotonic() + _PATIENCE_WITH_ANOTHER
    while not (stop.is_set() or keeper.is_restored()):
        try:
            with only_one(state / ".lock", patience=0):
                keeper.restore()
                break
        except Locked:
            if time.monotonic() > deadline:
                raise
            stop.wait(0.3)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: STAGE=local AWS_ENDPOINT_URL=http://127.0.0.1:4566 STATE_DIR=state ... "
        "python -m compose.keeper",
    )
    parser.add_argument("--once", action="store_true", help="deploy, put back, and end")
    once = parser.parse_args().once
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout
    )
    logging.getLogger("botocore").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    try:
        settings = Settings.from_env(os.environ)
        consumers = NobodyHeld() if once else consumers_of(settings)
        keeper = keeper_of(settings, consumers, stopping=stop.is_set, rest=stop.wait)
        if once:
            keep_once(keeper, settings.state, stop)
        else:
            # Two keepers over one folder would undo each other's work.
            with only_one(settings.state / ".lock", patience=30):
                keeper.run()
    except (Locked, ChartBusterError) as error:
        log.error("keeper_cannot_start %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
