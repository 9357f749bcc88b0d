"""Starts supervisor anew when it was killed: `python -m compose.guard`, run by supervisor itself.

Each watches the other: supervisor starts a guard that died, and a guard whose supervisor died ends
what that left behind and starts another one. Whoever stops the stack on purpose stops the guard
first.
"""

import argparse
import logging
import os
import select
import sys
from pathlib import Path

from chartbuster.errors import ChartBusterError
from compose.layout import Layout
from compose.locking import only_one
from compose.processes import end_stack
from compose.supervision import Supervisor, read_composition, start_supervisor

log = logging.getLogger(__name__)


def wait_for_the_end_of(pid: int) -> None:
    """Return once the process `pid`, the parent, has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # The number could have gone to another process between looking and opening.
        if os.getppid() == pid:
            select.select([handle], [], [])
    finally:
        os.close(handle)


def revive(layout: Layout) -> bool:
    """End what a dead supervisor left, and start another one; whether there was a need to.

    Whoever brings the stack up or down meanwhile has the lock, and what it did stands.
    """
    with only_one(layout.stack / "lock", patience=120):
        if read_composition(layout) is None:
            log.info("stack_stopped_meanwhile")
            return False
        if Supervisor(layout).pid() is not None:
            log.info("supervisor_runs_again")
            return False
        end_stack(layout.stack)
        start_supervisor(layout)
    log.info("supervisor_started_anew")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: cd .stack && ../.venv/scripts/bin/python -m compose.guard",
    )
    parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    layout = Layout(Path.cwd().parent)
    watched = os.getppid()
    log.info("guard_watches_supervisor pid=%d", watched)
    wait_for_the_end_of(watched)
    # Our output was supervisor's to read, and it is gone: without this, logging would fail.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    handler = logging.FileHandler(layout.logs / "guard.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().handlers = [handler]
    log.info("supervisor_died pid=%d", watched)
    try:
        revive(layout)
    except ChartBusterError as error:
        log.error("cannot_start_supervisor %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
