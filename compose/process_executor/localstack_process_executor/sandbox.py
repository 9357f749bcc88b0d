"""One execution environment: a function's process, started again whenever it has ended.

Nothing here knows LocalStack. The life of an environment is AWS's: initialisation before the
first invocation; a process that crashed, ran too long or could not initialise is replaced
within the next invocation.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from localstack_process_executor import faults, log_lines
from localstack_process_executor.child import Child
from localstack_process_executor.faults import Fault
from localstack_process_executor.runtime_api import (
    Answered,
    AnsweredTooMuch,
    Event,
    InitFailed,
    RuntimeApi,
    Task,
    Waiting,
)
from localstack_process_executor.settings import CannotRun

LOOK_SECONDS = 0.02  # how often the process and its memory are looked at


class SandboxStopped(Exception):
    """The environment was stopped while it was at work."""


@dataclass(frozen=True)
class Limits:
    timeout_seconds: float
    memory_mib: int
    answer_bytes: int
    init_seconds: float = 10.0


@dataclass(frozen=True)
class Invocation:
    request_id: str
    arn: str
    trace_id: str
    payload: bytes


@dataclass(frozen=True)
class Outcome:
    """What the caller gets, and the log of the invocation with its START, END and REPORT."""

    payload: bytes
    is_error: bool
    log: str


@dataclass(frozen=True)
class _Process:
    child: Child
    api: RuntimeApi

    def end(self) -> None:
        self.child.kill()
        self.api.close()


@dataclass(frozen=True)
class _Ended:
    """The process is gone, or too big and has to go."""

    out_of_memory: bool
    exit_code: int


@dataclass(frozen=True)
class _Overdue:
    """The deadline passed first."""


_Failure = Fault | InitFailed | _Ended | _Overdue
_End = Answered | AnsweredTooMuch | _Failure


class Sandbox:
    """Runs one invocation at a time. `launch` starts the process against a "host:port"."""

    def __init__(self, launch: Callable[[str], Child], *, version: str, limits: Limits) -> None:
        self._launch = launch
        self._version = version
        self._limits = limits
        self._process: _Process | None = None
        self._init_failure: _Failure | None = None
        self._init_log = ""
        self._init_ms: float | None = None
        self._peak = 0
        self._changing = threading.Lock()
        self._stopped = False
        self.last_log = ""

    def start(self) -> None:
        """Initialise. A failure is kept for the first invocation, which has a log to put it in.

        Running over `init_seconds` is no failure yet: as on AWS, the first invocation tries
        again, with the function's own timeout.
        """
        failure = self._initialise(self._limits.init_seconds)
        self._init_failure = None if isinstance(failure, _Overdue) else failure

    def invoke(self, invocation: Invocation) -> Outcome:
        """Run one invocation to its answer, its failure or its timeout.

        Raises SandboxStopped when `stop` came in between.
        """
        request_id = invocation.request_id
        begun = time.monotonic()
        deadline = begun + self._limits.timeout_seconds
        failure, self._init_failure = self._init_failure, None
        if failure is None and not self._is_alive():
            failure = self._initialise(self._limits.timeout_seconds)
        init_log, self._init_log = self._init_log, ""
        init_ms, self._init_ms = self._init_ms, None

        answer = failure or self._run(invocation, deadline)
        verdict = self._verdict(answer, request_id)
        fault = verdict if isinstance(verdict, Fault) else None
        process = self._process
        if process is not None:
            self._peak = max(self._peak, process.child.peak_bytes())
        if process is not None and not isinstance(answer, Answered):
            self._end_process()
        output = process.child.output.drain() if process is not None and failure is None else ""
        if self._stopped:
            raise SandboxStopped(f"the environment was stopped during {request_id}")

        figures = log_lines.Figures(
            duration_ms=(time.monotonic() - begun) * 1000,
            memory_limit_mib=self._limits.memory_mib,
            peak_bytes=self._peak,
            init_ms=init_ms,
        )
        self.last_log = "".join(
            (
                _whole_lines(init_log),
                log_lines.start_line(request_id, self._version),
                _whole_lines(output),
                log_lines.fault_line(request_id, fault, datetime.now(UTC)) if fault else "",
                log_lines.end_line(request_id),
                log_lines.report_line(request_id, figures, fault),
            )
        )
        is_error = not isinstance(verdict, Answered) or verdict.is_error
        return Outcome(verdict.payload, is_error, self.last_log)

    def stop(self) -> None:
        """End the process, also in the middle of an invocation; a second call does nothing."""
        with self._changing:
            self._stopped = True
        self._end_process()

    def _is_alive(self) -> bool:
        return self._process is not None and self._process.child.exit_code() is None

    def _initialise(self, seconds: float) -> _Failure | None:
        """Start a fresh process and wait until it asks for work; None when all is well."""
        self._end_process()
        begun = time.monotonic()
        api = RuntimeApi(self._limits.answer_bytes)
        try:
            child = self._launch(api.address)
        except CannotRun as error:
            api.close()
            return faults.cannot_run(str(error))
        except OSError as error:
            api.close()
            return faults.cannot_run(f"the function's process could not be started: {error}")
        process = _Process(child, api)
        with self._changing:
            stopped = self._stopped
            if not stopped:
                self._process = process
        if stopped:
            process.end()
            raise SandboxStopped("the environment was stopped while it started")

        seen = self._await(process, begun + seconds)
        self._peak = child.peak_bytes()
        failure = seen if isinstance(seen, InitFailed | _Ended | _Overdue) else None
        if failure is not None:
            self._end_process()
        self._init_log += child.output.drain()
        self._init_ms = (time.monotonic() - begun) * 1000
        if self._stopped:
            raise SandboxStopped("the environment was stopped while it started")
        return failure

    def _run(self, invocation: Invocation, deadline: float) -> _End:
        process = self._process
        if process is None:
            raise SandboxStopped(f"the environment was stopped before {invocation.request_id}")
        remaining = deadline - time.monotonic()
        process.api.hand_over(
            Task(
                request_id=invocation.request_id,
                arn=invocation.arn,
                trace_id=invocation.trace_id,
                deadline_ms=int((time.time() + remaining) * 1000),
                payload=invocation.payload,
            )
        )
        while True:
            seen = self._await(process, deadline)
            match seen:
                case Waiting():  # from before this invocation, or right after the last answer
                    continue
                case Answered(request_id=answered) | AnsweredTooMuch(request_id=answered):
                    if answered == invocation.request_id:
                        return seen
                case _:
                    return seen

    def _await(self, process: _Process, deadline: float) -> Event | _Ended | _Overdue:
        """The next thing that happens to a process, until `deadline` (monotonic)."""
        limit = self._limits.memory_mib * log_lines.MIB
        while True:
            left = deadline - time.monotonic()
            code = process.child.exit_code()
            try:
                # Asked for before the exit is believed: what the process said last still counts.
                wait = 0.0 if code is not None else max(0.0, min(LOOK_SECONDS, left))
                return process.api.events.get(block=wait > 0, timeout=wait)
            except queue.Empty:
                pass
            if code is not None:
                return _Ended(out_of_memory=False, exit_code=code)
            if process.child.peak_bytes() > limit:
                return _Ended(out_of_memory=True, exit_code=0)
            if left <= 0:
                return _Overdue()

    def _verdict(self, seen: _End, request_id: str) -> Answered | InitFailed | Fault:
        """What the function itself said, or else the platform's failure."""
        match seen:
            case _Overdue():
                return faults.timed_out(request_id, self._limits.timeout_seconds)
            case _Ended(out_of_memory=True):
                return faults.out_of_memory(request_id)
            case _Ended(exit_code=code):
                return faults.exited(request_id, code)
            case AnsweredTooMuch():
                return faults.response_too_large(self._limits.answer_bytes)
            case _:
                return seen

    def _end_process(self) -> None:
        with self._changing:
            process, self._process = self._process, None
        if process is not None:
            process.end()


def _whole_lines(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
