"""Deploys what `make build` made to the account, unchanged: shows what would change, and asks.

Stopped anywhere and run again, it goes on from what is there; a repeat changes nothing.
"""

import argparse
import os
import sys
from collections.abc import Callable

from rich.console import Console

from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from infra import stacks
from scripts.aws import images, preflight
from scripts.aws.account import Account
from scripts.aws.command import run_aws, take_settings
from scripts.aws.confirming import check_can_ask, confirmed
from scripts.aws.deployment import STEPS, Deployment, EcrImages, Pace, Run, Site, State
from scripts.aws.planning import Preview, checked, preview, said
from scripts.aws.smoke import Smoke
from scripts.champions import the_run
from scripts.command import stop_is_interruption
from scripts.running import ROOT, running_stack
from scripts.steps import Steps


def local_artifacts(account: Account) -> ObjectStore:
    """The artifacts of the stack that runs on this machine; raises `NotFound` when none is up."""
    running = running_stack()
    account.reachable(running.outputs["Endpoint"])
    return running.artifacts


def named_run(prefix: str, site: Site, source: Callable[[], ObjectStore]) -> Run:
    """The run whose id begins with `prefix`, in the account already or on this machine.

    Raises `NotFound` when there is none, `Misconfigured` when there are several.
    """
    found = stacks.outputs(site.client, site.account.stack("data"))
    if "ArtifactsBucket" in found:
        there = Registry(site.store(found["ArtifactsBucket"])).runs()
        if any(run_id.startswith(prefix) for run_id in there):
            return Run(the_run(prefix, there), source)
    return Run(the_run(prefix, Registry(source()).runs()), source)


def next_steps(deployment: Deployment, state: State) -> list[str]:
    """What to say at the end: the address, and what can be done now."""
    stage = deployment.site.account.stage
    lines = [
        f"the app is at {state.outputs['WebUrl']}",
        f"make verify-aws STAGE={stage} proves that it is what was built",
        f"make status-aws STAGE={stage} shows how it is",
    ]
    if deployment.run is None:
        lines.append(
            "its Pipeline page takes songs to learn from; RUN=id carries a run of the local stack "
            "along"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make deploy-aws SET='AllowedCidr=203.0.113.7/32' RUN=3f9a",
    )
    take_settings(parser)
    parser.add_argument("--run", default="", help="a local run to carry along: its id's beginning")
    parser.add_argument("--until", choices=STEPS, default=STEPS[-1], help="stop after this step")
    options = parser.parse_args()
    steps = Steps(Console(highlight=False))

    def action(account: Account) -> int:
        check_can_ask(os.environ, terminal=sys.stdin.isatty(), command="make deploy-aws")
        wanted, given = checked(account, options.set, scaling=not options.without_scaling)
        if options.check:
            return 0
        site = Site(account, steps, Pace.of(account), Smoke())
        built = preflight.built(ROOT, wanted)
        to_ecr = EcrImages(account, built.manifest, os.environ)
        run = (
            named_run(options.run, site, lambda: local_artifacts(account)) if options.run else None
        )
        with steps.step("looking at what would change"):
            found = preview(account, built, given, to_ecr, pause=site.pace.pause)
        if any(push.needed for push in found.pushes):
            images.preflight(built.manifest, zip_path=built.zip_path)
        for line in said(found, account):
            steps.say(line)
        if not agreed(found, account, steps, run):
            return 1
        web_url = os.environ.get("WEB_URL", "")
        deployment = Deployment(
            site, built, given, to_ecr, run=run, web_url=web_url, begins=found.changes
        )
        state = deployment.until(options.until)
        if options.until != STEPS[-1]:
            steps.say(f"stopped after {options.until}, as asked; `make deploy-aws` goes on from it")
            return 0
        if not state.changed:
            steps.say("nothing was changed: what is built is what is deployed")
        for line in next_steps(deployment, state):
            steps.say(line)
        return 0

    stop_is_interruption()
    return run_aws(
        action,
        interrupted=(
            "stopped; what AWS has begun goes on over there, and `make deploy-aws` goes on from "
            "what is there"
        ),
    )


def agreed(found: Preview, account: Account, steps: Steps, run: Run | None) -> bool:
    """Whether to go on: there is nothing to change, or the person wants it."""
    if run is not None:
        steps.say(f"run {run.run_id[:12]}: carried along, unless it is there")
    if not found.changes and run is None:
        steps.say("nothing would change")
        return True
    if confirmed(account.stage, os.environ, doing="deploy this"):
        return True
    steps.say("nothing was changed")
    return False


if __name__ == "__main__":
    sys.exit(main())
