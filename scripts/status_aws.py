"""Says how a deployed stage is, and where the app is. Exits with 0 only when all is well."""

import argparse
import dataclasses
import json
import os
import sys

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.smoke import ask
from scripts.aws.state import State, faults, look


def as_json(account: Account, state: State) -> str:
    """Everything, for programs; `well` says whether all is well."""
    return json.dumps(
        {
            "well": not faults(state),
            "faults": faults(state),
            "account": account.id,
            "region": account.region,
            "stage": account.stage,
            **dataclasses.asdict(state),
        },
        indent=2,
    )


def show(account: Account, state: State, console: Console) -> None:
    """Everything, for people."""
    console.print(Text(f"chartbuster-{account.stage} in account {account.id}, {account.region}"))
    if state.stacks:
        table = _table("stack", "status")
        for part, status in state.stacks.items():
            style = "green" if status.endswith("_COMPLETE") and "ROLLBACK" not in status else "red"
            table.add_row(part, Text(status, style=style))
        console.print(table)
    if state.services:
        table = _table("service", ">desired", ">running", ">pending", "deployment", "image")
        for each in state.services:
            rollout = each.rollout.lower().replace("_", " ")
            table.add_row(
                each.name,
                *(str(count) for count in (each.desired, each.running, each.pending)),
                Text(rollout, style="green" if each.settled else "red"),
                each.wanted[:19],
            )
        console.print(table)
    if state.queues:
        table = _table("queue", ">waiting", ">in hand")
        for name, depth in state.queues.items():
            table.add_row(name, str(depth.waiting), str(depth.in_hand))
        console.print(table)
    if state.champions:
        table = _table("dataset", "champion", "run", "since (UTC)", "")
        for served in state.champions:
            since = served.since[:16].replace("T", " ")
            first = "shown first" if served.active else ""
            table.add_row(served.dataset, served.model, served.run_id, since, first)
        console.print(table)
    if state.address:
        asked = "" if state.app else " (not asked: a stand-in runs no app)"
        console.print(Text(f"the app: {state.address}{asked}"), soft_wrap=True)
    if state.stacks and "scaling" not in state.stacks and state.without_scaling:
        console.print(Text("scaling: a stand-in does without"))
    found = faults(state)
    for fault in found:
        console.print(Text(f"not well: {fault}", style="red"), soft_wrap=True)
    if not found:
        console.print(Text("all is well", style="green"))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if right else "left")
    return table


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make status-aws STAGE=dev FORMAT=json",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args()

    def action(account: Account) -> int:
        state = look(account, address=os.environ.get("WEB_URL", ""), ask=ask)
        if options.format == "json":
            print(as_json(account, state))
        else:
            show(account, state, Console(highlight=False))
        return 1 if faults(state) else 0

    return run_aws(action, interrupted="stopped; nothing was changed")


if __name__ == "__main__":
    sys.exit(main())
