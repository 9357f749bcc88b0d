"""What the programs around the stack have in common: a clean environment, and how errors end."""

import os
import signal
import sys
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from chartbuster.errors import ChartBusterError
from compose.environment import without_own_aws


def run(action: Callable[[], int], *, interrupted: str = "stopped") -> int:
    """Do `action` and return the exit code; a known error ends as one line on stderr.

    The person's own AWS settings and proxies are taken out of the environment first: nothing here
    may ever reach a real account.
    """
    clean = without_own_aws(os.environ)
    for name in set(os.environ) - set(clean):
        del os.environ[name]
    os.environ.update(clean)
    return ended(action, interrupted=interrupted)


def ended(action: Callable[[], int], *, interrupted: str) -> int:
    """Do `action` in the environment as it is, and return the exit code."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        return action()
    except ChartBusterError as error:
        errors.print(Text(f"error: {error}", style="red"))
        return 1
    except KeyboardInterrupt:
        errors.print(Text(interrupted))
        return 130
    except BrokenPipeError:
        # Whoever read our output has enough; Python would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def stop_is_interruption() -> None:
    """From now on, being told to stop is an interruption like Ctrl-C.

    So whatever was begun, a file or a program of ours, is ended on the way out. Ctrl-C is heard
    even where a shell started this in the background, and by the programs that this starts.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
