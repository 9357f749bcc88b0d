"""What was changed by hand in a stage, as CloudFormation finds it; on MiniStack, which can."""

import json
import uuid

import pytest

from infra.stacks import DeploymentSlow, apply, plan
from scripts.aws.account import Account, account_of
from scripts.aws.drift import Changed, Drift, NotOffered, Property, drift_of, told
from scripts.aws.standin import StandIn
from tests.emulator import Emulator

_BODY = json.dumps(
    {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30}},
            "Other": {"Type": "AWS::SQS::Queue"},
        },
        "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}, "Other": {"Value": {"Ref": "Other"}}},
    }
)


def _deployed(account: Account) -> dict[str, str]:
    client = account.session.client("cloudformation")
    return apply(client, plan(client, account.stack("data"), _BODY, {}))


@pytest.fixture
def account(standin: StandIn) -> Account:
    return standin.account(f"d{uuid.uuid4().hex[:8]}")


@pytest.mark.integration
def test_a_stage_that_nobody_touched_has_not_drifted(account: Account):
    _deployed(account)

    found = drift_of(account, account.stack("data"))

    assert found.changed == ()
    assert (found.compared, found.resources) == (2, 2)


@pytest.mark.integration
def test_what_was_changed_by_hand_is_told_property_by_property(account: Account):
    outputs = _deployed(account)
    sqs = account.session.client("sqs")
    sqs.set_queue_attributes(QueueUrl=outputs["QueueUrl"], Attributes={"VisibilityTimeout": "5"})
    sqs.delete_queue(QueueUrl=outputs["Other"])

    found = drift_of(account, account.stack("data"))

    by_name = {each.name: each for each in found.changed}
    assert by_name["Other"].deleted
    assert [(each.path, each.actual, each.expected) for each in by_name["Queue"].properties] == [
        ("/VisibilityTimeout", "5", "30")
    ]
    assert any("/VisibilityTimeout: 5 instead of 30" in line for line in told(found))


@pytest.mark.integration
def test_a_stand_in_that_cannot_compare_is_said_to_be_one(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    account = account_of(
        {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_REGION": "us-east-1",
            "STAGE": f"d{uuid.uuid4().hex[:8]}",
        }
    )
    _deployed(account)

    with pytest.raises(NotOffered, match="this stand-in does not compare"):
        drift_of(account, account.stack("data"))


@pytest.mark.integration
def test_a_comparison_that_takes_too_long_says_so(account: Account):
    _deployed(account)
    # MiniStack compares at once; AWS takes minutes.
    account.session.events.register(
        "after-call.cloudformation.DescribeStackDriftDetectionStatus",
        lambda parsed, **_: parsed.update(DetectionStatus="DETECTION_IN_PROGRESS"),
    )

    with pytest.raises(DeploymentSlow, match="run it again"):
        drift_of(account, account.stack("data"), patience=0.0, rest=lambda _seconds: None)


def test_a_long_value_is_cut_and_a_missing_one_is_nothing():
    lines = told(
        Drift(
            "data",
            1,
            1,
            (Changed("Queue", "AWS::SQS::Queue", "q", False, (Property("/A", "x" * 200, ""),)),),
        )
    )

    assert lines == [
        "Queue (AWS::SQS::Queue, q) was changed",
        f"  /A: nothing instead of {'x' * 120} …",
    ]
