"""Every role may do what its component was seen doing, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from scripts.aws.checks.needs import Asked, Need, needs
from scripts.aws.checks.policies import Grant, NotUnderstood, grants, narrowest
from scripts.aws.checks.rights import (
    ACTORS,
    COMPONENTS,
    UNRECORDED,
    Call,
    as_text,
    by_statement,
    calls_of,
    findings,
)
from scripts.aws.checks.sources import read
from scripts.aws.mutation import DROPPED, Mutant, Path, changed, mutants
from tests.emulator import ROOT
from tests.recording.calls import needs_in

SOURCES = read(ROOT)
DATA, COMPUTE = SOURCES.documents["data.yaml"], SOURCES.documents["compute.yaml"]
RECORDED = calls_of(SOURCES.calls)


def found(path: str, value: Any, *, file: str = "data.yaml") -> str:
    """What is found with `value` at a path like `TrainerRole.Properties`, as lines."""
    steps: Path = tuple(int(step) if step.isdecimal() else step for step in path.split("."))
    documents = dict(SOURCES.documents)
    documents[file] = changed(documents[file], ("Resources", *steps), value)
    return "\n".join(findings(documents["data.yaml"], documents["compute.yaml"], RECORDED))


def statement(role: str, sid: str) -> str:
    """The path of a statement of a role of data.yaml."""
    policies = DATA["Resources"][role]["Properties"]["Policies"]
    sids = [each["Sid"] for each in policies[0]["PolicyDocument"]["Statement"]]
    return f"{role}.Properties.Policies.0.PolicyDocument.Statement.{sids.index(sid)}"


def test_the_roles_are_what_was_recorded_needs():
    assert findings(DATA, COMPUTE, RECORDED) == []


def test_every_component_was_recorded():
    assert tuple(RECORDED) == COMPONENTS
    assert all(len(made) > 3 for made in RECORDED.values())


@pytest.mark.parametrize(
    ("role", "sid", "kept", "says"),
    [
        (
            *("CreateDataRole", "ReadAndWritePreparedData", "s3:GetObject"),
            "create_data: s3:PutObject on ReadyBucket/datasets/* is allowed by nothing",
        ),
        (
            *("TrainerRole", "TakeMessages", ["sqs:ReceiveMessage", "sqs:DeleteMessage"]),
            "trainer: sqs:ChangeMessageVisibility on TrainQueue is allowed by nothing",
        ),
        (
            *("WebappRole", "ReadAndWriteUploads", "s3:PutObject"),
            "webapp: s3:GetObject on RawBucket/datasets/* is allowed by nothing",
        ),
    ],
)
def test_a_right_that_is_needed_and_not_given_is_found(role: str, sid: str, kept: Any, says: str):
    assert says in found(f"{statement(role, sid)}.Action", kept)


@pytest.mark.parametrize(
    ("role", "sid", "given", "says"),
    [
        (
            *("TrainerRole", "SetMessagesAside", ["sqs:SendMessage", "sqs:PurgeQueue"]),
            "TrainerRole, SetMessagesAside: sqs:PurgeQueue on",
        ),
        (
            *("WebappRole", "MoveChampions", ["s3:PutObject", "s3:DeleteObject"]),
            "WebappRole, MoveChampions: s3:DeleteObject on",
        ),
    ],
)
def test_a_right_that_nobody_uses_is_found(role: str, sid: str, given: Any, says: str):
    lines = found(f"{statement(role, sid)}.Action", given)

    assert says in lines
    assert "is used by nobody" in lines


@pytest.mark.parametrize(
    ("role", "sid", "resource"),
    [
        ("CreateDataRole", "ReadUploads", {"Fn::Sub": "${RawBucket.Arn}/*"}),
        ("TrainerRole", "RemoveALostAttempt", {"Fn::Sub": "${ArtifactsBucket.Arn}/*"}),
        ("TrainerRole", "ReadAndWriteRuns", {"Fn::Sub": "${ArtifactsBucket.Arn}*"}),
        ("TrainerRole", "ReadAndWriteRuns", {"Fn::Sub": "arn:aws:s3:::chartbuster-${Stage}-*"}),
        ("TrainerRole", "FindDatasetsAndRuns", "*"),
        ("TrainerRole", "TakeMessages", {"Fn::Sub": "${TrainQueue.Arn}*"}),
        ("WebappRole", "MoveChampions", {"Fn::Sub": "${ArtifactsBucket.Arn}/*"}),
        ("WebappRole", "SeeHowFullQueuesAre", "*"),
    ],
)
def test_a_right_on_more_than_is_used_is_found(role: str, sid: str, resource: Any):
    assert f"{role}, {sid}: " in found(f"{statement(role, sid)}.Resource", resource)
    assert "is wider than its use" in found(f"{statement(role, sid)}.Resource", resource)


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get*", "s3:GetObjec?"])
def test_a_right_to_more_actions_than_are_used_is_found(action: str):
    lines = found(f"{statement('TrainerRole', 'ReadPreparedData')}.Action", action)

    assert f"TrainerRole, ReadPreparedData: {action} on " in lines
    assert "is wider than its use, s3:GetObject" in lines


PROTECTION = "TrainerMayFinish.Properties"


@pytest.mark.parametrize(
    ("file", "path", "value", "says"),
    [
        ("data.yaml", "CreateData.Properties.Role", {"Ref": "WebappRole"}, "Role is"),
        (
            "compute.yaml",
            "TrainerTask.Properties.TaskRoleArn",
            {"Ref": "WebappRoleArn"},
            "TaskRole",
        ),
        ("compute.yaml", "WebappTask.Properties.TaskRoleArn", DROPPED, "TaskRoleArn is None"),
        ("compute.yaml", f"{PROTECTION}.Roles", ["another"], "attached to ('another',)"),
        ("compute.yaml", PROTECTION, {}, "GetTaskProtection on"),
        ("compute.yaml", f"{PROTECTION}.Users", ["somebody"], "the policy is None"),
        ("compute.yaml", "Another", {"Type": "AWS::IAM::Role"}, "belongs to nobody"),
        ("data.yaml", "Another", {"Type": "AWS::IAM::ManagedPolicy"}, "is not understood"),
        ("data.yaml", "TrainerRole.Properties.ManagedPolicyArns", ["*"], "is not understood"),
        ("data.yaml", "RawBucket.Properties.BucketName", "another", "is used by nobody"),
    ],
)
def test_whatever_else_gives_a_component_rights_is_looked_at(
    file: str, path: str, value: Any, says: str
):
    assert says in found(path, value, file=file)


def test_a_call_of_a_component_that_has_none_recorded_is_missed():
    assert "calls.json has trainer, webapp; expected" in "\n".join(
        findings(DATA, COMPUTE, {name: RECORDED[name] for name in ("trainer", "webapp")})
    )


def test_an_exception_that_was_recorded_after_all_is_none():
    parked = Call("sqs:SendMessage", "LambdaDeadLetterQueue", ("ParkWhatFailed",))
    more = {**RECORDED, "create_data": (*RECORDED["create_data"], parked)}

    (line,) = findings(DATA, COMPUTE, more)

    assert line.endswith("SendMessage on LambdaDeadLetterQueue is recorded, so it is no exception")


def test_a_call_is_held_against_the_statement_that_was_meant_for_it():
    call, *others = RECORDED["trainer"]
    more = {**RECORDED, "trainer": (replace(call, by=("Another",)), *others)}

    (line,) = findings(DATA, COMPUTE, more)

    assert line.startswith(f"trainer: {call.action} on {call.on} is allowed by ")
    assert line.endswith("; expected Another")


def changes() -> Iterator[Mutant]:
    """Every change of a role, or of a policy beside one; tags are somebody else's to hold."""
    for file, names in (
        ("data.yaml", ("CreateDataRole", "TrainerRole", "WebappRole")),
        ("compute.yaml", ("TrainerExecutionRole", "WebappExecutionRole", "TrainerMayFinish")),
    ):
        parts = [("Resources", name, "Properties") for name in names]
        for mutant in mutants(file, SOURCES.documents[file], parts):
            if "Tags" not in mutant.path:
                yield mutant


