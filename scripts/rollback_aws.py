"""Returns the account to the deployment before the current one: same images, zip and templates.

While a deployment has not come through, the last that did is the one to return to. A repeat goes
one more back; TO=record goes to any.
"""

import argparse
import os
import sys

from rich.console import Console

from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.confirming import check_can_ask, confirmed
from scripts.aws.deployment import Pace, Rollback, Site
from scripts.aws.planning import parts_said
from scripts.aws.records import listed, wanted_record
from scripts.aws.smoke import Smoke
from scripts.command import stop_is_interruption
from scripts.steps import Steps


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make rollback-aws STAGE=dev TO=20261129T1955",
    )
    parser.add_argument(
        "--to", default="", metavar="RECORD", help="a record: its name's beginning, or its digits'"
    )
    options = parser.parse_args()
    steps = Steps(Console(highlight=False))

    def action(account: Account) -> int:
        check_can_ask(os.environ, terminal=sys.stdin.isatty(), command="make rollback-aws")
        site = Site(account, steps, Pace.of(account), Smoke())
        records = site.records()
        found, unfinished = records.all(), records.unfinished()
        for line in listed(found, unfinished):
            steps.say(line)
        name = wanted_record(found, to=options.to, unfinished=unfinished)
        rollback = Rollback(site, name, found[name], os.environ.get("WEB_URL", ""))
        with steps.step("looking at what would change"):
            parts = rollback.preview()
        steps.say(f"back to {name}")
        for line in parts_said(parts, account):
            steps.say(line)
        if not confirmed(account.stage, os.environ, doing="go back to that"):
            steps.say("nothing was changed")
            return 1
        state = rollback.carry_out()
        if not state.changed:
            steps.say("nothing was changed: that is what is deployed")
        steps.say(f"the app is at {state.outputs['WebUrl']}")
        return 0

    stop_is_interruption()
    return run_aws(
        action,
        interrupted=(
            "stopped; what AWS has begun goes on over there, and `make rollback-aws` goes on from "
            "what is there"
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
