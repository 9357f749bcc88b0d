"""Shows the logs of the stack's components; the Lambda's come from CloudWatch Logs."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from chartbuster.errors import NotFound, Unreachable
from compose.composed import Composed
from compose.layout import Layout
from scripts.command import run
from scripts.running import ROOT, running_stack

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

ON_DISK = ("localstack", "keeper", "trainer", "webapp", "guard", "supervisor")
IN_CONTAINERS = ("localstack", "deploy", "keeper", "trainer", "webapp")
LAMBDA = "lambda"


def tail(files: list[Path], *, lines: int, follow: bool) -> int:
    """Show the last `lines` of each file; with `follow`, go on, also over a rotation."""
    command = ["tail", f"--lines={lines}"]
    if follow:
        command.append("--follow=name")
        command.append("--retry")
    # It writes to our own output, after what we have printed.
    sys.stdout.flush()
    done = subprocess.run([*command, "--", *map(str, files)], check=False)
    return done.returncode


def show_containers(stack: Composed, service: str | None, *, lines: int, follow: bool) -> int:
    """Show the last `lines` of each container; with `follow`, go on."""
    if service is not None and service not in IN_CONTAINERS:
        raise NotFound(
            f"no container {service!r}; expected one of {', '.join((*IN_CONTAINERS, LAMBDA))}"
        )
    command = stack.command(
        *("logs", "--tail", str(lines)),
        *(["--follow"] if follow else []),
        *([service] if service else []),
    )
    sys.stdout.flush()
    return subprocess.run(
        ["docker", *command], env=stack.environment, cwd=stack.root, check=False
    ).returncode


def lambda_lines(
    logs: "CloudWatchLogsClient", group: str, *, since: int
) -> Iterator[tuple[int, str]]:
    """The Lambda's log lines from `since` (ms) on, each with its time; raises `Unreachable`."""
    try:
        pages = logs.get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group, startTime=since):
            for event in page["events"]:
                yield event["timestamp"], event["message"].rstrip("\n")
    except logs.exceptions.ResourceNotFoundException:
        return  # it has not run yet
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"could not read the log group {group}: {error}") from error


def show_lambda(logs: "CloudWatchLogsClient", group: str, *, lines: int, follow: bool) -> int:
    """Show the Lambda's last `lines`; with `follow`, ask again every second."""
    found = list(lambda_lines(logs, group, since=0))
    for _at, line in found[-lines:] if lines else ():
        print(line)
    shown = {at: sum(1 for other, _ in found if other == at) for at, _ in found[-1:]}
    while follow:
        sys.stdout.flush()
        time.sleep(1)
        last = max(shown, default=0)
        new = list(lambda_lines(logs, group, since=last))[shown.get(last, 0) :]
        for at, line in new:
            print(line)
            shown = {at: shown.get(at, 0) + 1}
    return 0


def files_of(layout: Layout, service: str | None) -> list[Path]:
    """The log files that are there; raises `NotFound` when none is."""
    names = ON_DISK if service is None else (service,)
    files = [layout.logs / f"{name}.log" for name in names]
    there = [file for file in files if file.exists()]
    if not there:
        raise NotFound(f"no log of {service or 'any component'} in {layout.logs}; `make up` first")
    return there


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: make logs SERVICE=trainer FOLLOW=1"
    )
    parser.add_argument(
        "--service", choices=(*ON_DISK, "deploy", LAMBDA), help="one component only"
    )
    parser.add_argument("--follow", "-f", action="store_true", help="go on until interrupted")
    parser.add_argument("--lines", type=int, default=20, help="how many (default: 20 of each)")
    options = parser.parse_args()
    if options.lines < 0:
        parser.error(f"--lines {options.lines} is negative; expected 0 or more")

    def logs() -> int:
        if options.service == LAMBDA:
            stack = running_stack()
            # LocalStack does not write to the log group the template names, as AWS does.
            group = f"/aws/lambda/{stack.outputs['FunctionName']}"
            return show_lambda(stack.logs, group, lines=options.lines, follow=options.follow)
        containers = Composed.of(ROOT)
        if containers.is_there():
            return show_containers(
                containers, options.service, lines=options.lines, follow=options.follow
            )
        files = files_of(Layout(ROOT), options.service)
        return tail(files, lines=options.lines, follow=options.follow)

    return run(logs, interrupted="")


if __name__ == "__main__":
    sys.exit(main())
