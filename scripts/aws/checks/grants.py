"""What the roles of data.yaml may do, written a second time: a right changes where both change.

Names are those of the stage `local` in LocalStack's account. That each right is needed is another
check's to say; that no role grew or shrank by accident is this one's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.aws.checks.resolving import ACCOUNT, REGION, Resolved

type Rights = Mapping[str, tuple[frozenset[str], frozenset[str]]]

_VERSION = "2012-10-17"
_HERE = f"{REGION}:{ACCOUNT}"


@dataclass(frozen=True)
class Policy:
    """One policy of a role: its name, and by statement which actions on which resources."""

    name: str
    rights: Rights


def _may(actions: str, *resources: str) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(actions.split()), frozenset(resources)


def _bucket(name: str, objects: str = "") -> str:
    return f"arn:aws:s3:::chartbuster-local-{ACCOUNT}-{name}{objects}"


def _queue(name: str) -> str:
    return f"arn:aws:sqs:{_HERE}:chartbuster-local-{name}"


def _logs(component: str) -> str:
    return f"arn:aws:logs:{_HERE}:log-group:/chartbuster/local/{component}:*"


_LETTERS = (_queue("train-dead-letters"), _queue("create-data-dead-letters"))
_WRITE_LOGS = "logs:CreateLogStream logs:PutLogEvents"
_TAKE = "sqs:ReceiveMessage sqs:DeleteMessage sqs:ChangeMessageVisibility"

_TASKS = "ecs-tasks.amazonaws.com"

ROLES: Mapping[str, tuple[str, Policy]] = {
    "CreateDataRole": (
        "lambda.amazonaws.com",
        Policy(
            "create-data",
            {
                "ReadUploads": _may("s3:GetObject", _bucket("raw", "/datasets/*")),
                "ReadAndWritePreparedData": _may(
                    "s3:GetObject s3:PutObject", _bucket("ready", "/datasets/*")
                ),
                "TellMissingFromForbidden": _may("s3:ListBucket", _bucket("raw"), _bucket("ready")),
                "ParkWhatFailed": _may("sqs:SendMessage", _queue("create-data-dead-letters")),
                "WriteLogs": _may(_WRITE_LOGS, _logs("create-data")),
            },
        ),
    ),
    "TrainerRole": (
        _TASKS,
        Policy(
            "trainer",
            {
                "ReadPreparedData": _may("s3:GetObject", _bucket("ready", "/datasets/*")),
                "ReadAndWriteRuns": _may("s3:GetObject s3:PutObject", _bucket("artifacts", "/*")),
                "RemoveALostAttempt": _may("s3:DeleteObject", _bucket("artifacts", "/runs/*")),
                "FindDatasetsAndRuns": _may(
                    "s3:ListBucket", _bucket("ready"), _bucket("artifacts")
                ),
                "TakeMessages": _may(_TAKE, _queue("train")),
                "SetMessagesAside": _may("sqs:SendMessage", _queue("train-dead-letters")),
            },
        ),
    ),
    "WebappRole": (
        _TASKS,
        Policy(
            "webapp",
            {
                "ReadAndWriteUploads": _may(
                    "s3:GetObject s3:PutObject", _bucket("raw", "/datasets/*")
                ),
                "ReadPreparedData": _may("s3:GetObject", _bucket("ready", "/datasets/*")),
                "ReadRunsAndChampions": _may("s3:GetObject", _bucket("artifacts", "/*")),
                "MoveChampions": _may("s3:PutObject", _bucket("artifacts", "/champions/*")),
                "FindUploadsTablesAndRuns": _may(
                    "s3:ListBucket", _bucket("raw"), _bucket("ready"), _bucket("artifacts")
                ),
                "SeeHowFullQueuesAre": _may("sqs:GetQueueAttributes", _queue("train"), *_LETTERS),
                "ReadAndRemoveDeadLetters": _may(_TAKE, *_LETTERS),
                "RedriveTrainings": _may("sqs:SendMessage", _queue("train")),
            },
        ),
    ),
}
"""By resource: which service may take the role, and what it then may do."""


def findings(data: Mapping[str, Any]) -> list[str]:
    """Each right that is another than this module says, and each role nobody knows, as a line."""
    resources = Resolved(data, {"Stage": "local"}).resources()
    roles = {
        name: resource
        for name, resource in resources.items()
        if resource["Type"].startswith("AWS::IAM::")
    }
    return [
        line
        for name in sorted({*roles, *ROLES})
        for line in (
            _differences(name, roles[name])
            if name in roles and name in ROLES
            else [f"{name} is {'not known here' if name in roles else 'missing'}"]
        )
    ]


def _differences(name: str, resource: Mapping[str, Any]) -> Iterator[str]:
    service, policy = ROLES[name]
    if set(resource) != {"Type", "Properties"} or resource["Type"] != "AWS::IAM::Role":
        yield f"{name} is {sorted(resource)} of {resource['Type']}; expected AWS::IAM::Role alone"
    given = resource["Properties"]
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if given["AssumeRolePolicyDocument"] != {"Version": _VERSION, "Statement": [trust]}:
        yield f"{name} can be taken by others than {service}, or by nobody"
    if unknown := set(given) - {"AssumeRolePolicyDocument", "Policies"}:
        yield f"{name} says {', '.join(sorted(unknown))}, which is not known here"
    if len(given["Policies"]) != 1:
        yield f"{name} has {len(given['Policies'])} policies; expected one"
    for each in given["Policies"]:
        yield from _policy(name, each, policy)


def _policy(where: str, given: Mapping[str, Any], wanted: Policy) -> Iterator[str]:
    if given["PolicyName"] != wanted.name:
        yield f"{where}'s policy is {given['PolicyName']!r}; expected {wanted.name!r}"
    document = given["PolicyDocument"]
    if document["Version"] != _VERSION or set(document) != {"Version", "Statement"}:
        yield f"{where}'s policy is not of the version {_VERSION}"
    rights = {}
    for statement in document["Statement"]:
        if set(statement) != {"Sid", "Effect", "Action", "Resource"} or (
            statement["Effect"] != "Allow"
        ):
            yield f"{where} says {statement}; expected Sid, Effect: Allow, Action and Resource"
            continue
        if statement["Sid"] in rights:
            yield f"{where} has two statements {statement['Sid']}"
        rights[statement["Sid"]] = (_all(statement["Action"]), _all(statement["Resource"]))
    for sid in sorted({*rights, *wanted.rights}):
        if rights.get(sid) != wanted.rights.get(sid):
            yield f"{where}: {sid} is {_spelt(rights.get(sid))}; expected " + _spelt(
                wanted.rights.get(sid)
            )


def _all(one_or_more: Any) -> frozenset[str]:
    """Actions or resources as a set; what is no known text is in it as it is spelt."""
    each = one_or_more if isinstance(one_or_more, list) else [one_or_more]
    return frozenset(one if isinstance(one, str) else repr(one) for one in each)


def _spelt(right: tuple[frozenset[str], frozenset[str]] | None) -> str:
    if right is None:
        return "nothing"
    return f"{', '.join(sorted(right[0]))} on {', '.join(sorted(right[1]))}"
