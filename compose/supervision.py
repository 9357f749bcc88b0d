"""Supervisor: its configuration, its start, and what it is told and asked while it runs.

It listens on a Unix socket only. Such a socket's path may have about 100 bytes and a checkout can
lie deeper than that, so both ends reach it through a folder they hold open.
"""

import contextlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ProtocolError, ServerProxy

from supervisor.states import ProcessStates
from supervisor.xmlrpc import Faults, SupervisorTransport

from chartbuster.errors import TryAgain
from compose.layout import Layout
from compose.programs import Composition, Program

# All relative to .stack, where supervisor and every program stand.
_SOCKET = Path("run/supervisor.sock")
_CONFIGURATION = Path("run/supervisord.conf")
_PIDFILE = Path("run/supervisord.pid")

_RUNNING = ProcessStates.RUNNING
_FATAL = ProcessStates.FATAL


class SupervisorAway(TryAgain):
    """Supervisor does not run, or did not answer."""


@dataclass(frozen=True)
class Component:
    """One supervised program as supervisor sees it; `pid` is 0 and `uptime` (s) 0 when down."""

    name: str
    state: str
    pid: int
    uptime: float
    said: str

    @property
    def running(self) -> bool:
        return self.state == "RUNNING"

    @property
    def given_up(self) -> bool:
        """Supervisor has started it in vain so often that it no longer tries."""
        return self.state == "FATAL"


def configuration(layout: Layout, programs: tuple[Program, ...]) -> str:
    """Supervisor's configuration file.

    What a program is and gets stays in `composition.json`, which the launcher reads: a path with a
    blank, a quote or a percent sign needs no second way of quoting here.
    """
    # Relative, so that it is the same plain text wherever the checkout lies.
    launcher = os.path.relpath(layout.python("scripts"), layout.stack)
    head = f"""\
[unix_http_server]
file = /proc/self/cwd/{_SOCKET}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisord]
nodaemon = true
silent = true
pidfile = {_PIDFILE}
logfile = logs/supervisor.log
logfile_maxbytes = 2MB
logfile_backups = 2
childlogdir = logs
"""
    # Root is only asked to say that it is meant; nobody's rights change.
    user = "user = root\n" if os.geteuid() == 0 else ""
    return head + user + "".join(_section(program, launcher) for program in programs)


def _section(program: Program, launcher: str) -> str:
    command = shlex.join([launcher, "-m", "compose.launcher", program.name]).replace("%", "%%")
    return f"""
[program:{program.name}]
command = {command}
priority = {program.priority}
autostart = {str(program.autostart).lower()}
autorestart = true
startsecs = 1
startretries = 20
stopwaitsecs = {program.stop_seconds}
killasgroup = true
redirect_stderr = true
stdout_logfile = logs/{program.name}.log
stdout_logfile_maxbytes = 5MB
stdout_logfile_backups = 2
"""


def read_composition(layout: Layout) -> Composition | None:
    """What the running stack was started from, or None where there is none."""
    try:
        return Composition.from_json(layout.composition.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def prepare(layout: Layout, composition: Composition) -> None:
    """Write down what is to run, for `start_supervisor` and for the launcher."""
    folders = (layout.logs, layout.run, layout.stack / "tmp", layout.stack / "home", layout.state)
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    layout.run.chmod(0o700)
    text = configuration(layout, composition.programs)
    (layout.stack / _CONFIGURATION).write_text(text, encoding="utf-8")
    layout.composition.write_text(composition.to_json(), encoding="utf-8")


def start_supervisor(layout: Layout) -> None:
    """Start supervisor over what `prepare` wrote, in a session of its own, and wait for its answer.

    Raises `SupervisorAway` with what it printed when it ends instead.
    """
    composition = read_composition(layout)
    if composition is None:
        raise SupervisorAway(f"{layout.composition} is not there or not readable; run `make up`")
    said = layout.logs / "supervisor-start.log"
    with said.open("wb") as output:
        process = subprocess.Popen(
            # A relative interpreter would be looked up before the change of folder.
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(_CONFIGURATION)],
            cwd=layout.stack,
            env=dict(composition.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    supervisor = Supervisor(layout)
    for _ in range(200):
        if process.poll() is not None:
            text = said.read_text(errors="replace").strip()[-500:]
            raise SupervisorAway(f"supervisor ended with {process.returncode}: {text or 'no word'}")
        if supervisor.pid() == process.pid:
            # It outlives us; its end is nobody's to wait for here.
            process.returncode = 0
            return
        time.sleep(0.05)
    raise SupervisorAway(f"supervisor (pid {process.pid}) did not answer within 10 s")


class Supervisor:
    """The running supervisor of one stack. Every method but `pid` raises `SupervisorAway`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def pid(self) -> int | None:
        """The process that answers on the socket, or None."""
        try:
            return int(self._call("getPID"))
        except SupervisorAway:
            return None

    def components(self) -> tuple[Component, ...]:
        """Every program and how it is, in the order they start."""
        return tuple(
            Component(
                name=str(info["name"]),
                state=str(info["statename"]),
                pid=int(info["pid"]),
                uptime=float(max(0, info["now"] - info["start"])) if info["pid"] else 0.0,
                said=str(info["description"] or info["spawnerr"]),
            )
            for info in self._call("getAllProcessInfo")
        )

    def start(self, name: str) -> None:
        """Start a program; one that runs already is fine."""
        self._ignoring({Faults.ALREADY_STARTED}, "startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop a program and wait for its end; one that does not run is fine."""
        self._ignoring({Faults.NOT_RUNNING}, "stopProcess", name, True)

    def shutdown(self) -> None:
        """Ask for the end of everything, in order; returns before it has come."""
        self._call("shutdown")

    def _ignoring(self, faults: set[int], method: str, *arguments: Any) -> None:
        try:
            self._call(method, *arguments)
        except Fault as fault:
            if fault.faultCode not in faults:
                raise SupervisorAway(f"supervisor refused {method}{arguments}: {fault}") from fault

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            with _server(self._layout.stack) as server:
                return getattr(server.supervisor, method)(*arguments)
        except (OSError, ProtocolError) as error:
            raise SupervisorAway(f"supervisor does not answer: {error}") from error
        except Fault as fault:
            if fault.faultCode == Faults.SHUTDOWN_STATE:
                raise SupervisorAway("supervisor is stopping") from fault
            raise


@contextlib.contextmanager
def _server(stack: Path) -> Iterator[ServerProxy]:
    folder = os.open(stack, os.O_RDONLY | os.O_DIRECTORY)
    try:
        transport = SupervisorTransport(serverurl=f"unix:///proc/self/fd/{folder}/{_SOCKET}")
        try:
            yield ServerProxy("http://127.0.0.1", transport=transport)
        finally:
            transport.close()
    finally:
        os.close(folder)


class Held:
    """Programs that must not see the buckets while the state is being put back."""

    def __init__(self, supervisor: Supervisor, names: tuple[str, ...]) -> None:
        self._supervisor = supervisor
        self._names = names

    def hold(self) -> None:
        """Stop them; returns once they have ended."""
        for name in self._names:
            self._supervisor.stop(name)

    def release(self) -> None:
        """Start those that do not run."""
        for name in self._names:
            self._supervisor.start(name)
