"""Announces again what a deployed stage never finished; a repeat finds less to do."""

import argparse
import sys

from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.stage import buckets_of, outputs_of, stacks_of
from scripts.reconcile import reconcile


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make reconcile-aws STAGE=dev DRY_RUN=1",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and change nothing")
    options = parser.parse_args()

    def action(account: Account) -> int:
        buckets = buckets_of(account, outputs_of(stacks_of(account)))
        return reconcile(buckets, dry_run=options.dry_run)

    return run_aws(action, interrupted="stopped; run it again for the rest")


if __name__ == "__main__":
    sys.exit(main())
