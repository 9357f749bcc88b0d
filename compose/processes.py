"""The processes of this machine: which belong to a stack, which hold a port, and how they end."""

import contextlib
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from compose.environment import MARK
from compose.layout import HOST

_POLL = 0.05
_PATIENCE_WITH_THE_KILLED = 5.0


def of_stack(stack: Path) -> list[psutil.Process]:
    """The live processes that carry the mark of the stack at `stack`.

    The mark is inherited, so it finds a component's children too, whoever their parent is by now.
    """
    return [process for process in psutil.process_iter() if _mark(process) == str(stack)]


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK) if is_alive(process) else None
    except (psutil.Error, OSError):
        # Somebody else's process, or one that has just ended.
        return None


def end(processes: Iterable[psutil.Process], *, patience: float) -> None:
    """Ask processes to end, and kill those that have not after `patience` seconds."""
    asked = list(processes)
    for process in asked:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in _alive_after(patience, asked):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _alive_after(_PATIENCE_WITH_THE_KILLED, asked)


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still runs.

    One that has ended but that its parent has not asked about yet does not: in a container,
    nobody may ever ask.
    """
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _alive_after(patience: float, processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those of `processes` that have not ended within `patience` seconds."""
    deadline = time.monotonic() + patience
    while (alive := [process for process in processes if is_alive(process)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(_POLL)
    return alive


def end_stack(stack: Path, *, patience: float = 10.0) -> int:
    """End every process of a stack but this one, and return how many there were.

    In the order in which supervisor stops them: the keeper still reads LocalStack, so that goes
    last, and quickly, since by then nobody needs what it knows. Whatever is born meanwhile is ended
    as well.
    """
    ended = 0
    while orphans := [process for process in of_stack(stack) if process.pid != os.getpid()]:
        names = {process: _program(process) for process in orphans}
        last = {"keeper", "localstack"}
        end([process for process in orphans if names[process] not in last], patience=patience)
        end([process for process in orphans if names[process] == "keeper"], patience=patience)
        end([process for process in orphans if names[process] == "localstack"], patience=2)
        ended += len(orphans)
    return ended


def _program(process: psutil.Process) -> str:
    """The program of the stack that the process is, or is a child of."""
    try:
        return process.environ().get("SUPERVISOR_PROCESS_NAME", "")
    except (psutil.Error, OSError):
        return ""


def wait_for_end(pid: int, *, patience: float) -> bool:
    """Whether the process `pid` has ended within `patience` seconds."""
    try:
        process = psutil.Process(pid)
    except psutil.NoSuchProcess:
        return True
    return not _alive_after(patience, [process])


def resident_bytes(pid: int) -> int:
    """The resident memory of a process and all its descendants, shared pages counted in each."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
    except psutil.Error:
        return total
    return total


def own_resident_bytes(pid: int) -> int:
    """The resident memory of one process without its children; 0 when it has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def uptime(pid: int) -> float:
    """Seconds since the process began; 0 when it has ended."""
    try:
        return max(0.0, time.time() - psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def port_is_free(port: int) -> bool:
    """Whether a program of ours could listen on the port; raises PermissionError below 1024."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: what is left of closed connections does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on the port, like `pid 812 (python -m http.server)`, as far as we may know."""
    for pid in _listeners(port):
        if pid is not None:
            try:
                process = psutil.Process(pid)
                command = " ".join(process.cmdline()) or process.name()
            except psutil.Error:
                command = "its command is not ours to see"
            return f"pid {pid} ({command[:200]})"
    return "another program, which this user may not look at"


def _listeners(port: int) -> list[int | None]:
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return []
    return [
        connection.pid
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr[1] == port
    ]
