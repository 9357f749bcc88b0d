"""Shows what `make deploy-aws` would change in the account, and what that costs; then stops.

CloudFormation itself is asked, with change sets that are removed again: nothing that costs, or
remains, is left.
"""

import argparse
import os
import sys

from scripts.aws import preflight
from scripts.aws.account import Account
from scripts.aws.command import run_aws, take_settings
from scripts.aws.deployment import EcrImages, Pace
from scripts.aws.planning import checked, preview, said
from scripts.command import stop_is_interruption
from scripts.running import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make plan-aws STAGE=dev SET='AllowedCidr=203.0.113.7/32'",
    )
    take_settings(parser)
    options = parser.parse_args()

    def action(account: Account) -> int:
        wanted, given = checked(account, options.set, scaling=not options.without_scaling)
        if options.check:
            return 0
        built = preflight.built(ROOT, wanted)
        images = EcrImages(account, built.manifest, os.environ)
        found = preview(account, built, given, images, pause=Pace.of(account).pause)
        print("\n".join(said(found, account)))
        print("this was a plan: nothing was changed, and nothing of it is left")
        return 0

    stop_is_interruption()
    return run_aws(action, interrupted="stopped; nothing was changed, and nothing is left")


if __name__ == "__main__":
    sys.exit(main())
