"""Runs every check that needs no running stack: lint, layout, types, imports, templates, locks.

All of them run even when one fails, so that one call shows everything there is to mend.
"""

import argparse
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_ADDRESS = re.compile(r"https?://|file://|--(extra-)?index-url|--find-links")


@dataclass(frozen=True)
class Check:
    """One check: its name, the command that must end with 0, and the folder it is run in."""

    name: str
    command: tuple[str, ...]
    folder: str = "."


def checks(bin_folder: Path) -> tuple[Check, ...]:
    """What is run, with the programs of the environment in `bin_folder`."""

    def tool(name: str, *arguments: str) -> tuple[str, ...]:
        return (str(bin_folder / name), *arguments)

    return (
        Check("lint (ruff)", tool("ruff", "check", "--quiet", ".")),
        Check("layout (ruff format)", tool("ruff", "format", "--check", "--quiet", ".")),
        Check("types (mypy)", tool("mypy", "--no-error-summary")),
        Check("types (process executor)", tool("mypy"), "compose/process_executor"),
        Check("imports (import-linter)", tool("lint-imports")),
        Check("templates (cfn-lint)", tool("cfn-lint", "infra/*.yaml")),
        Check("templates (wiring)", tool("python", "-m", "scripts.aws.checks")),
    )


def addresses_in_locks(root: Path) -> list[str]:
    """The lines of lock files that name a download address; there must be none."""
    return [
        f"{path.relative_to(root)}:{number}: {line.strip()}"
        for path in sorted(root.glob("*/**/*.txt"))
        if not path.relative_to(root).parts[0].startswith((".", "build"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if _ADDRESS.search(line)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make check")
    parser.parse_args()
    root = Path(__file__).parents[1]
    failed = []
    for check in checks(Path(sys.executable).parent):
        started = time.monotonic()
        done = subprocess.run(
            check.command, cwd=root / check.folder, capture_output=True, text=True, check=False
        )
        verdict = "ok" if done.returncode == 0 else "FAILED"
        print(f"{check.name:<26} {verdict:<7} {time.monotonic() - started:5.1f} s", flush=True)
        if done.returncode:
            failed.append(check.name)
            print(done.stdout + done.stderr, flush=True)
    if lines := addresses_in_locks(root):
        failed.append("locks without addresses")
        print("lock files must hold no download address:\n" + "\n".join(lines))
    if failed:
        print(f"{len(failed)} failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
