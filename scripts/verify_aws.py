"""Shows that what is deployed on AWS is what was built here, artifact by artifact, by digest.

It reads everything from the account: the Lambda's code, the images in ECR, in the task definitions
and in the running tasks, the templates, and the run that was carried along with all its files. It
ends with 0 only when nothing is different or missing.
"""

import argparse
import sys
from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chartbuster.ports import ObjectStore
from compose import manifest
from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.verification import (
    Row,
    Verdict,
    as_json,
    built,
    compare,
    deployed,
    recorded_run,
    run_manifest,
)
from scripts.running import ROOT, running_stack
from scripts.steps import Steps

_SHOWN_DIGITS = 12
_STYLES = {Verdict.SAME: "green", Verdict.DIFFERENT: "bold red", Verdict.MISSING: "bold red"}


def table(rows: Iterable[Row]) -> Table:
    """The comparison as people read it, each digest by its first 12 digits."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("artifact", "local", "deployed", "verdict"):
        shown.add_column(title, no_wrap=True)
    for row in rows:
        shown.add_row(
            Text(row.artifact),
            Text(short(row.local)),
            Text(short(row.deployed)),
            Text(row.verdict, style=_STYLES.get(row.verdict, "yellow")),
        )
    return shown


def short(digests: str) -> str:
    """The first 12 digits of each; a dash where there is none."""
    each = (part.removeprefix("sha256:")[:_SHOWN_DIGITS] for part in digests.split(", "))
    return ", ".join(each) or "-"


def conclusion(rows: Iterable[Row]) -> str:
    """What it all comes to, in a sentence."""
    listed = list(rows)
    if bad := [row for row in listed if not row.is_good]:
        return f"{len(bad)} of {len(listed)} are not what was built; `make deploy-aws` deploys it"
    same = sum(row.verdict is Verdict.SAME for row in listed)
    rest = "" if same == len(listed) else f"; {len(listed) - same} have nothing to compare"
    return f"{same} of {len(listed)} are what was built{rest}"


def verified(account: Account, *, run: str, steps: Steps) -> tuple[Row, ...]:
    """The whole comparison of this checkout's build with the stage's deployment."""

    def artifacts() -> ObjectStore:
        return running_stack().artifacts

    made = manifest.read(ROOT / manifest.FILE)
    with steps.step(f"reading what is deployed as {account.stage}"):
        run = run or recorded_run(account)
        local = built(made, run=run, run_manifest=run_manifest(artifacts, run) if run else "")
        return compare(local, deployed(account, local))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make verify-aws STAGE=dev",
    )
    parser.add_argument(
        "--run", default="", help="the run that was carried along (default: as recorded)"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args()

    def verify(account: Account) -> int:
        rows = verified(account, run=options.run, steps=Steps(Console(stderr=True)))
        if options.format == "json":
            print(as_json(account, rows))
        else:
            console = Console(highlight=False)
            console.print(table(rows))
            console.print(Text(conclusion(rows)), soft_wrap=True)
        return 0 if all(row.is_good for row in rows) else 1

    return run_aws(verify, interrupted="stopped; nothing was changed")


if __name__ == "__main__":
    sys.exit(main())
