"""Shows what deploying infra/data.yaml would change in the running stack; changes nothing.

The local stack is made anew at every start, so this is for reading a change of the template before
it is run, and for trying what a deployment to AWS would be told.
"""

import argparse
import os
import sys

import boto3

from compose.environment import local_aws
from compose.layout import STAGE, Layout
from infra.data import plan_data
from infra.stacks import Change, discard
from scripts.command import run
from scripts.running import ROOT, running_stack


def spelt(changes: tuple[Change, ...]) -> list[str]:
    """One line per change, in words."""
    return [
        f"{change.action:<7} {change.name} ({change.type})"
        + (", made anew" if change.replaced else ", perhaps made anew" if change.perhaps else "")
        for change in changes
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make plan",
    )
    parser.parse_args()

    def plan() -> int:
        os.environ.update(local_aws(running_stack().outputs["Endpoint"]))
        session = boto3.Session()
        wanted = plan_data(session, stage=STAGE, zip_path=Layout(ROOT).lambda_zip)
        discard(session.client("cloudformation"), wanted)
        print("\n".join(spelt(wanted.changes)) or "nothing would change")
        return 0

    return run(plan)


if __name__ == "__main__":
    sys.exit(main())
