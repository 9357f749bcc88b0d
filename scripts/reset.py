"""Stops the stack and forgets all uploads, runs and champions: removes .stack. Asks first."""

import argparse
import sys

from rich.console import Console

from chartbuster.errors import Misconfigured
from compose import embedded
from compose.layout import Layout
from scripts.command import run
from scripts.running import ROOT
from scripts.steps import Steps


def confirmed(layout: Layout) -> bool:
    """Whether the person typed yes; raises `Misconfigured` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise Misconfigured(
            "this forgets all uploads, runs and champions, and there is no terminal to ask on; "
            "say that it is meant: make reset YES=1"
        )
    print(f"This stops the stack and removes {layout.stack}: all uploads, runs and champions.")
    return input("Type yes to go on: ").strip().lower() == "yes"


def forget(layout: Layout, steps: Steps) -> None:
    """Stop everything and remove the state; nothing there is fine."""
    if not layout.stack.exists():
        steps.say("there is nothing to forget")
        return
    with embedded.alone(layout, lambda who: steps.say(f"waiting for {who} to finish")):
        with steps.step("everything stopped"):
            embedded.stop(layout)
        with steps.step("state removed"):
            embedded.forget(layout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make reset YES=1")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args()

    def reset() -> int:
        embedded.check_platform()
        layout = Layout(ROOT)
        if not (options.yes or confirmed(layout)):
            print("nothing was removed")
            return 1
        forget(layout, Steps(Console(highlight=False)))
        return 0

    return run(reset)


if __name__ == "__main__":
    sys.exit(main())
