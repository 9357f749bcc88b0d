"""Says how a deployed stage is, and where the app is. Exits with 0 only when all is well."""

import argparse
import dataclasses
import json
import os
import sys

from rich.console import Console
from rich.text import Text

from scripts import tables
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
        table = tables.plain("stack", "status")
        for part, status in state.stacks.items():
            style = "green" if status.endswith("_COMPLETE") and "ROLLBACK" not in status else "red"
            table.add_row(part, Text(status, style=style))
        console.print(table)
    if state.services:
        table = tables.plain("service", ">desired", ">running", ">pending", "deployment", "image")
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
        console.print(tables.of_queues(state.queues))
    if state.champions:
        console.print(tables.of_champions(state.champions))
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
