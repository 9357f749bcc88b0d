"""Progress, step by step with its seconds: alive on a terminal, one plain line each elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


class Steps:
    """Tells what is being done and, once it is done, how long it took."""

    def __init__(self, console: Console, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._monotonic = monotonic

    @contextmanager
    def step(self, doing: str, done: str | None = None) -> Iterator[Callable[[str], None]]:
        """Show `doing` while the block runs, and its end as `done` with the seconds.

        The block may call what it is given with better words for the end.
        """
        words = [done or doing]
        started = self._monotonic()
        if self._console.is_terminal:
            with self._console.status(Text(f"{doing} …")):
                yield words.append
        else:
            yield words.append
        line = Text.assemble(
            ("  ✓ " if self._console.is_terminal else "  ", "green"),
            f"{words[-1]:<52}",
            (f"{self._monotonic() - started:7.1f} s", "dim"),
        )
        self._console.print(line, soft_wrap=True)

    def say(self, text: str) -> None:
        """One line of its own."""
        self._console.print(Text(text), soft_wrap=True)
