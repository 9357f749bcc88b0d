"""Becomes one program of the stack: `python -m compose.launcher NAME`, started by supervisor.

Supervisor's own way of giving a program its arguments and environment quotes in two layers; this
reads both from `run/composition.json` and lets the program take its place, under the same pid.
"""

import argparse
import os
import sys
from pathlib import Path

from compose.programs import Composition


def main() -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: cd .stack && ../.venv/scripts/bin/python -m compose.launcher trainer",
    )
    parser.add_argument("name", help="one of the programs in run/composition.json")
    name = parser.parse_args().name
    composition = Composition.from_json(Path("run/composition.json").read_text(encoding="utf-8"))
    wanted = {program.name: program for program in composition.programs}
    if name not in wanted:
        parser.error(f"no program {name!r}; expected one of {', '.join(wanted)}")
    program = wanted[name]
    environment = {**os.environ, **program.environment}
    try:
        os.execve(program.command[0], program.command, environment)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"cannot start {name}: {program.command[0]}: {error.strerror}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main())
