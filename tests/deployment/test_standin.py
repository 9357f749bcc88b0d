"""The stand-in: on this machine alone, with nothing of the person's, gone when it is left."""

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from chartbuster.errors import Misconfigured
from compose.layout import Layout
from scripts.aws.account import account_of, is_loopback
from scripts.aws.standin import ACCOUNT, StandIn, stand_in
from scripts.running import ROOT

pytestmark = pytest.mark.integration

_HOLD = """
import pathlib, sys, time
from scripts.aws.standin import stand_in
with stand_in(pathlib.Path(sys.argv[1])) as running:
    print(running.registry, flush=True)
    time.sleep(60)
"""


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def test_its_account_is_the_one_the_programs_find_by_its_environment(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in standin.environ.items():
        monkeypatch.setenv(name, value)

    found = account_of({**standin.environ, "STAGE": "trial"})

    assert found == standin.account("trial")
    assert found.id == ACCOUNT
    assert found.is_stand_in


def test_its_session_reaches_it_without_any_environment(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in standin.environ:
        monkeypatch.delenv(name, raising=False)

    client = standin.session.client("sts")

    assert client.meta.endpoint_url == standin.endpoint
    assert client.get_caller_identity()["Account"] == ACCOUNT


def test_its_registry_is_on_the_same_port_and_asks_for_nothing_else(standin: StandIn) -> None:
    with urllib.request.urlopen(f"http://{standin.registry}/v2/", timeout=5) as answer:
        assert answer.status == 200
    assert is_loopback(f"http://{standin.registry}")


def test_it_listens_on_the_loopback_address_alone(standin: StandIn) -> None:
    port = int(standin.registry.rpartition(":")[2])
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port == port
    }

    assert listening == {"127.0.0.1"}


def test_two_of_them_know_nothing_of_one_another(standin: StandIn, tmp_path: Path) -> None:
    with stand_in(tmp_path) as other:
        other.session.client("s3").create_bucket(Bucket="only-here")
        names = standin.session.client("s3").list_buckets()["Buckets"]

    assert "only-here" not in {bucket["Name"] for bucket in names}


def test_it_is_gone_after_an_error_in_whoever_used_it(tmp_path: Path) -> None:
    seen = []

    def stumble() -> None:
        with stand_in(tmp_path) as running:
            seen.append(running.endpoint)
            raise RuntimeError("stumbled")

    with pytest.raises(RuntimeError, match="stumbled"):
        stumble()

    assert not _answers(seen[0])


def test_it_is_gone_after_a_ctrl_c(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    registry = program.stdout.readline().strip()
    assert _answers(f"http://{registry}")

    program.send_signal(signal.SIGINT)
    program.wait(20)

    host, _, port = registry.partition(":")
    with socket.socket() as probe:
        assert probe.connect_ex((host, int(port))) != 0
    program.stdout.close()


def test_a_checkout_without_its_environment_says_what_makes_it(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()

    with (
        pytest.raises(Misconfigured, match=r"\.venv/ministack/bin/python is not there; `make reh"),
        stand_in(tmp_path / "files", root=tmp_path),
    ):
        pytest.fail("it ran without an interpreter")
    assert not Layout(tmp_path).python("ministack").exists()
