"""How an invocation goes wrong when the function itself can no longer say so."""

import json
import signal
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A failure the platform reports; `status` is the word the REPORT line shows."""

    type: str
    message: str
    status: str = "error"

    @property
    def payload(self) -> bytes:
        """The error as the caller of the function gets it, in AWS's shape."""
        return json.dumps({"errorType": self.type, "errorMessage": self.message}).encode()


def timed_out(request_id: str, seconds: float) -> Fault:
    said = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return Fault("Sandbox.Timedout", said, status="timeout")


def out_of_memory(request_id: str) -> Fault:
    said = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    return Fault("Runtime.OutOfMemory", said)


def exited(request_id: str, code: int) -> Fault:
    """`code` as subprocess gives it: the exit status, or minus the number of a signal."""
    if code == 0:
        how = "Runtime exited without providing a reason"
    elif code > 0:
        how = f"Runtime exited with error: exit status {code}"
    else:
        name = signal.strsignal(-code) or f"signal {-code}"
        how = f"Runtime exited with error: signal: {name.lower()}"
    return Fault("Runtime.ExitError", f"RequestId: {request_id} Error: {how}")


def response_too_large(limit: int) -> Fault:
    """`limit` in bytes."""
    said = f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
    return Fault("Function.ResponseSizeTooLarge", said)


def cannot_run(reason: str) -> Fault:
    """This machine lacks the interpreter or the runtime folder; `reason` says what to set."""
    return Fault("Runtime.CannotRun", reason)
