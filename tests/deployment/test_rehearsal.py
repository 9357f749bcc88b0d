"""The rehearsal as `make rehearse-aws` runs it: all of it, and stopped in the midst of it."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from compose import manifest
from compose.layout import Layout
from scripts.aws import local_task, standin
from scripts.aws.images import engine
from tests import containers
from tests.emulator import ROOT, require

pytestmark = pytest.mark.integration

_ADDRESS = re.compile(r"the stand-in is at http://(127\.0\.0\.1:\d+)")
_PATIENCE = 1_200.0


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    require(containers.lacking() or standin.missing())
    with engine(patience=60.0) as found:
        yield found


def begun(folder: Path) -> "subprocess.Popen[str]":
    """The program behind the target, with a folder of its own for temporary files."""
    # Somebody's profile and proxy are in the way of nothing.
    theirs = {"AWS_PROFILE": "mine", "HTTPS_PROXY": "http://127.0.0.1:9", "TMPDIR": str(folder)}
    return subprocess.Popen(
        [str(Layout(ROOT).python("scripts")), "-m", "scripts.rehearse_aws"],
        cwd=ROOT,
        env={**os.environ, **theirs, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_of(said: str, folder: Path, client: docker.DockerClient) -> list[str]:
    """What a rehearsal left behind: a listening stand-in, files, containers, names of images."""
    found = _ADDRESS.search(said)
    assert found, said
    host, _, port = found[1].partition(":")
    with socket.socket() as probe:
        listening = probe.connect_ex((host, int(port))) == 0
    containers_left = client.containers.list(
        all=True, filters={"label": f"{local_task.LABEL}={found[1]}"}
    )
    names = [
        name
        for image in client.api.images()
        for name in [*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())]
    ]
    return [
        *(["the stand-in"] if listening else []),
        *(path.name for path in folder.iterdir()),
        *(container.name for container in containers_left),
        *(name for name in names if name.startswith(found[1])),
    ]


def test_a_rehearsal_passes_shows_what_is_deployed_by_digest_and_leaves_nothing(
    client: docker.DockerClient, tmp_path: Path
):
    with begun(tmp_path) as program:
        said, _ = program.communicate(timeout=_PATIENCE)

    assert program.returncode == 0, said
    built = manifest.read(ROOT / manifest.FILE)
    rows = [line.split() for line in said.splitlines()]
    for name in ("trainer", "webapp"):
        digest = built.images[name].id.removeprefix("sha256:")[:12]
        assert ["image", "of", name, digest, digest, "same"] in rows
    code = built.artifacts["create_data.zip"][:12]
    assert ["create_data.zip", code, code, "same"] in rows
    assert "What a stand-in cannot show:" in said
    assert left_of(said, tmp_path, client) == []


def test_a_rehearsal_that_is_stopped_leaves_nothing_either(
    client: docker.DockerClient, tmp_path: Path
):
    with begun(tmp_path) as program:
        assert program.stdout is not None
        said = ""
        # The first push is on its way by then, or soon will be.
        while "a plan, which leaves nothing" not in said:
            line = program.stdout.readline()
            assert line, said
            said += line
        program.send_signal(signal.SIGINT)
        rest, _ = program.communicate(timeout=60)

    assert program.returncode == 130, said + rest
    assert "stopped" in rest
    assert left_of(said, tmp_path, client) == []
