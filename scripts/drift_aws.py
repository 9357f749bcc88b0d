"""Finds what was changed by hand in a deployed stage. Exits with 1 when anything was.

CloudFormation compares what there is with the templates as they were deployed; nothing is changed.
"""

import argparse
import sys

from rich.console import Console

from chartbuster.errors import NotFound
from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.drift import drift_of, told
from scripts.aws.stage import stacks_of
from scripts.steps import Steps


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make drift-aws STAGE=dev",
    )
    parser.parse_args()

    def action(account: Account) -> int:
        steps, drifted = Steps(Console(highlight=False)), 0
        stacks = stacks_of(account)
        if not stacks:
            raise NotFound(
                f"chartbuster-{account.stage} is not deployed in account {account.id}, "
                f"{account.region}; `make deploy-aws STAGE={account.stage}` deploys it"
            )
        for stack in stacks:
            with steps.step(f"comparing {stack.name} with its template") as done:
                found = drift_of(account, stack.name)
                done(f"{stack.name}: {found.compared} of {found.resources} resources compared")
            for line in told(found):
                steps.say(f"    {line}")
            drifted += len(found.changed)
        if not drifted:
            print("nothing was changed by hand, as far as CloudFormation compares")
            return 0
        print(
            f"{drifted} resources were changed by hand; change them back, or change the template "
            f"and `make deploy-aws STAGE={account.stage}`"
        )
        return 1

    return run_aws(action, interrupted="stopped; nothing was changed")


if __name__ == "__main__":
    sys.exit(main())
