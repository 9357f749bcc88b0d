"""What must hold between the parts of `infra/data.yaml`, beyond what cfn-lint can know."""

from pathlib import Path
from typing import Any

import pytest

from scripts.aws.checks.templates import load

_TEMPLATE: dict[str, Any] = load("data.yaml")
_RESOURCES: dict[str, Any] = _TEMPLATE["Resources"]
_BUCKETS = ("RawBucket", "ReadyBucket", "ArtifactsBucket")
_ROLES = ("CreateDataRole", "TrainerRole", "WebappRole")


def _properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = _RESOURCES[name]["Properties"]
    return found


@pytest.mark.parametrize("bucket", _BUCKETS)
def test_every_bucket_is_private_encrypted_and_reached_over_tls_only(bucket):
    properties = _properties(bucket)

    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert "BucketEncryption" in properties
    (statement,) = _properties(f"{bucket}Policy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert {"GetAtt": f"{bucket}.Arn"} in statement["Resource"]


@pytest.mark.parametrize("bucket", ["RawBucket", "ArtifactsBucket"])
def test_what_cannot_be_made_again_is_versioned(bucket):
    assert _properties(bucket)["VersioningConfiguration"] == {"Status": "Enabled"}


@pytest.mark.parametrize("bucket", _BUCKETS)
def test_no_bucket_keeps_abandoned_uploads_for_ever(bucket):
    rules = _properties(bucket)["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_the_dead_letters_outlast_the_queue_they_come_from():
    queue = _properties("TrainQueue")["MessageRetentionPeriod"]

    assert _properties("TrainDeadLetterQueue")["MessageRetentionPeriod"] > queue
    assert _properties("LambdaDeadLetterQueue")["MessageRetentionPeriod"] > 21_600


def test_a_failed_upload_ends_in_the_lambdas_own_dead_letter_queue():
    events = _properties("CreateDataEvents")

    destination = events["DestinationConfig"]["OnFailure"]["Destination"]
    assert list(destination.values()) == ["LambdaDeadLetterQueue.Arn"]
    assert events["MaximumRetryAttempts"] == 2


def test_the_notifications_wait_for_the_permissions_they_need():
    assert _RESOURCES["RawBucket"]["DependsOn"] == "RawBucketMayInvokeCreateData"
    assert _RESOURCES["ReadyBucket"]["DependsOn"] == "TrainQueuePolicy"


def test_only_ready_data_is_announced_to_the_trainer():
    (notification,) = _properties("ReadyBucket")["NotificationConfiguration"]["QueueConfigurations"]
    rules = notification["Filter"]["S3Key"]["Rules"]
    assert {rule["Name"]: rule["Value"] for rule in rules} == {
        "prefix": "datasets/",
        "suffix": "/ready_data.csv",
    }


@pytest.mark.parametrize("role", _ROLES)
def test_no_role_may_do_everything_or_anything_to_everything(role):
    for policy in _properties(role)["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            actions = [actions] if isinstance(actions, str) else actions
            assert not [action for action in actions if "*" in action]
            assert statement["Resource"] != "*"


def test_every_log_group_forgets():
    groups = [
        resource["Properties"]
        for resource in _RESOURCES.values()
        if resource["Type"] == "AWS::Logs::LogGroup"
    ]
    assert len(groups) == 3
    assert all(group["RetentionInDays"] == 30 for group in groups)


def test_the_function_is_the_handler_of_this_repository():
    function = _properties("CreateData")
    module, name = function["Handler"].rsplit(".", 1)

    path = Path(__file__).parents[2] / f"{module.replace('.', '/')}.py"
    assert f"def {name}(" in path.read_text(encoding="utf-8")
    assert function["Runtime"] == "python3.13"
