"""Waiting for what a stack does by itself."""

import time
from collections.abc import Callable


def until(come: Callable[[], bool], *, seconds: float = 90.0, what: str = "it") -> None:
    """Wait for `come`, however often the stack is away meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        if come():
            return
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)
