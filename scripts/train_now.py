"""Starts a trainer at once, in a deployed stage, so that nobody waits up to 15 minutes for one.

With a dataset, that is announced again first, as a new upload of it would.
"""

import argparse
import sys

from rich.console import Console

from chartbuster.aws import SqsPostbox
from chartbuster.errors import NotFound
from compose.announcing import announce, of_dataset
from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.stage import buckets_of, outputs_of, stacks_of
from scripts.aws.state import services_of
from scripts.aws.training import Trainers, await_running, returning
from scripts.steps import Steps


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make train-now STAGE=dev DATASET=demo",
    )
    parser.add_argument("--dataset", default="", help="announce this dataset again, too")
    options = parser.parse_args()

    def action(account: Account) -> int:
        steps = Steps(Console(highlight=False))
        stacks = stacks_of(account)
        outputs = outputs_of(stacks)
        services = services_of(outputs)
        if "trainer" not in services:
            raise NotFound(
                f"{account.stack('compute')} is not deployed in account {account.id}, "
                f"{account.region}; `make deploy-aws STAGE={account.stage}` deploys it"
            )
        cluster, service = services["trainer"]
        trainers = Trainers(account.session.client("ecs"), cluster, service)
        before = trainers.seen()
        if options.dataset:
            buckets = buckets_of(account, outputs)
            with steps.step(f"announcing dataset {options.dataset}"):
                announce(buckets, of_dataset(buckets.ready, options.dataset))
        if before.desired == 0:
            with steps.step("asking for a trainer"):
                trainers.start_one()
        with steps.step("waiting until a trainer runs") as done:
            running = await_running(
                trainers.seen, before=before, progress=lambda line: steps.say(f"    {line}")
            )
            done(f"{running} of the trainer's tasks run")
        depth = SqsPostbox(account.session.client("sqs"), outputs["QueueUrl"]).depth()
        print(
            returning(
                scaling=any(stack.part == "scaling" for stack in stacks),
                waiting=depth.waiting + depth.in_hand,
                cluster=cluster,
                service=service,
            )
        )
        return 0

    return run_aws(action, interrupted="stopped waiting; what was asked for happens all the same")


if __name__ == "__main__":
    sys.exit(main())
