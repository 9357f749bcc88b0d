"""Shows how good the models are on a song file, beside the original system's forest.

The file is prepared as the pipeline does, models are trained as in a run, and each is compared with
the forest on the same songs that neither was fitted on: songs of artists who are new, and songs of
artists who are known. Nothing is stored, and no stack needs to run. Some minutes for 20,000 songs.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from compose.environment import of_program
from compose.layout import Layout
from scripts.command import run, stop_is_interruption
from scripts.running import ROOT


def command(data: Path, *, configuration: Path | None, shape: str) -> list[str]:
    """The trainer's own program, in its own environment."""
    program = [str(Layout(ROOT).python("trainer")), "-m", "trainer.evaluate_performance"]
    chosen = ["--configuration", str(configuration)] if configuration else []
    return [*program, "--data", str(data), *chosen, "--format", shape]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What that program gets: how many models to fit at a time, and nothing of the person's."""
    jobs = {name: environ[name] for name in ("TRAINER_JOBS",) if name in environ}
    return {**of_program(environ), **jobs, "PYTHONSAFEPATH": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make evaluate DATA=songs.csv.gz FORMAT=json",
    )
    parser.add_argument("--data", required=True, type=Path, help="a .csv or .csv.gz of songs")
    parser.add_argument("--configuration", type=Path, help="a YAML file instead of the trainer's")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    options = parser.parse_args()
    if str(options.data) in {"", "."}:
        parser.error("DATA names no file; for example: make evaluate DATA=songs.csv.gz")
    wanted = command(options.data, configuration=options.configuration, shape=options.format)

    def do() -> int:
        return subprocess.run(wanted, env=environment(os.environ), check=False).returncode

    stop_is_interruption()
    return run(do)


if __name__ == "__main__":
    sys.exit(main())
