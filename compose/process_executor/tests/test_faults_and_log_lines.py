import json
from datetime import UTC, datetime

import pytest
from localstack_process_executor import faults
from localstack_process_executor.log_lines import (
    MIB,
    Figures,
    end_line,
    fault_line,
    report_line,
    start_line,
)

NOON = datetime(2026, 3, 5, 12, 0, 0, 7_000, tzinfo=UTC)
FIGURES = Figures(duration_ms=12.345, memory_limit_mib=512, peak_bytes=98 * MIB + 1)


@pytest.mark.parametrize(
    ("code", "how"),
    [
        (0, "Runtime exited without providing a reason"),
        (3, "Runtime exited with error: exit status 3"),
        (-9, "Runtime exited with error: signal: killed"),
        (-11, "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_an_exit_is_told_as_aws_tells_it(code: int, how: str) -> None:
    fault = faults.exited("id", code)

    assert json.loads(fault.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: id Error: {how}",
    }


def test_a_timeout_names_the_seconds_allowed() -> None:
    fault = faults.timed_out("id", 1)

    assert fault.type == "Sandbox.Timedout"
    assert fault.message == "RequestId: id Error: Task timed out after 1.00 seconds"


def test_a_report_rounds_up_what_is_billed_and_used() -> None:
    assert report_line("id", FIGURES) == (
        "REPORT RequestId: id\tDuration: 12.35 ms\tBilled Duration: 13 ms\t"
        "Memory Size: 512 MB\tMax Memory Used: 99 MB\n"
    )


def test_a_cold_start_is_in_the_report() -> None:
    cold = Figures(duration_ms=1, memory_limit_mib=128, peak_bytes=MIB, init_ms=80.5)

    assert report_line("id", cold).endswith("Max Memory Used: 1 MB\tInit Duration: 80.50 ms\n")


def test_a_report_of_a_failure_ends_with_its_status() -> None:
    timeout = report_line("id", FIGURES, faults.timed_out("id", 1))
    crash = report_line("id", FIGURES, faults.exited("id", 1))

    assert timeout.endswith("\tStatus: timeout\n")
    assert crash.endswith("\tStatus: error\tError Type: Runtime.ExitError\n")


def test_failures_are_told_between_start_and_end() -> None:
    assert start_line("id", "$LATEST") == "START RequestId: id Version: $LATEST\n"
    assert fault_line("id", faults.timed_out("id", 1), NOON) == (
        "2026-03-05T12:00:00.007Z id Task timed out after 1.00 seconds\n\n"
    )
    assert fault_line("id", faults.exited("id", 1), NOON) == (
        "RequestId: id Error: Runtime exited with error: exit status 1\nRuntime.ExitError\n"
    )
    assert fault_line("id", faults.cannot_run("set X"), NOON) == (
        "RequestId: id Error: set X\nRuntime.CannotRun\n"
    )
    assert end_line("id") == "END RequestId: id\n"