def test_no_change_of_a_role_goes_unnoticed():
    made = list(changes())

    unnoticed = []
    for mutant in made:
        documents = dict(SOURCES.documents)
        documents[mutant.file] = changed(documents[mutant.file], mutant.path, mutant.value)
        if not findings(documents["data.yaml"], documents["compute.yaml"], RECORDED):
            unnoticed.append(str(mutant))

    assert len(made) > 200
    assert unnoticed == []


def test_every_exception_says_why_and_is_an_actors():
    actors = {actor.name for actor in ACTORS}

    assert all(len(each.reason) > 20 and each.actor in actors for each in UNRECORDED)


# --- which right a call needs ---------------------------------------------------------------------

AT = {"account": "1", "region": "r"}
OBJECT = {"Bucket": "b", "Key": "runs/1/manifest.json"}
QUEUE = {"QueueUrl": "http://127.0.0.1:4566/1/q"}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "wanted"),
    [
        ("s3", "GetObject", OBJECT, {"s3:GetObject arn:aws:s3:::b/runs/*"}),
        ("s3", "HeadObject", OBJECT, {"s3:GetObject arn:aws:s3:::b/runs/*"}),
        ("s3", "PutObject", OBJECT, {"s3:PutObject arn:aws:s3:::b/runs/*"}),
        ("s3", "DeleteObject", OBJECT, {"s3:DeleteObject arn:aws:s3:::b/runs/*"}),
        ("s3", "PutObject", {**OBJECT, "IfNoneMatch": "*"}, {"s3:PutObject arn:aws:s3:::b/runs/*"}),
        (
            *("s3", "PutObject", {**OBJECT, "IfMatch": "e"}),
            {"s3:PutObject arn:aws:s3:::b/runs/*", "s3:GetObject arn:aws:s3:::b/runs/*"},
        ),
        (
            "s3",
            "GetObject",
            {"Bucket": "b", "Key": "a.json"},
            {"s3:GetObject arn:aws:s3:::b/a.json"},
        ),
        (
            "s3",
            "ListObjectsV2",
            {"Bucket": "b", "Prefix": "runs/"},
            {"s3:ListBucket arn:aws:s3:::b"},
        ),
        ("sqs", "SendMessage", QUEUE, {"sqs:SendMessage arn:aws:sqs:r:1:q"}),
        ("sqs", "SendMessageBatch", QUEUE, {"sqs:SendMessage arn:aws:sqs:r:1:q"}),
        ("sqs", "DeleteMessageBatch", QUEUE, {"sqs:DeleteMessage arn:aws:sqs:r:1:q"}),
        (
            *("sqs", "ChangeMessageVisibilityBatch", QUEUE),
            {"sqs:ChangeMessageVisibility arn:aws:sqs:r:1:q"},
        ),
    ],
)
def test_an_operation_is_a_right_of_another_name(
    service: str, operation: str, parameters: dict[str, str], wanted: set[str]
):
    found = needs(Asked(service, operation, parameters), **AT)

    assert {f"{need.action} {need.resource}" for need in found} == wanted


