"""Stops the whole stack in order. Uploads, runs and champions are kept in .stack/state."""

import argparse
import sys

from rich.console import Console

from compose import embedded
from compose.layout import Layout
from scripts.command import run
from scripts.running import ROOT
from scripts.steps import Steps


def bring_down(layout: Layout, steps: Steps) -> None:
    """Stop everything; a stack that does not run is fine."""
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make down")
    parser.parse_args()

    def down() -> int:
        embedded.check_platform()
        bring_down(Layout(ROOT), Steps(Console(highlight=False)))
        return 0

    return run(down, interrupted="stopped waiting; `make down` again finishes what is left")


if __name__ == "__main__":
    sys.exit(main())
