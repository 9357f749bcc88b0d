"""The logs of a deployed stage, read from a stand-in's CloudWatch Logs."""

import itertools
import time
import uuid

import boto3
import pytest
from botocore.stub import Stubber

from chartbuster.errors import Misconfigured
from scripts.aws.account import Account
from scripts.aws.logs import Line, followed, groups_of, lines, seconds_of
from scripts.aws.standin import StandIn
from scripts.logs_aws import shown


@pytest.fixture
def account(standin: StandIn) -> Account:
    return standin.account(f"l{uuid.uuid4().hex[:8]}")


def _write(account: Account, component: str, *texts: tuple[int, str]) -> None:
    client = account.session.client("logs")
    group = f"/chartbuster/{account.stage}/{component}"
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="task")
    client.put_log_events(
        logGroupName=group,
        logStreamName="task",
        logEvents=[{"timestamp": at, "message": text} for at, text in texts],
    )


@pytest.mark.integration
def test_the_lines_of_all_components_come_in_the_order_they_were_written(account: Account):
    now = int(time.time() * 1000)
    _write(account, "trainer", (now - 3_000, "first"), (now - 1_000, "third"))
    _write(account, "create-data", (now - 2_000, "second\n"))

    found = lines(account.session.client("logs"), groups_of(account, None), since=now - 60_000)

    assert shown(found, named=True) == [
        "trainer     | first",
        "create-data | second",
        "trainer     | third",
    ]


@pytest.mark.integration
def test_one_component_and_a_span_leave_the_rest_out(account: Account):
    now = int(time.time() * 1000)
    _write(account, "trainer", (now - 3_600_000, "long ago"), (now - 1_000, "just now"))
    _write(account, "create-data", (now - 2_000, "another's"))

    found = lines(account.session.client("logs"), groups_of(account, "trainer"), since=now - 60_000)

    assert shown(found, named=False) == ["just now"]


def test_more_lines_than_one_answer_holds_are_all_read():
    client = boto3.client("logs", region_name="us-east-1")
    answers = Stubber(client)
    for n, more in enumerate(({"nextToken": "more"}, {})):
        event = {"timestamp": n, "message": f"line {n}", "eventId": str(n)}
        answers.add_response("filter_log_events", {"events": [event], **more})

    with answers:
        found = lines(client, {"trainer": "/chartbuster/dev/trainer"}, since=0)

    assert shown(found, named=False) == ["line 0", "line 1"]


@pytest.mark.integration
def test_components_that_are_not_deployed_have_no_lines(account: Account):
    assert lines(account.session.client("logs"), groups_of(account, None), since=0) == ()


def test_following_shows_each_line_once_and_one_that_comes_late_too():
    early, late, new = (
        Line(at, "trainer", id_, id_)
        for at, id_ in ((100_000, "early"), (99_000, "late"), (140_000, "new"))
    )
    there = [(early,), (late, early), (late, early, new), (new,)]
    starts: list[int] = []
    rests: list[float] = []

    def read(start: int) -> tuple[Line, ...]:
        starts.append(start)
        return tuple(line for line in there[len(starts) - 1] if line.at >= start)

    found = list(itertools.islice(followed(read, since=0, rest=rests.append), 4))

    assert found == [(early,), (late,), (new,), ()]
    # Half a minute before the newest line, so that what comes late is seen.
    assert starts == [0, 70_000, 70_000, 110_000]
    assert rests == [2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    ("span", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("2d", 172_800)]
)
def test_a_span_is_a_number_and_a_unit(span, seconds):
    assert seconds_of(span) == seconds


@pytest.mark.parametrize("span", ["", "1", "h", "0h", "1w", "-1h", "1.5h", "1h30m"])
def test_any_other_span_says_what_was_expected(span):
    with pytest.raises(Misconfigured, match="expected a span like 90s, 15m, 1h or 2d"):
        seconds_of(span)
