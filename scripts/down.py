"""Stops the whole stack in order, however it runs. Uploads, runs and champions are kept."""

import argparse
import sys

from rich.console import Console

from compose import embedded
from compose.composed import Composed
from compose.layout import Layout
from compose.processes import of_stack
from scripts.command import run
from scripts.running import ROOT
from scripts.steps import Steps


def bring_down(layout: Layout, steps: Steps) -> None:
    """Stop the supervised programs; a stack that does not run is fine."""
    if not layout.stack.exists():
        steps.say("ChartBuster is not up")
        return
    with (
        embedded.alone(layout, lambda who: steps.say(f"waiting for {who} to finish")),
        steps.step("everything stopped"),
    ):
        was_up = embedded.stop(layout)
    kept = f"uploads, runs and champions are kept in {layout.state}"
    steps.say(f"ChartBuster is down; {kept}" if was_up else f"ChartBuster was not up; {kept}")


def bring_containers_down(stack: Composed, steps: Steps) -> None:
    """Stop and remove the containers, and keep the volume with the state."""
    with steps.step("everything stopped"):
        stack.down()
    steps.say(
        f"ChartBuster is down; uploads, runs and champions are kept in the volume {stack.volume}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make down")
    parser.parse_args()

    def down() -> int:
        layout, containers = Layout(ROOT), Composed.of(ROOT)
        steps = Steps(Console(highlight=False))
        in_containers = containers.is_there()
        if in_containers:
            bring_containers_down(containers, steps)
        if not in_containers or of_stack(layout.stack):
            bring_down(layout, steps)
        return 0

    return run(down, interrupted="stopped waiting; `make down` again finishes what is left")


if __name__ == "__main__":
    sys.exit(main())
