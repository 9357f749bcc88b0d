"""One training run as a child process: what it says is passed on, and it ends when we must."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Literal, Protocol

from trainer.train_model import DONE, UNUSABLE

_GLANCE_SECONDS = 0.1
_GRACE_SECONDS = 3.0

type Ending = Literal["done", "unusable", "failed", "stopped"]


class Stop(Protocol):
    """What tells a wait to end early; a `threading.Event`."""

    def wait(self, timeout: float | None = None) -> bool:
        """True as soon as it is time to stop, False after `timeout` seconds."""
        ...

    def is_set(self) -> bool:
        """Whether it is time to stop."""
        ...


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `reason` says why when it is not done."""

    ending: Ending
    reason: str = ""


def command_for(dataset: str) -> list[str]:
    """The program that trains `dataset` and dies with this process."""
    return [
        *(sys.executable, "-m", "trainer.train_model"),
        *("--dataset", dataset, "--die-with", str(os.getpid())),
    ]


def threads_environment(env: Mapping[str, str], jobs: int) -> dict[str, str]:
    """`env` for a child that fits `jobs` models at a time, each on one thread."""
    return {
        **env,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TRAINER_JOBS": str(jobs),
    }


def run_in_child(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    stopping: Stop,
    relay: Callable[[str], object],
) -> Outcome:
    """Run `command` to its end, or until `stopping`; then it and its children are ended.

    Its output lines go to `relay` as they come.
    """
    said = _Said(relay)
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        if process.stdout is None:
            raise RuntimeError("the child has no output to read")
        reader = threading.Thread(target=said.listen, args=(process.stdout,), daemon=True)
        reader.start()
        stopped = False
        while process.poll() is None:
            if stopping.wait(_GLANCE_SECONDS):
                stopped = True
                _end(process)
        reader.join(timeout=_GRACE_SECONDS)
    if process.returncode == DONE:
        return Outcome("done")
    if stopped:
        return Outcome("stopped", "the trainer was told to stop")
    if process.returncode == UNUSABLE:
        return Outcome("unusable", said.reason or "the run gave no reason")
    return Outcome("failed", said.reason or f"the run ended with {process.returncode}")


class _Said:
    """What the child wrote: passed on line by line, and the last reason it gave remembered."""

    def __init__(self, relay: Callable[[str], object]) -> None:
        self._relay = relay
        self.reason = ""

    def listen(self, lines: IO[str]) -> None:
        for line in lines:
            self._relay(line)
            # Whatever is no log line of ours is some library speaking.
            with contextlib.suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict) and said.get("event") in {"run_refused", "run_failed"}:
                    self.reason = str(said.get("reason", ""))


def _end(process: subprocess.Popen[str]) -> None:
    """End the child's whole group, gently and then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_GRACE_SECONDS)
            return
