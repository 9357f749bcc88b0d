"""Locks every environment: each requirements.in gets a requirements.txt with versions and hashes.

The locks hold no download address, so they work with whatever index a machine is set up for.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_PYTHON = "3.13"


@dataclass(frozen=True)
class Lock:
    """One environment: what is asked for, and where the locked answer goes."""

    wanted: str
    locked: str
    options: tuple[str, ...] = ()
    for_who: str = ""


LOCKS = (
    Lock("scripts/tools.in", "scripts/tools.txt", ("--universal",), "the Makefile's own tools"),
    Lock(
        "compose/localstack/requirements.in",
        "compose/localstack/requirements.txt",
        # LocalStack 4.14 does not pin what it needs from above; newer releases break it.
        ("--exclude-newer", "2026-03-05"),
        "the emulator",
    ),
    Lock(
        "compose/process_executor/runtime.in",
        "compose/process_executor/runtime.txt",
        for_who="what AWS's Python runtime brings to a Lambda",
    ),
    Lock(
        "lambdas/create_data/requirements.in", "lambdas/create_data/requirements.txt", (), "the zip"
    ),
    Lock("trainer/requirements.in", "trainer/requirements.txt", for_who="the trainer"),
    Lock("webapp/requirements.in", "webapp/requirements.txt", for_who="the app"),
    Lock("scripts/requirements.in", "scripts/requirements.txt", for_who="the programs"),
    Lock("tests/requirements.in", "tests/requirements.txt", for_who="development"),
    Lock(
        "tests/ministack/requirements.in",
        "tests/ministack/requirements.txt",
        for_who="the other emulator of the acceptance tests",
    ),
)


def command(uv: str, lock: Lock, *, upgrade: bool) -> list[str]:
    """The call of uv that makes one lock file."""
    return [
        *(uv, "pip", "compile", "--quiet", "--python-version", _PYTHON, "--generate-hashes"),
        *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *lock.options,
        *(("--upgrade",) if upgrade else ()),
        *("--output-file", lock.locked, lock.wanted),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m scripts.lock --uv .tools/bin/uv --upgrade",
    )
    parser.add_argument("--uv", default="uv", help="the uv to call (default: %(default)s)")
    parser.add_argument("--upgrade", action="store_true", help="take newer releases where allowed")
    options = parser.parse_args()
    root = Path(__file__).parents[1]
    for lock in LOCKS:
        print(f"{lock.locked}  ({lock.for_who})", flush=True)
        done = subprocess.run(
            command(options.uv, lock, upgrade=options.upgrade), cwd=root, check=False
        )
        if done.returncode:
            print(f"could not lock {lock.wanted}; the old lock stands", file=sys.stderr)
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
