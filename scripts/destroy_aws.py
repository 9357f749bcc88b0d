"""Deletes a stage from the account: shows what there is, asks for its name, then removes it all.

Uploads, runs and champions go with their buckets. Stopped anywhere, run it again: it goes on.
"""

import argparse
import sys

from rich.console import Console
from rich.filesize import decimal
from rich.text import Text

from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.teardown import Holdings, confirmed, destroy, holdings
from scripts.command import stop_is_interruption
from scripts.steps import Steps


def told(found: Holdings) -> list[str]:
    """What there is, in words, one line each."""
    return [
        *(f"stack       {each.name} ({each.status})" for each in found.stacks),
        *(
            f"bucket      {each.name}: {each.objects:,} objects, {each.versions:,} versions, "
            f"{decimal(each.size)}"
            for each in found.buckets
        ),
        *(f"repository  {each.name}: {each.images} images" for each in found.repositories),
        *(f"log group   {each}" for each in found.log_groups),
        *(f"not asked   {each}" for each in found.not_asked),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make destroy-aws STAGE=trial\n"
        "         make destroy-aws STAGE=trial CONFIRM=chartbuster-trial   (asks nothing)",
    )
    parser.add_argument(
        "--confirm", default="", metavar="NAME", help="chartbuster-<stage>, to be asked nothing"
    )
    options = parser.parse_args()
    stop_is_interruption()
    console = Console(highlight=False)

    def say(lines: list[str]) -> None:
        for line in lines:
            console.print(Text(f"  {line}"), soft_wrap=True)

    def action(account: Account) -> int:
        name = f"chartbuster-{account.stage}"
        steps = Steps(console)
        with steps.step(f"looking for {name} in account {account.id}, {account.region}"):
            found = holdings(account)
        if found.nothing:
            print(f"there is nothing of {name} in account {account.id}, {account.region}")
            say(told(found))
            return 0
        say(told(found))
        ask = input if sys.stdin.isatty() else None
        if not confirmed(name, options.confirm, ask):
            print("nothing was deleted")
            return 1
        destroy(account, steps)
        with steps.step("looking for what is left"):
            left = holdings(account)
        if left.nothing:
            print(f"nothing of {name} is left in account {account.id}, {account.region}")
            say(told(left))
            return 0
        print(f"left of {name}, made while it was taken down:")
        say(told(left))
        print("run it again to delete that too")
        return 1

    return run_aws(
        action, interrupted="stopped; what is deleted is deleted, and running it again goes on"
    )


if __name__ == "__main__":
    sys.exit(main())
