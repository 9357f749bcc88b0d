"""Prints the mode `make up` comes up in, docker or embedded, and why on stderr."""

import argparse
import functools
import os
import sys

from rich.console import Console
from rich.text import Text

from compose import engine, modes
from compose.layout import Layout
from compose.supervision import Supervisor
from scripts.command import run
from scripts.running import ROOT

_WORDS = {"docker": "in containers", "embedded": "without Docker"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: MODE=embedded python -m scripts.mode"
    )
    parser.parse_args()

    def mode() -> int:
        chosen = modes.choose(
            os.environ.get("MODE", ""),
            embedded_runs=Supervisor(Layout(ROOT)).pid() is not None,
            find_engine=functools.partial(engine.find, os.environ),
        )
        words = f"ChartBuster {_WORDS[chosen.mode]} ({chosen.why})"
        Console(stderr=True, soft_wrap=True, highlight=False).print(Text(words))
        print(chosen.mode)
        return 0

    return run(mode)


if __name__ == "__main__":
    sys.exit(main())
