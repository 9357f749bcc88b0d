"""The lines AWS writes around the output of an invocation."""

import math
from dataclasses import dataclass
from datetime import datetime

from localstack_process_executor.faults import Fault

MIB = 1024 * 1024


@dataclass(frozen=True)
class Figures:
    """What one invocation took: milliseconds, and bytes of resident memory at its highest."""

    duration_ms: float
    memory_limit_mib: int
    peak_bytes: int
    init_ms: float | None = None


def start_line(request_id: str, version: str) -> str:
    return f"START RequestId: {request_id} Version: {version}\n"


def end_line(request_id: str) -> str:
    return f"END RequestId: {request_id}\n"


def fault_line(request_id: str, fault: Fault, now: datetime) -> str:
    """What a platform failure looks like between START and END; `now` in UTC."""
    if fault.status == "timeout":
        what = fault.message.partition("Error: ")[2]
        stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
        return f"{stamp} {request_id} {what}\n\n"
    told = fault.message
    if request_id not in told:
        told = f"RequestId: {request_id} Error: {told}"
    return f"{told}\n{fault.type}\n"


def report_line(request_id: str, figures: Figures, fault: Fault | None = None) -> str:
    parts = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {figures.duration_ms:.2f} ms",
        f"Billed Duration: {math.ceil(figures.duration_ms)} ms",
        f"Memory Size: {figures.memory_limit_mib} MB",
        f"Max Memory Used: {math.ceil(figures.peak_bytes / MIB)} MB",
    ]
    if figures.init_ms is not None:
        parts.append(f"Init Duration: {figures.init_ms:.2f} ms")
    if fault is not None:
        parts.append(f"Status: {fault.status}")
        if fault.status == "error":
            parts.append(f"Error Type: {fault.type}")
    return "\t".join(parts) + "\n"
