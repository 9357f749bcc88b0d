"""How a program behind an `-aws` target ends: with the person's own AWS settings, and in order."""

import os
from collections.abc import Callable

from scripts.aws.account import Account, account_of
from scripts.command import ended


def run_aws(action: Callable[[Account], int], *, interrupted: str) -> int:
    """Do `action` on the account that is signed in, and return the exit code.

    A known error ends as one line on stderr; `interrupted` is what is said after a Ctrl-C.
    """
    return ended(lambda: action(account_of(os.environ)), interrupted=interrupted)
