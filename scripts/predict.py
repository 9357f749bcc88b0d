"""Asks the active dataset's champion how popular one song would be; prints JSON.

What the song leaves out is taken from the songs of its genre.
"""

import argparse
import os
import subprocess
import sys

from chartbuster.errors import ChartBusterError
from compose.environment import of_program
from compose.layout import Layout
from scripts.running import ROOT, running_stack


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
    try:
        stack = running_stack()
    except ChartBusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    python = str(Layout(ROOT).python("trainer"))
    command = [python, "-m", "trainer.score_model", "--song", options.song]
    environment = {**of_program(os.environ), **stack.environment, "PYTHONSAFEPATH": "1"}
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
