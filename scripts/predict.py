"""Asks the active dataset's champion how popular one song would be, and why; prints JSON.

What the song leaves out is taken from the songs of its genre. `why` says what makes the prediction
another than a typical song's, the largest first; `contributions` has every attribute's points.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping

from compose.composed import Composed
from compose.environment import of_program
from compose.layout import Layout
from scripts.command import run
from scripts.running import ROOT, Running, running_stack


def command(song: str) -> list[str]:
    """The trainer's own scoring program, in its own environment."""
    return [str(Layout(ROOT).python("trainer")), "-m", "trainer.score_model", "--song", song]


def command_in(containers: Composed, song: str) -> list[str]:
    """The same program in the trainer's container."""
    program = ("python", "-m", "trainer.score_model", "--song", song)
    return ["docker", *containers.command("exec", "-T", "trainer", *program)]


def environment(stack: Running, environ: Mapping[str, str]) -> dict[str, str]:
    """What that program gets: where the stack is, and nothing of the person's."""
    return {**of_program(environ), **stack.environment, "PYTHONSAFEPATH": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""example: make predict SONG='{"genre": "Pop", "danceability": 0.7}'""",
    )
    parser.add_argument("--song", required=True, help="a JSON object of attributes")
    options = parser.parse_args()
    if not options.song.strip():
        parser.error("""SONG is empty; for example: make predict SONG='{"genre": "Pop"}'""")

    def predict() -> int:
        containers = Composed.of(ROOT)
        if containers.is_there():
            asked = command_in(containers, options.song)
            return subprocess.run(asked, env=containers.environment, check=False).returncode
        wanted = environment(running_stack(), os.environ)
        return subprocess.run(command(options.song), env=wanted, check=False).returncode

    return run(predict)


if __name__ == "__main__":
    sys.exit(main())
