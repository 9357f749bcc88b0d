"""Announces again what was uploaded or prepared but never finished; a repeat finds less to do."""

import argparse
import sys

from compose.announcing import Announcement, Buckets, announce, plan
from scripts.command import run
from scripts.running import running_stack


def described(announcement: Announcement) -> str:
    """One line of the plan."""
    return f"{announcement.bucket}/{announcement.key}: {announcement.why}"


def reconcile(buckets: Buckets, *, dry_run: bool) -> int:
    """Print the plan and, unless `dry_run`, carry it out; returns the exit code."""
    announcements = plan(buckets)
    if not announcements:
        print("nothing to announce: every upload has its outcome, every dataset its run")
    for announcement in announcements:
        if dry_run:
            print(f"would announce {described(announcement)}")
        elif announce(buckets, announcement):
            print(f"announced {described(announcement)}")
        else:
            print(f"changed meanwhile, so it announced itself: {described(announcement)}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: make reconcile DRY_RUN=1"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and change nothing")
    options = parser.parse_args()

    def action() -> int:
        stack = running_stack()
        buckets = Buckets(stack.raw, stack.ready, stack.artifacts)
        return reconcile(buckets, dry_run=options.dry_run)

    return run(action)


if __name__ == "__main__":
    sys.exit(main())