@pytest.mark.parametrize("operation", ["GetObject", "HeadObject"])
def test_to_be_told_that_something_is_missing_takes_the_right_to_list(operation: str):
    found = needs(Asked("s3", operation, OBJECT, missing=True), **AT)

    assert found == {
        Need("s3:GetObject", "arn:aws:s3:::b/runs/*"),
        Need("s3:ListBucket", "arn:aws:s3:::b"),
    }


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "DeleteObjects", {"Bucket": "b"}),
        ("s3", "PutObject", {**OBJECT, "CopySource": "b/k"}),
        ("sqs", "PurgeQueue", QUEUE),
        ("sts", "GetCallerIdentity", {}),
    ],
)
def test_an_operation_nobody_has_thought_about_is_an_error(
    service: str, operation: str, parameters: dict[str, str]
):
    with pytest.raises(ValueError, match=f"{service} {operation} of .*; expected one of Change"):
        needs(Asked(service, operation, parameters), **AT)


# --- what a policy says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource", "asked", "on"),
    [
        ("s3:GetObject", "b/runs/*", "s3:GetObject", "b/runs/*"),
        ("s3:getobject", "b/runs/*", "s3:GetObject", "b/runs/1"),
        ("s3:Get*", "b/*", "s3:GetObject", "b/runs/*"),
        ("s3:GetObjec?", "b/runs/?", "s3:GetObject", "b/runs/1"),
        ("*", "*", "s3:GetObject", "b"),
    ],
)
def test_wildcards_allow_what_iam_lets_them(action: str, resource: str, asked: str, on: str):
    assert Grant("A", action, resource).allows(asked, on)


