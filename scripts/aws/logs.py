"""The log lines of a deployed stage: of several components, in the order they were written."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chartbuster.errors import Misconfigured
from scripts.aws.account import Account
from scripts.aws.calls import asking, code_of

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

COMPONENTS = ("trainer", "webapp", "create-data")

_SPAN = re.compile(r"(\d{1,4})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# A line may arrive this much (ms) after lines that were written later.
_LATE = 30_000
_REST = 2.0


@dataclass(frozen=True, order=True)
class Line:
    """One line; `at` is when it was written, in ms since 1970, `id` CloudWatch's name for it."""

    at: int
    component: str
    id: str
    text: str


def seconds_of(span: str) -> int:
    """A span of time like 90s, 15m, 1h or 2d, in seconds; raises `Misconfigured`."""
    found = _SPAN.fullmatch(span)
    if found is None or not int(found[1]):
        raise Misconfigured(f"SINCE is {span!r}; expected a span like 90s, 15m, 1h or 2d")
    return int(found[1]) * _SECONDS[found[2]]


def groups_of(account: Account, component: str | None) -> dict[str, str]:
    """The log group of each component, or of the one that is asked for."""
    wanted = COMPONENTS if component is None else (component,)
    return {name: f"/chartbuster/{account.stage}/{name}" for name in wanted}


def lines(
    client: "CloudWatchLogsClient", groups: Mapping[str, str], *, since: int
) -> tuple[Line, ...]:
    """What was written to `groups` from `since` (ms) on, the oldest first.

    A group that is not there has no lines: its component is not deployed. Raises `Unreachable`.
    """
    return tuple(
        sorted(
            line for name, group in groups.items() for line in _lines(client, name, group, since)
        )
    )


def followed(
    read: Callable[[int], tuple[Line, ...]],
    *,
    since: int,
    rest: Callable[[float], object] = time.sleep,
) -> Iterator[tuple[Line, ...]]:
    """What `read` finds from `since` (ms) on, then for ever what is new, each line once.

    The last half minute is always read again, since lines of several tasks arrive out of order.
    """
    shown: dict[str, int] = {}
    start = since
    while True:
        new = tuple(line for line in read(start) if line.id not in shown)
        yield new
        shown |= {line.id: line.at for line in new}
        if shown:
            start = max(since, max(shown.values()) - _LATE)
            shown = {id_: at for id_, at in shown.items() if at >= start}
        rest(_REST)


def _lines(client: "CloudWatchLogsClient", name: str, group: str, since: int) -> Iterator[Line]:
    pages = client.get_paginator("filter_log_events")
    with asking(f"read the log group {group}"):
        try:
            for page in pages.paginate(logGroupName=group, startTime=since):
                for event in page["events"]:
                    yield Line(
                        event["timestamp"], name, event["eventId"], event["message"].rstrip("\n")
                    )
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
