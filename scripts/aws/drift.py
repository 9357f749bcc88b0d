"""What was changed by hand in a deployed stage: CloudFormation compares it with its templates."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chartbuster.errors import Unreachable
from infra.stacks import DeploymentSlow
from scripts.aws.account import Account
from scripts.aws.calls import asking
from scripts.aws.stage import is_not_offered

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackResourceDriftTypeDef

_POLL_SECONDS = 1.0
_COMPARED = {"IN_SYNC", "MODIFIED", "DELETED"}
_LONGEST_VALUE = 120


class NotOffered(Unreachable):
    """A stand-in that cannot compare; AWS can."""


@dataclass(frozen=True)
class Property:
    """One property that is not as the template has it; `path` like /Properties/Timeout."""

    path: str
    expected: str
    actual: str


@dataclass(frozen=True)
class Changed:
    """A resource that was changed by hand, or `deleted`."""

    name: str
    type: str
    id: str
    deleted: bool
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Drift:
    """One stack: how many of its resources could be compared, and those that differ."""

    stack: str
    compared: int
    resources: int
    changed: tuple[Changed, ...]


def drift_of(
    account: Account,
    stack: str,
    *,
    patience: float = 600.0,
    rest: Callable[[float], object] = time.sleep,
) -> Drift:
    """Have CloudFormation compare `stack` with its template, and wait for what it finds.

    Raises `NotOffered` where a stand-in cannot, `Unreachable` when the comparison fails, and
    `DeploymentSlow` when it takes longer than `patience` seconds.
    """
    client = account.session.client("cloudformation")
    with asking(f"compare stack {stack} with its template"):
        try:
            detection = client.detect_stack_drift(StackName=stack)["StackDriftDetectionId"]
        except ClientError as error:
            if is_not_offered(account, error):
                raise NotOffered(
                    "this stand-in does not compare stacks with their templates, as AWS does: "
                    f"{error}"
                ) from error
            raise
        deadline = time.monotonic() + patience
        while True:
            said = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
            match said["DetectionStatus"]:
                case "DETECTION_COMPLETE":
                    return _found(client, stack)
                case "DETECTION_FAILED":
                    raise Unreachable(
                        f"stack {stack} could not be compared with its template: "
                        f"{said.get('DetectionStatusReason', 'no reason given')}"
                    )
            if time.monotonic() > deadline:
                raise DeploymentSlow(
                    f"comparing stack {stack} with its template took longer than "
                    f"{patience:.0f} s; run it again"
                )
            rest(_POLL_SECONDS)


def told(drift: Drift) -> list[str]:
    """What was changed, in words."""
    return [line for each in drift.changed for line in _told(each)]


def _told(changed: Changed) -> Iterable[str]:
    what = "was deleted" if changed.deleted else "was changed"
    yield f"{changed.name} ({changed.type}, {changed.id}) {what}"
    for each in changed.properties:
        yield f"  {each.path}: {_short(each.actual)} instead of {_short(each.expected)}"


def _short(value: str) -> str:
    if not value:
        return "nothing"
    return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]} …"


def _found(client: "CloudFormationClient", stack: str) -> Drift:
    drifts: list[StackResourceDriftTypeDef] = []
    page = client.describe_stack_resource_drifts(StackName=stack)
    drifts += page["StackResourceDrifts"]
    while token := page.get("NextToken"):
        page = client.describe_stack_resource_drifts(StackName=stack, NextToken=token)
        drifts += page["StackResourceDrifts"]
    resources = client.describe_stack_resources(StackName=stack)["StackResources"]
    return Drift(
        stack=stack,
        compared=sum(each["StackResourceDriftStatus"] in _COMPARED for each in drifts),
        resources=len(resources),
        changed=tuple(
            Changed(
                name=each["LogicalResourceId"],
                type=each["ResourceType"],
                id=each.get("PhysicalResourceId", ""),
                deleted=each["StackResourceDriftStatus"] == "DELETED",
                properties=tuple(
                    Property(
                        difference["PropertyPath"],
                        difference.get("ExpectedValue", ""),
                        difference.get("ActualValue", ""),
                    )
                    for difference in each.get("PropertyDifferences", [])
                ),
            )
            for each in drifts
            if each["StackResourceDriftStatus"] in {"MODIFIED", "DELETED"}
        ),
    )
