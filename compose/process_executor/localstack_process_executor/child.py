"""The function's process: started clean, watched, and never left behind. Linux only."""

import fcntl
import os
import selectors
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

# More output than this between two drains loses its oldest part.
LARGEST_LOG = 4 * 1024 * 1024


class Child:
    """A running process in a session of its own, with its output and its memory.

    If the process that started it dies, however suddenly, the kernel kills the child and
    everything in its process group.
    """

    def __init__(self, command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        lifeline, self._lifeline = os.pipe()
        try:
            self._process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(lifeline,),
                start_new_session=True,
            )
            _kill_when_the_other_end_closes(lifeline, group=self._process.pid)
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(lifeline)
        self.pid = self._process.pid
        self._ending = threading.Lock()
        self._ended = False
        self.output = _Output(cast("IO[bytes]", self._process.stdout))

    def exit_code(self) -> int | None:
        """None while it runs, else the exit status, or minus the number of the signal."""
        return self._process.poll()

    def peak_bytes(self) -> int:
        """The most memory it ever had resident; 0 once it is gone.

        The kernel keeps this figure, so a short peak between two looks is not missed.
        """
        with suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0

    def kill(self) -> None:
        """End it and its process group at once; a second call does nothing."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            # Also when the child itself is gone: what it started may not be.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
            self.output.close()
            os.close(self._lifeline)


def _kill_when_the_other_end_closes(pipe: int, *, group: int) -> None:
    """Have the kernel kill a process group as soon as the last writer of `pipe` is gone.

    A thread in the child could do the same, but not while a C call holds the interpreter's
    lock, and the function would find itself in a process with two threads. PR_SET_PDEATHSIG
    looks made for this, yet it fires when the *thread* that started the child ends. The child
    keeps the reading end open, which is all it takes. Until this is set, a few microseconds
    after the start, a child left alone ends by itself: nobody answers it on the Runtime API.
    """
    fcntl.fcntl(pipe, fcntl.F_SETOWN, -group)
    fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)


class _Output:
    """Everything a process wrote, read in the background so that it never waits for us."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        os.set_blocking(self._pipe.fileno(), False)
        self._lock = threading.Lock()
        self._kept = bytearray()
        self._dropped = 0
        self._closed = False
        threading.Thread(target=self._read_on, name="function-output", daemon=True).start()

    def drain(self) -> str:
        """All output since the last call. What was written before an answer is in it."""
        with self._lock:
            self._read_waiting()
            text = self._kept.decode("utf-8", errors="replace")
            if self._dropped:
                text = f"[{self._dropped} bytes of output dropped]\n{text}"
            self._kept.clear()
            self._dropped = 0
        return text

    def close(self) -> None:
        """Take in what is left and let go of the pipe, whoever else still holds it."""
        with self._lock:
            self._read_waiting()
            self._closed = True

    def _read_on(self) -> None:
        with selectors.DefaultSelector() as selector, self._pipe:
            selector.register(self._pipe, selectors.EVENT_READ)
            while not self._closed:
                # Usually the end of the child wakes it. The timeout is for a pipe that a
                # grandchild in a session of its own keeps open.
                if selector.select(timeout=5):
                    with self._lock:
                        self._read_waiting()

    def _read_waiting(self) -> None:
        while not self._closed:
            try:
                block = os.read(self._pipe.fileno(), 65536)
            except BlockingIOError:
                return
            if not block:
                self._closed = True
                return
            self._kept += block
            if (surplus := len(self._kept) - LARGEST_LOG) > 0:
                del self._kept[:surplus]
                self._dropped += surplus
