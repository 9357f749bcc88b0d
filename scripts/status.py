"""Says how every part of the stack is. Exits with 0 only when all is well."""

import argparse
import contextlib
import dataclasses
import functools
import json
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from chartbuster.errors import ChartBusterError, Unreachable
from chartbuster.ports import Depth
from compose.composed import Composed
from compose.engine import EngineFailed
from compose.layout import Layout
from compose.status import (
    NOT_UP,
    Status,
    look,
    look_at_containers,
    look_at_embedded,
)
from scripts import tables
from scripts.command import run
from scripts.running import ROOT, Running, running_stack


def status_of(layout: Layout) -> Status:
    """The status, with as much of buckets and queues as can be asked."""
    found = look_at_embedded(layout)
    if found is None:
        with contextlib.suppress(EngineFailed):
            found = look_at_containers(Composed.of(layout.root))
    if found is None:
        return NOT_UP
    try:
        stack = running_stack(layout.root)
    except ChartBusterError:
        return look(found, {}, {})
    stores = {"raw": stack.raw, "ready": stack.ready, "artifacts": stack.artifacts}
    return look(found, stores, queues_of(stack))


def queues_of(stack: Running) -> dict[str, Callable[[], Depth]]:
    """How deep each queue is, to be asked when needed."""
    client = stack.sqs

    def depth(output: str) -> Depth:
        try:
            counts = client.get_queue_attributes(
                QueueUrl=stack.outputs[output],
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(f"could not ask queue {stack.outputs[output]}: {error}") from error
        return Depth(
            waiting=int(counts["ApproximateNumberOfMessages"]),
            in_hand=int(counts["ApproximateNumberOfMessagesNotVisible"]),
        )

    names = {
        "train": "QueueUrl",
        "train dead letters": "TrainDeadLetterQueueUrl",
        "create_data dead letters": "LambdaDeadLetterQueueUrl",
    }
    return {name: functools.partial(depth, output) for name, output in names.items()}


def as_json(status: Status) -> str:
    """Everything, for programs; `well` says whether all is well."""
    return json.dumps({"well": status.well, **dataclasses.asdict(status)}, indent=2)


def show(status: Status, console: Console) -> None:
    """Everything, for people."""
    if status.components:
        table = tables.plain("component", "state", ">pid", ">up", ">memory")
        for each in status.components:
            style = "green" if each.state in {"RUNNING", "HEALTHY"} else "red"
            memory = f"{each.memory / 1e6:.0f} MB" if each.memory else ""
            up = _span(each.uptime) if each.pid else ""
            state = Text(each.state.lower(), style=style)
            table.add_row(each.name, state, str(each.pid or ""), up, memory)
        total = sum(each.memory for each in status.components)
        table.add_row("together", "", "", "", f"{total / 1e6:.0f} MB", style="dim")
        console.print(table)
    if status.objects:
        table = tables.plain("bucket", ">objects")
        for name, count in status.objects.items():
            table.add_row(name, str(count))
        console.print(table)
    if status.queues:
        console.print(tables.of_queues(status.queues))
    if status.champions:
        console.print(tables.of_champions(status.champions))
    for name, address in status.addresses.items():
        console.print(Text(f"{name}: {address}"))
    for fault in status.faults:
        console.print(Text(f"not well: {fault}", style="red"), soft_wrap=True)
    if status.well:
        console.print(Text("all is well", style="green"))


def _span(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make status FORMAT=json")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args()

    def status() -> int:
        found = status_of(Layout(ROOT))
        if options.format == "json":
            print(as_json(found))
        else:
            show(found, Console(highlight=False))
        return 0 if found.well else 1

    return run(status)


if __name__ == "__main__":
    sys.exit(main())
