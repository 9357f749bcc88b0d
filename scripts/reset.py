"""Stops the stack and forgets all uploads, runs and champions, in both modes. Asks first."""

import argparse
import sys

from rich.console import Console

from chartbuster.errors import Misconfigured
from compose import embedded
from compose.composed import Composed
from compose.layout import Layout
from scripts.command import run
from scripts.running import ROOT
from scripts.steps import Steps


def confirmed(what: str) -> bool:
    """Whether the person typed yes; raises `Misconfigured` where nobody can be asked."""
    if not sys.stdin.isatty():
        raise Misconfigured(
            "this forgets all uploads, runs and champions, and there is no terminal to ask on; "
            "say that it is meant: make reset YES=1"
        )
    print(f"This stops the stack and removes {what}: all uploads, runs and champions.")
    return input("Type yes to go on: ").strip().lower() == "yes"


def kept(layout: Layout, containers: Composed) -> list[str]:
    """Where there is anything to forget, in words."""
    return [
        *([str(layout.stack)] if layout.stack.exists() else []),
        *([f"the volume {containers.volume}"] if containers.remembers() else []),
        *(["the containers"] if containers.is_there() else []),
    ]


def forget_containers(containers: Composed, steps: Steps) -> None:
    """Remove the containers and their volume; nothing there is fine."""
    if containers.is_there() or containers.remembers():
        with steps.step("containers and their volume removed"):
            containers.forget()


def forget(layout: Layout, steps: Steps) -> None:
    """Stop the supervised programs and remove .stack; nothing there is fine."""
    if not layout.stack.exists():
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
        layout, containers = Layout(ROOT), Composed.of(ROOT)
        there = kept(layout, containers)
        if not there:
            print("there is nothing to forget")
            return 0
        if not (options.yes or confirmed(" and ".join(there))):
            print("nothing was removed")
            return 1
        steps = Steps(Console(highlight=False))
        forget_containers(containers, steps)
        forget(layout, steps)
        return 0

    return run(reset)


if __name__ == "__main__":
    sys.exit(main())