@pytest.mark.parametrize(
    ("action", "resource", "asked", "on"),
    [
        ("s3:GetObject", "b/runs/*", "s3:GetObjectVersion", "b/runs/1"),
        ("s3:GetObject", "b/runs/*", "s3:GetObject", "b/*"),
        ("s3:GetObject", "b/runs/?", "s3:GetObject", "b/runs/*"),
        ("s3:GetObject", "b/runs/1", "s3:GetObject", "b/runs/*"),
        ("s3:GetObject", "b.*", "s3:GetObject", "bb"),
        ("s3:GetObject", "B/runs/*", "s3:GetObject", "b/runs/1"),
    ],
)
def test_a_folder_is_allowed_only_where_all_of_it_is(
    action: str, resource: str, asked: str, on: str
):
    assert not Grant("A", action, resource).allows(asked, on)


def policy(**changes: Any) -> dict[str, Any]:
    said = {"Sid": "A", "Effect": "Allow", "Action": ["s:A", "s:B"], "Resource": "r", **changes}
    return {"Version": "2012-10-17", "Statement": [said]}


def test_a_policy_is_every_action_on_every_resource():
    assert grants(policy(Resource=["r", "q"])) == [
        *(Grant("A", "s:A", "r"), Grant("A", "s:A", "q")),
        *(Grant("A", "s:B", "r"), Grant("A", "s:B", "q")),
    ]


@pytest.mark.parametrize(
    "document",
    [
        policy(Effect="Deny"),
        policy(Condition={"Bool": {"aws:SecureTransport": "true"}}),
        policy(NotAction="s:A"),
        policy(Resource={"Fn::ImportValue": "somewhere"}),
        policy(Resource="${Unknown.Arn}/*"),
        policy(Resource=[""]),
        {**policy(), "Version": "2008-10-17"},
        {**policy(), "Id": "named"},
        {"Version": "2012-10-17", "Statement": policy()["Statement"][0]},
        None,
    ],
)
def test_a_policy_that_may_mean_something_else_is_not_understood(document: Any):
    with pytest.raises(NotUnderstood, match=r"expected|not known before"):
        grants(document)


@pytest.mark.parametrize(
    ("resources", "narrow"),
    [
        (["b/runs/*"], "b/runs/*"),
        (["b/runs/*", "b/active.json"], "b/*"),
        (["b/runs/1/*", "b/runs/2"], "b/runs/*"),
        (["b/champions/*", "b/cards/*"], "b/*"),
        (["arn:b", "arn:c"], ""),
    ],
)
def test_the_narrowest_pattern_is_the_folder_they_share(resources: list[str], narrow: str):
    assert narrowest(resources) == narrow


# --- what was recorded ----------------------------------------------------------------------------


def line(key: str = "test", role: str = "", status: int = 200, key_of_object: str = "k") -> str:
    return json.dumps(
        {
            "key": key,
            "role": role,
            "service": "s3",
            "operation": "GetObject",
            "status": status,
            "parameters": {"Bucket": "b", "Key": key_of_object},
        }
    )


def test_calls_are_the_components_whose_key_or_role_made_them():
    role = "arn:aws:iam::000000000000:role/chartbuster-local-data-CreateDataRole-1a2b3c"
    other = "arn:aws:iam::000000000000:role/somebody"

    found = needs_in(
        [
            line("trainer", key_of_object="t"),
            line("webapp", key_of_object="w", status=404),
            line("LSIA1", role, key_of_object="c"),
            line("LSIA2", other, key_of_object="o"),
            line("test"),
        ]
    )

    read = Need("s3:GetObject", "arn:aws:s3:::b/")
    assert found == {
        "create_data": {replace(read, resource=f"{read.resource}c")},
        "trainer": {replace(read, resource=f"{read.resource}t")},
        "webapp": {
            replace(read, resource=f"{read.resource}w"),
            Need("s3:ListBucket", "arn:aws:s3:::b"),
        },
    }


def test_what_is_written_is_read_again_with_names_in_the_place_of_arns():
    bucket = "arn:aws:s3:::chartbuster-local-000000000000-artifacts"
    asked = {
        Need("s3:DeleteObject", f"{bucket}/runs/*"),
        Need("s3:DeleteObject", f"{bucket}-of-others/runs/*"),
    }

    calls = by_statement(DATA, {"trainer": asked})

    assert calls_of(json.loads(as_text(calls))) == calls
    assert calls["trainer"] == (
        Call("s3:DeleteObject", "ArtifactsBucket/runs/*", ("RemoveALostAttempt",)),
        Call("s3:DeleteObject", f"{bucket}-of-others/runs/*", ()),
    )
