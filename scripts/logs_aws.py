"""Shows the logs of a deployed stage's components, in the order they were written."""

import argparse
import functools
import sys
import time
from collections.abc import Iterable

from scripts.aws.account import Account
from scripts.aws.command import run_aws
from scripts.aws.logs import COMPONENTS, Line, followed, groups_of, lines, seconds_of
from scripts.aws.stage import stacks_of


def shown(found: Iterable[Line], *, named: bool) -> list[str]:
    """The lines as they are printed: as they are, behind the component's name if `named`."""
    width = max(map(len, COMPONENTS))
    return [f"{each.component:<{width}} | {each.text}" if named else each.text for each in found]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make logs-aws STAGE=dev SERVICE=trainer SINCE=15m FOLLOW=1",
    )
    parser.add_argument("--service", choices=COMPONENTS, help="one component only")
    parser.add_argument("--follow", "-f", action="store_true", help="go on until interrupted")
    parser.add_argument(
        "--since", default="1h", metavar="SPAN", help="how far back: 90s, 15m, 2d (default: 1h)"
    )
    options = parser.parse_args()

    def action(account: Account) -> int:
        client = account.session.client("logs")
        groups = groups_of(account, options.service)
        since = int((time.time() - seconds_of(options.since)) * 1000)
        say = functools.partial(shown, named=len(groups) > 1)
        if options.follow:
            for found in followed(lambda start: lines(client, groups, since=start), since=since):
                for text in say(found):
                    print(text, flush=True)
        found = lines(client, groups, since=since)
        for text in say(found):
            print(text)
        if not found:
            _say_why_not(account, options.since)
        return 0

    return run_aws(action, interrupted="")


def _say_why_not(account: Account, span: str) -> None:
    deployed = any(stack.part == "data" for stack in stacks_of(account))
    why = (
        f"nothing was written within {span}; SINCE=1d looks further back"
        if deployed
        else f"chartbuster-{account.stage} is not deployed in account {account.id}, "
        f"{account.region}; `make deploy-aws STAGE={account.stage}` deploys it"
    )
    print(why, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
