"""One program at a time: a lock that ends with its holder, however that ends."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from chartbuster.errors import TryAgain


class Locked(TryAgain):
    """Another program holds the lock."""


@contextlib.contextmanager
def only_one(
    path: Path, *, patience: float, waiting: Callable[[str], None] = lambda _who: None
) -> Iterator[None]:
    """Hold the lock file `path`; raises `Locked` when another still does after `patience` seconds.

    `waiting` is told once who holds it, when there is a wait. The holder may
    remove the file.
    """
    deadline = time.monotonic() + patience
    told = False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_still(path, handle):
                break
            os.close(handle)
            continue
        except BlockingIOError:
            who = os.pread(handle, 100, 0).decode(errors="replace").strip() or "another program"
            os.close(handle)
        if time.monotonic() > deadline:
            raise Locked(f"{who} is at work on {path.parent} (lock {path}); try again later")
        if not told:
            waiting(who)
            told = True
        time.sleep(0.1)
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}".encode(), 0)
        yield
    finally:
        os.close(handle)


def _is_still(path: Path, handle: int) -> bool:
    """Whether `path` still names the file that was locked: its last holder may have removed it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
