"""What the programs behind the `-aws` targets have in common: what they take, and how they end."""

import argparse
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


def take_settings(parser: argparse.ArgumentParser) -> None:
    """What planning and deploying are told alike: `set`, `without_scaling` and `check`."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of a template (may be repeated); it stays for later deployments",
    )
    parser.add_argument(
        "--without-scaling", action="store_true", help="leave the scaling stack out"
    )
    parser.add_argument(
        "--check", action="store_true", help="only look at the account and the settings"
    )
