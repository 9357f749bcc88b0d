"""What each role of data.yaml may do is what is written down, and no more."""

from typing import Any

import pytest

from scripts.aws.checks.grants import findings
from scripts.aws.checks.sources import read
from scripts.aws.mutation import DROPPED, Path, changed
from tests.emulator import ROOT

DATA = read(ROOT).documents["data.yaml"]
POLICY = "TrainerRole.Properties.Policies.0"
FIRST = f"{POLICY}.PolicyDocument.Statement.0"


def found(path: str, value: Any) -> list[str]:
    steps: Path = tuple(int(step) if step.isdecimal() else step for step in path.split("."))
    return findings(changed(DATA, ("Resources", *steps), value))


def test_every_role_may_do_what_is_written_down():
    assert findings(DATA) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("TrainerRole", DROPPED),
        ("AnotherRole", {"Type": "AWS::IAM::Role", "Properties": {}}),
        ("APolicy", {"Type": "AWS::IAM::ManagedPolicy", "Properties": {}}),
        ("TrainerRole.Properties.ManagedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
        ("TrainerRole.Properties.Policies", []),
        ("TrainerRole.Properties.AssumeRolePolicyDocument.Statement.0.Principal", {"AWS": "*"}),
        ("TrainerRole.Properties.AssumeRolePolicyDocument.Version", "2008-10-17"),
        (f"{POLICY}.PolicyName", "another"),
        (f"{POLICY}.PolicyDocument.Version", "2008-10-17"),
        (f"{POLICY}.PolicyDocument.Statement.0", DROPPED),
        (f"{FIRST}.Sid", "Another"),
        (f"{FIRST}.Effect", "Deny"),
        (f"{FIRST}.Action", "s3:*"),
        (f"{FIRST}.Action", ["s3:GetObject", "s3:PutObject"]),
        (f"{FIRST}.Resource", "*"),
        (f"{FIRST}.Resource", {"Fn::Sub": "${ReadyBucket.Arn}/*"}),
        (f"{FIRST}.Resource", {"Fn::Sub": "${RawBucket.Arn}/datasets/*"}),
        (f"{FIRST}.Condition", {"Bool": {"aws:SecureTransport": "true"}}),
        (f"{POLICY}.PolicyDocument.Statement.4.Resource", {"Fn::GetAtt": ["Another", "Arn"]}),
        ("TrainQueue.Properties.QueueName", "another"),
        ("ArtifactsBucket.Properties.BucketName", {"Fn::Sub": "${Stage}-artifacts"}),
    ],
    ids=lambda part: str(part)[-40:],
)
def test_a_right_that_is_not_written_down_is_found(path: str, value: Any):
    assert found(path, value)


def test_it_says_which_right_is_another_and_what_was_expected():
    line = found(f"{FIRST}.Action", "s3:DeleteObject")[0]

    ready = "arn:aws:s3:::chartbuster-local-000000000000-ready/datasets/*"
    assert line == (
        f"TrainerRole: ReadPreparedData is s3:DeleteObject on {ready}; "
        f"expected s3:GetObject on {ready}"
    )
