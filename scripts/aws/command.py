"""How a program behind an `-aws` target ends: with the person's own AWS settings, and in order."""

import os
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from chartbuster.errors import Unreachable
from scripts.aws.account import Account, account_of, at_home
from scripts.command import ended


def run_aws(action: Callable[[Account], int], *, interrupted: str) -> int:
    """Do `action` on the account that is signed in, and return the exit code.

    A known error ends as one line on stderr, and so does a call that AWS refused; `interrupted` is
    what is said after a Ctrl-C. With a stand-in the environment is first rid of what leads away
    from this machine.
    """
    clean = at_home(os.environ)
    for name in set(os.environ) - set(clean):
        del os.environ[name]
    os.environ.update(clean)

    def on_account() -> int:
        account = account_of(os.environ)
        try:
            return action(account)
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(
                f"account {account.id} in {account.region}: {error}; mend that and run it again"
            ) from error

    return ended(on_account, interrupted=interrupted)
