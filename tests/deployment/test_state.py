"""How a stage is: what of it is not well, and that nothing is said that was not read."""

import io
import json
import uuid
from dataclasses import replace

import pytest
from rich.console import Console

from chartbuster.errors import Misconfigured
from chartbuster.ports import Depth
from infra.stacks import apply, plan
from scripts.aws.account import Account
from scripts.aws.smoke import Answer
from scripts.aws.standin import StandIn
from scripts.aws.state import Alarm, Service, State, faults, look
from scripts.status_aws import as_json, show
from tests.deployment import small_stage

_DIGEST, _OTHER = small_stage.DIGEST, f"sha256:{'b' * 64}"
_TRAINER = Service("trainer", 0, 0, 0, "COMPLETED", "", _DIGEST, ())
_WEBAPP = Service("webapp", 1, 1, 0, "COMPLETED", "", _DIGEST, (_DIGEST,))
_WELL = State(
    stacks=dict.fromkeys(("bootstrap", "data", "compute", "scaling"), "UPDATE_COMPLETE"),
    services=(_TRAINER, _WEBAPP),
    queues={"train": Depth(0, 0)},
    address="http://songs.example.com",
    app=Answer(200, ""),
)


def test_a_stage_whose_every_part_does_what_is_wanted_is_well():
    assert faults(_WELL) == ()


def test_a_stage_of_which_there_is_nothing_says_what_deploys_it():
    assert faults(State(stacks={})) == (
        "nothing of this stage is deployed; `make deploy-aws` deploys it",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stacks": {**_WELL.stacks, "data": "UPDATE_ROLLBACK_COMPLETE"}}, "UPDATE_ROLLBACK_COMP"),
        ({"stacks": {"bootstrap": "CREATE_COMPLETE"}}, "stack compute is not there"),
        ({"services": (_TRAINER,)}, "webapp: its service is not there"),
        ({"services": (_TRAINER, replace(_WEBAPP, running=0))}, "webapp: 0 of 1 tasks run"),
        ({"services": (_TRAINER, replace(_WEBAPP, pending=1))}, "1 are pending"),
        ({"services": (_TRAINER, replace(_WEBAPP, desired=0, running=0))}, "the app is off"),
        (
            {"services": (_TRAINER, replace(_WEBAPP, rollout="FAILED", why="circuit breaker"))},
            "webapp: the deployment failed: circuit breaker",
        ),
        (
            {"services": (_TRAINER, replace(_WEBAPP, rollout="IN_PROGRESS", why="1 of 2"))},
            "webapp: the deployment is in progress: 1 of 2",
        ),
        (
            {"services": (_TRAINER, replace(_WEBAPP, digests=(_DIGEST, _OTHER)))},
            f"webapp: a task runs {_OTHER} and not {_DIGEST}",
        ),
        ({"alarms": (Alarm("app-fails", "errors of its own", ""),)}, "alarm app-fails: errors of"),
        ({"app": Answer(0, "timed out")}, "(timed out); is this machine's address within Allowed"),
        ({"app": Answer(503, "")}, "HTTP 503"),
        ({"app": Answer(302, "https://id.example.com/authorize")}, "HTTP 302"),
        ({"unread": ("could not read s3://x",)}, "could not read s3://x"),
    ],
)
def test_what_is_not_well_is_said(change, words):
    found = faults(replace(_WELL, **change))

    assert any(words in fault for fault in found), found


def test_being_sent_to_sign_in_is_an_answer_where_the_load_balancer_asks_for_it():
    sent = Answer(302, "https://id.example.com/authorize")

    assert faults(replace(_WELL, app=sent, signs_in_before=True)) == ()


def test_a_task_that_shows_no_digest_is_not_held_to_be_another():
    assert faults(replace(_WELL, services=(_TRAINER, replace(_WEBAPP, digests=("",))))) == ()


