"""Rehearses a deployment without an account, from the first to the teardown, on a stand-in.

The real deployment programs run against MiniStack on this machine, with a real push of the real
images: a first deployment with its push interrupted, the deployed images run, a repeat, one changed
image, a rollback, deployments that fail, interruptions after and within every step, and a teardown.
Scaling and the budget are left out, since no stand-in has them.
"""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from compose import manifest
from scripts.aws import local_task
from scripts.aws.deployment import STEPS
from scripts.aws.images import engine
from scripts.aws.programs import Programs, Unexpected
from scripts.aws.rehearsal import CANNOT_SHOW, Rehearsal
from scripts.aws.standin import stand_in
from scripts.command import run, stop_is_interruption
from scripts.running import ROOT
from scripts.steps import Steps

_ENGINE_PATIENCE = 120.0


def rehearse(root: Path, console: Console) -> None:
    """All scenarios, each with a line and its seconds; raises `Unexpected` at the first fault."""
    steps = Steps(console)
    with ExitStack() as begun:
        client = begun.enter_context(engine(patience=_ENGINE_PATIENCE))
        folder = Path(begun.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal-")))
        with steps.step("starting the stand-in") as better_words:
            running = begun.enter_context(stand_in(folder / "stand-in"))
            better_words(f"the stand-in is at {running.endpoint}")
        keep = {image.id for image in manifest.read(root / manifest.FILE).images.values()}
        begun.callback(local_task.forget, client, running.registry, keep=keep)
        programs = Programs.over(running, root, os.environ)
        rehearsal = Rehearsal(running, programs, client, folder)

        def scene[**P](
            about: str, play: Callable[P, None], *given: P.args, **more: P.kwargs
        ) -> None:
            try:
                with steps.step(about):
                    play(*given, **more)
            except (Unexpected, OSError, BotoCoreError, ClientError) as fault:
                raise Unexpected(f"{about}: {fault}") from fault

        scene("a plan, which leaves nothing", rehearsal.only_planned)
        for by in (signal.SIGINT, signal.SIGKILL):
            scene(f"a push is interrupted by {by.name}", rehearsal.push_is_interrupted, by)
        scene("a first deployment", rehearsal.first_deployment)
        with steps.step("the deployed images run, by digest"):
            after = begun.enter_context(rehearsal.deployed_images_run())
        scene("a repeat, which changes nothing", after.nothing_to_do)
        scene("one changed image, which touches one service", after.one_image)
        scene("a rollback", after.rollback)
        scene("a deployment that is refused, and a good one", after.refused)
        scene("one that fails half way, and a good one", after.half_way)
        for step in STEPS:
            scene(f"stopped after {step}, and completed", after.interrupted_after, step)
        for part, by in (("data", signal.SIGINT), ("compute", signal.SIGKILL)):
            scene(f"{by.name} within {part}, and completed", after.interrupted_within, part, by)
        table = after.parity()
        scene("a teardown", after.destroyed)
    console.print(Text(table))
    console.print("What a stand-in cannot show:")
    for what, instead in CANNOT_SHOW.items():
        console.print(Text(f"  {what}: {instead}"), soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make rehearse-aws",
    )
    parser.parse_args()
    stop_is_interruption()

    def action() -> int:
        rehearse(ROOT, Console(highlight=False))
        return 0

    # Without the person's own AWS settings: nothing here may ever reach an account.
    return run(action, interrupted="stopped; nothing of the rehearsal is left")


if __name__ == "__main__":
    sys.exit(main())
