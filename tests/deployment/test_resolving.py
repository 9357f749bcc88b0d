"""A template is resolved as far as its values are known, and no further."""

from typing import Any

import pytest

from scripts.aws.checks.resolving import Resolved
from scripts.aws.checks.sources import parsed, short

TEMPLATE = parsed("""
Parameters:
  Stage: { Type: String, Default: dev }
  Name: { Type: String, Default: "" }
Mappings:
  Sizes: { dev: { Cpu: "256" }, live: { Cpu: "2048" } }
Conditions:
  Live: !Equals [!Ref Stage, live]
  Named: !Not [!Equals [!Ref Name, ""]]
  Both: !And [!Condition Live, Condition: Named]
  Either: !Or [Condition: Live, Condition: Named]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: { BucketName: !Sub "x-${Stage}-${AWS::AccountId}" }
  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub "x-${Stage}" } }
  Logs: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /x } }
  Role: { Type: AWS::IAM::Role, Condition: Named, Properties: {} }
Outputs:
  Bucket: { Value: !Ref Bucket }
""")


def value(text: str, **parameters: str) -> Any:
    return Resolved(TEMPLATE, parameters, endpoint="http://sqs").value(parsed(f"x: {text}")["x"])


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("!Ref Stage", "dev"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref Bucket", "x-dev-000000000000"),
        ("!Ref Queue", "http://sqs/000000000000/x-dev"),
        ("!Ref Logs", "/x"),
        ("!GetAtt Bucket.Arn", "arn:aws:s3:::x-dev-000000000000"),
        ("!GetAtt Queue.Arn", "arn:aws:sqs:us-east-1:000000000000:x-dev"),
        ("!GetAtt Logs.Arn", "arn:aws:logs:us-east-1:000000000000:log-group:/x:*"),
        ('!Sub "${Bucket.Arn}/*"', "arn:aws:s3:::x-dev-000000000000/*"),
        ('!Sub ["${A}-${Stage}", { A: !Ref Stage }]', "dev-dev"),
        ('!Sub "${!Stage}"', "${Stage}"),
        ("!Join ['-', [a, !Ref Stage]]", "a-dev"),
        ("!Select [1, !Split ['/', a/b]]", "b"),
        ("!FindInMap [Sizes, !Ref Stage, Cpu]", "256"),
        ("!If [Live, 1, 2]", 2),
        ("[1, !If [Live, 2, !Ref AWS::NoValue]]", [1]),
        ("{ a: !Ref AWS::NoValue, b: 1 }", {"b": 1}),
        ("!Ref AWS::NoValue", None),
    ],
)
def test_what_is_known_takes_the_place_of_the_function(text: str, known: Any):
    assert value(text) == known


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("!GetAtt Role.Arn", {"Fn::GetAtt": ["Role", "Arn"]}),
        ("!Ref Role", {"Ref": "Role"}),
        ("!Ref Elsewhere", {"Ref": "Elsewhere"}),
        ('!Sub "${Role.Arn}-${Stage}"', "${Role.Arn}-dev"),
        ("!Join ['-', [a, !Ref Role]]", {"Fn::Join": ["-", ["a", {"Ref": "Role"}]]}),
        ("!Select [0, !Split ['/', !Ref Role]]", None),
    ],
)
def test_what_only_a_deployment_knows_stays_a_function(text: str, left: Any):
    if left is None:
        assert "Fn::Select" in value(text)
    else:
        assert value(text) == left


@pytest.mark.parametrize(
    ("parameters", "holding"),
    [
        ({}, set()),
        ({"Stage": "live"}, {"Live", "Either"}),
        ({"Name": "n"}, {"Named", "Either"}),
        ({"Stage": "live", "Name": "n"}, {"Live", "Named", "Both", "Either"}),
    ],
)
def test_conditions_hold_by_the_parameters_and_resources_come_with_them(
    parameters: dict[str, str], holding: set[str]
):
    resolved = Resolved(TEMPLATE, parameters)

    assert {name for name in TEMPLATE["Conditions"] if resolved.holds(name)} == holding
    assert ("Role" in resolved.resources()) == ("Named" in holding)


def test_a_condition_that_is_none_is_refused():
    odd = {"Conditions": {"Odd": {"Fn::Like": ["a", "a"]}}}

    with pytest.raises(KeyError, match="Fn::Like"):
        Resolved(odd, {}).holds("Odd")


def test_outputs_are_resolved_too_and_one_that_is_not_there_is_none():
    assert Resolved(TEMPLATE, {"Stage": "live"}).output("Bucket") == "x-live-000000000000"
    assert Resolved(TEMPLATE, {}).output("Nothing") is None


def test_functions_have_a_long_name_and_the_short_one_they_are_written_with():
    text = 'x: [!GetAtt Queue.Arn, !Sub "${Stage}", !Ref Stage, !If [Live, 1, 2], { a: !Base64 b }]'

    assert short(parsed(text)) == {
        "x": [
            {"GetAtt": "Queue.Arn"},
            {"Sub": "${Stage}"},
            {"Ref": "Stage"},
            {"If": ["Live", 1, 2]},
            {"a": {"Base64": "b"}},
        ]
    }
