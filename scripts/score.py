"""Scores a whole file of songs with the active dataset's champion, into a CSV file of yours.

Every row gives one line: the song as given, popularity, the interval it is in, its percentile
among the songs of its genre, the probability of a hit, what was assumed, and the reason where there
is no prediction. The file may be larger than the memory. Until the last row is scored nothing is
under the name --out.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chartbuster.errors import ChartBusterError, Misconfigured
from chartbuster.writing import written_whole
from compose.composed import Composed
from compose.layout import Layout
from scripts.command import run, stop_is_interruption
from scripts.predict import environment
from scripts.running import ROOT, running_stack

_PROGRAM = ("-m", "trainer.score_model", "--data", "-", "--out", "-")


@dataclass(frozen=True)
class Asked:
    """Who is to answer; what is left open is the active dataset and its champion."""

    dataset: str | None = None
    run: str | None = None
    model: str | None = None

    @property
    def options(self) -> list[str]:
        """The options of the trainer's program."""
        named = {"--dataset": self.dataset, "--run": self.run, "--model": self.model}
        return [part for name, value in named.items() if value for part in (name, value)]


def command(asked: Asked) -> list[str]:
    """The trainer's own scoring program, from standard input to standard output."""
    return [str(Layout(ROOT).python("trainer")), *_PROGRAM, *asked.options]


def command_in(containers: Composed, asked: Asked) -> list[str]:
    """The same program in the trainer's container, which sees no file of this machine."""
    program = ("python", *_PROGRAM, *asked.options)
    return ["docker", *containers.command("exec", "-T", "trainer", *program)]


def score(data: Path, out: Path, program: Sequence[str], env: Mapping[str, str]) -> int:
    """Run `program` from `data` into `out`; returns its exit code, and leaves nothing unless 0.

    Raises `Misconfigured` when a file cannot be read or made.
    """
    if out.resolve() == data.resolve():
        raise Misconfigured(f"OUT={str(out)!r} is the file to score; expected another name")
    try:
        with _opened(data) as songs, written_whole(out) as scored:
            code = subprocess.run(
                list(program), env=dict(env), stdin=songs, stdout=scored, check=False
            ).returncode
            if code:
                raise _Unfinished(code)
    except _Unfinished as unfinished:
        return unfinished.code
    sys.stderr.write(f"{out}\n")
    return 0


class _Unfinished(ChartBusterError):
    """The program ended before its last row, and has said why; `code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the scoring program ended with {code}")
        self.code = code


def _opened(data: Path) -> BinaryIO:
    try:
        return data.open("rb")
    except OSError as error:
        raise Misconfigured(
            f"DATA={str(data)!r} cannot be read ({error.strerror}); expected the path of a .csv "
            "or .csv.gz file"
        ) from error


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make score DATA=songs.csv.gz OUT=scored.csv",
    )
    parser.add_argument("--data", required=True, type=Path, help="a .csv or .csv.gz of songs")
    parser.add_argument("--out", required=True, type=Path, help="the scored CSV file to write")
    parser.add_argument("--dataset", help="the dataset whose champion answers")
    parser.add_argument("--run", help="a run instead of the champion's")
    parser.add_argument("--model", help="a model of the run instead of its best")
    options = parser.parse_args()
    for name, path in (("DATA", options.data), ("OUT", options.out)):
        if str(path) in {"", "."}:
            parser.error(
                f"{name} names no file; for example: make score DATA=songs.csv OUT=scored.csv"
            )
    asked = Asked(options.dataset, options.run, options.model)

    def do() -> int:
        containers = Composed.of(ROOT)
        if containers.is_there():
            program = command_in(containers, asked)
            return score(options.data, options.out, program, containers.environment)
        env = environment(running_stack(), os.environ)
        return score(options.data, options.out, command(asked), env)

    stop_is_interruption()
    return run(do, interrupted="stopped; nothing was written")


if __name__ == "__main__":
    sys.exit(main())