def test_trainings_that_nobody_will_begin_are_not_well():
    left_out = {part: status for part, status in _WELL.stacks.items() if part != "scaling"}
    waiting = replace(_WELL, queues={"train": Depth(2, 0)})

    assert faults(waiting) == ()  # scaling starts a trainer
    assert any(
        "2 trainings wait, no trainer runs" in fault and "make train-now" in fault
        for fault in faults(replace(waiting, stacks=left_out, without_scaling=True))
    )


def test_only_a_stand_in_is_well_without_scaling():
    left_out = {part: status for part, status in _WELL.stacks.items() if part != "scaling"}

    assert faults(replace(_WELL, stacks=left_out, without_scaling=True)) == ()
    assert faults(replace(_WELL, stacks=left_out)) != ()


def _never(url: str) -> Answer:
    raise AssertionError(f"it asked {url}, which is not on this machine")


@pytest.fixture
def deployed(standin: StandIn) -> Account:
    """A stage whose compute stack is a small one, on the stand-in."""
    account = standin.account(f"s{uuid.uuid4().hex[:8]}")
    client = account.session.client("cloudformation")
    apply(client, plan(client, account.stack("compute"), small_stage.COMPUTE, {}))
    return account


def _alarm_of(account: Account) -> str:
    """The name of the one alarm of its small stage."""
    client = account.session.client("cloudwatch")
    (alarm,) = client.describe_alarms(AlarmNamePrefix=account.stack("compute"))["MetricAlarms"]
    return str(alarm["AlarmName"])


@pytest.mark.integration
def test_a_stage_is_read_from_the_account(deployed: Account):
    sqs = deployed.session.client("sqs")
    before = look(deployed, address="", ask=_never)
    (queue,) = sqs.list_queues(QueueNamePrefix=deployed.stack("compute"))["QueueUrls"]
    sqs.send_message(QueueUrl=queue, MessageBody="{}")
    cloudwatch = deployed.session.client("cloudwatch")
    name = _alarm_of(deployed)
    assert before.alarms == ()
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="for a test")

    found = look(deployed, address="", ask=_never)

    assert found.stacks == {"compute": "CREATE_COMPLETE"}
    assert found.queues == {"train": Depth(waiting=1, in_hand=0)}
    (service,) = found.services
    assert (service.name, service.wanted) == ("trainer", _DIGEST)
    assert [(each.name, each.about) for each in found.alarms] == [(name, "something failed")]
    assert (found.address, found.app) == ("http://tiny.elb.amazonaws.com", None)
    said = io.StringIO()
    show(deployed, found, Console(file=said, width=150))
    for words in ("compute", "trainer", "something failed", "not asked: a stand-in runs no app"):
        assert words in said.getvalue()
    assert json.loads(as_json(deployed, found))["well"] is False


@pytest.mark.integration
def test_an_alarm_that_only_starts_and_stops_tasks_is_no_fault(deployed: Account):
    cloudwatch = deployed.session.client("cloudwatch")
    name = _alarm_of(deployed)
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/SQS",
        MetricName="NumberOfMessagesSent",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=["arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:resource/ecs/x"],
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="nothing to do")

    assert look(deployed, address="", ask=_never).alarms == ()


@pytest.mark.integration
def test_an_address_elsewhere_is_refused_with_a_stand_in(standin: StandIn):
    with pytest.raises(Misconfigured, match="nothing may leave this machine"):
        look(standin.account("elsewhere"), address="https://songs.example.com", ask=_never)


@pytest.mark.integration
def test_an_address_on_this_machine_is_asked(standin: StandIn):
    asked = []

    def answering(url: str) -> Answer:
        asked.append(url)
        return Answer(200, "")

    found = look(standin.account("nothing"), address="http://127.0.0.1:8501", ask=answering)

    assert asked == ["http://127.0.0.1:8501/_stcore/health"]
    assert faults(found) != ()  # nothing is deployed all the same
