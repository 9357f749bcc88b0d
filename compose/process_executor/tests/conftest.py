"""A real LocalStack with the executor in it.

The tests run outside LocalStack's environment. They find that environment and the runtime
folder where `make` puts them, or where EMULATOR_PYTHON and LAMBDA_RUNTIME_DIR say.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parents[2]
LAUNCH = ROOT / "compose" / "localstack" / "launch.py"

# The modules of the distribution that know nothing of LocalStack are tested where it is not
# installed; launch.py and the tests' own module are no packages.
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(LAUNCH.parent)]

from running_localstack import LocalStack, eventually, free_port  # noqa: E402


def _made(variable: str, default: Path) -> Path:
    path = Path(os.environ.get(variable) or default)
    if not path.exists():
        reason = f"{path} is not there; `make` makes it, or set {variable}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path.absolute()


@pytest.fixture(scope="session")
def start_program() -> Callable[..., subprocess.Popen[bytes]]:
    """Start launch.py with a home folder, a port and the output going to a file."""
    python = _made("EMULATOR_PYTHON", ROOT / ".venv" / "emulator" / "bin" / "python")
    runtime_dir = _made("LAMBDA_RUNTIME_DIR", ROOT / "build" / "lambda-runtime")

    def start(home: Path, port: int, log: Path, **more: str) -> subprocess.Popen[bytes]:
        env = {
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "HOME": str(home / "of-the-caller"),
            "PATH": "/usr/bin:/bin",
            "PROCESS_EXECUTOR_RUNTIME_DIR": str(runtime_dir),
            "SECRET_OF_THE_EMULATOR": "not for functions",
            **more,
        }
        with log.open("wb") as written:
            return subprocess.Popen(
                [python, LAUNCH, "--home", home],
                env=env,
                stdout=written,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=home,
            )

    return start


@pytest.fixture(scope="session")
def start_localstack(
    start_program: Callable[..., subprocess.Popen[bytes]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Any]:
    homes: list[Path] = []

    @contextmanager
    def started(**more: str) -> Iterator[LocalStack]:
        home = tmp_path_factory.mktemp("localstack")
        homes.append(home)
        # The first makes the index of AWS's services, for 4 s; the others find it there.
        more.setdefault("FILESYSTEM_ROOT", str(homes[0] / "files"))
        log = home / "log"
        port = free_port()
        process = start_program(home, port, log, **more)
        try:
            eventually(lambda: _is_ready(process, log), within=60)
            yield LocalStack(process, port, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    return started


def _is_ready(process: subprocess.Popen[bytes], log: Path) -> bool:
    said = log.read_text()
    assert process.poll() is None, f"LocalStack ended before it was ready:\n{said}"
    return "Ready." in said


@pytest.fixture(scope="session")
def localstack(start_localstack: Callable[..., Any]) -> Iterator[LocalStack]:
    # Environments idle for 3 s are freed, so that a test can see it happen.
    with start_localstack(LAMBDA_KEEPALIVE_MS="3000") as running:
        yield running
