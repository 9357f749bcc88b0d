"""A LocalStack that runs, and what tests ask of it."""

import base64
import io
import json
import socket
import subprocess
import textwrap
import time
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

ROLE = "arn:aws:iam::000000000000:role/function"


@dataclass(frozen=True)
class Answer:
    payload: Any
    error: str | None
    log: str


@dataclass
class LocalStack:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def client(self, service: str) -> Any:
        make: Any = boto3.client  # its types want the service's name as a literal
        return make(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )

    def create(self, code: str, **settings: Any) -> str:
        """Make a function of this source, wait until it can be invoked and give its name."""
        name = f"f-{uuid.uuid4().hex[:12]}"
        wanted = {"Runtime": "python3.13", "Timeout": 20, "MemorySize": 256, **settings}
        client = self.client("lambda")
        client.create_function(
            FunctionName=name,
            Role=ROLE,
            Handler="main.handler",
            Code={"ZipFile": zipped(code)},
            **wanted,
        )
        eventually(
            lambda: client.get_function_configuration(FunctionName=name)["State"] == "Active",
            within=15,
        )
        client.close()
        return name

    def replace_code(self, name: str, code: str) -> None:
        """Give a function another source, and wait until that is what runs."""
        client = self.client("lambda")
        client.update_function_code(FunctionName=name, ZipFile=zipped(code))
        eventually(
            lambda: (
                client.get_function_configuration(FunctionName=name)["LastUpdateStatus"]
                == "Successful"
            ),
            within=15,
        )
        client.close()

    def invoke(self, name: str, event: Any = None) -> Answer:
        client = self.client("lambda")
        got = client.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        payload = json.loads(got["Payload"].read())
        client.close()
        log = base64.b64decode(got["LogResult"]).decode()
        return Answer(payload, got.get("FunctionError"), log)


def zipped(code: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("main.py", textwrap.dedent(code))
    return archive.getvalue()


def eventually(happened: Callable[[], object], *, within: float) -> None:
    deadline = time.monotonic() + within
    while not happened():
        assert time.monotonic() < deadline, f"it did not happen within {within} s"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether it still runs; one that ended but was not collected yet does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
