"""Plan and apply one CloudFormation stack: the same calls for LocalStack and for AWS.

A plan is a change set: it can be looked at and thrown away, which makes a dry run free. `apply`
carries one out and waits; `discard` leaves nothing behind.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, WaiterError

from chartbuster.errors import Permanent, TryAgain

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_BUSY = "_IN_PROGRESS"
_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
_POLL_SECONDS = 0.3


class DeploymentFailed(Permanent):
    """A stack that CloudFormation would not plan or apply; holds the reasons of its resources."""


class DeploymentSlow(TryAgain):
    """A stack that was still busy when the patience ran out; running again goes on from there."""


@dataclass(frozen=True)
class Change:
    """One line of a plan: `Add`, `Modify` or `Remove` of a resource; `replaced` means made anew."""

    action: str
    name: str
    type: str
    replaced: bool


@dataclass(frozen=True)
class Plan:
    """What applying would do to `stack`; without `changes` there is nothing to apply."""

    stack: str
    change_set: str
    changes: tuple[Change, ...]
    creates_stack: bool


def template(name: str) -> str:
    """The text of one of this folder's templates, like `data.yaml`."""
    return (files("infra") / name).read_text(encoding="utf-8")


def plan(
    client: "CloudFormationClient",
    stack: str,
    body: str,
    parameters: Mapping[str, str],
    *,
    patience: float = 120.0,
) -> Plan:
    """What `body` with `parameters` would change in `stack`; changes nothing yet.

    Raises `DeploymentFailed` when CloudFormation refuses the template or the parameters.
    """
    _clear_failed_first_try(client, stack, patience)
    new = _status(client, stack) in {None, "REVIEW_IN_PROGRESS"}
    asked = repr((body, sorted(parameters.items()), time.time_ns()))
    name = f"plan-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
    try:
        client.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="CREATE" if new else "UPDATE",
            TemplateBody=body,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
            Tags=[{"Key": "project", "Value": "chartbuster"}],
        )
    except ClientError as error:
        raise DeploymentFailed(f"stack {stack!r} cannot be planned: {error}") from error
    deadline = time.monotonic() + patience
    while True:
        answer = client.describe_change_set(StackName=stack, ChangeSetName=name)
        match answer["Status"]:
            case "CREATE_COMPLETE":
                return Plan(stack, name, _changes(client, stack, name), new)
            case "FAILED":
                reason = answer.get("StatusReason", "no reason given")
                discard(client, Plan(stack, name, (), new))
                if any(words in reason for words in _NOTHING_TO_DO):
                    return Plan(stack, "", (), new)
                raise DeploymentFailed(f"stack {stack!r} cannot be planned: {reason}")
        _wait(deadline, f"the plan for stack {stack!r}", patience)


def apply(
    client: "CloudFormationClient",
    wanted: Plan,
    *,
    progress: Callable[[str], None] = lambda _line: None,
    patience: float = 900.0,
) -> dict[str, str]:
    """Carry `wanted` out, wait until it is done, and return the stack's outputs by name.

    `progress` gets a line for each resource as it is finished. A plan without changes only reads
    the outputs. Raises `DeploymentFailed` with the reasons of the resources that failed.
    """
    if wanted.change_set:
        client.execute_change_set(StackName=wanted.stack, ChangeSetName=wanted.change_set)
    deadline, told = time.monotonic() + patience, set[str]()
    while True:
        status = _status(client, wanted.stack)
        if status is None:
            raise DeploymentFailed(f"stack {wanted.stack!r} is gone; somebody else deleted it")
        for resource in _resources_done(client, wanted.stack):
            if wanted.changes and resource not in told:
                told.add(resource)
                progress(resource)
        if not status.endswith(_BUSY):
            break
        _wait(deadline, f"stack {wanted.stack!r} ({status})", patience)
    if status not in _GOOD:
        raise DeploymentFailed(
            f"stack {wanted.stack!r} ended as {status}: {_reasons(client, wanted.stack)}"
        )
    return outputs(client, wanted.stack)


def discard(client: "CloudFormationClient", unwanted: Plan) -> None:
    """Throw a plan away; a stack that exists only as a plan goes with it."""
    if unwanted.change_set:
        client.delete_change_set(StackName=unwanted.stack, ChangeSetName=unwanted.change_set)
    if unwanted.creates_stack and _status(client, unwanted.stack) == "REVIEW_IN_PROGRESS":
        client.delete_stack(StackName=unwanted.stack)


def outputs(client: "CloudFormationClient", stack: str) -> dict[str, str]:
    """The outputs of a deployed stack by name; empty where there is no such stack."""
    return {
        output["OutputKey"]: output["OutputValue"]
        for found in _describe(client, stack)
        for output in found.get("Outputs", [])
    }


def _describe(client: "CloudFormationClient", stack: str) -> list["StackTypeDef"]:
    try:
        return client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return []
        raise


def _status(client: "CloudFormationClient", stack: str) -> str | None:
    found = _describe(client, stack)
    return found[0]["StackStatus"] if found else None


def _clear_failed_first_try(client: "CloudFormationClient", stack: str, patience: float) -> None:
    """A stack whose very first creation failed can only be deleted; do that, to try again."""
    if _status(client, stack) not in {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"}:
        return
    client.delete_stack(StackName=stack)
    waiter = client.get_waiter("stack_delete_complete")
    try:
        waiter.wait(StackName=stack, WaiterConfig={"Delay": 2, "MaxAttempts": int(patience / 2)})
    except WaiterError as error:
        raise DeploymentFailed(
            f"stack {stack!r} failed at its first creation and could not be deleted: {error}"
        ) from error


def _changes(client: "CloudFormationClient", stack: str, name: str) -> tuple[Change, ...]:
    pages = client.get_paginator("describe_change_set")
    return tuple(
        Change(
            action=change.get("Action", ""),
            name=change.get("LogicalResourceId", ""),
            type=change.get("ResourceType", ""),
            replaced=change.get("Replacement", "False") != "False",
        )
        for page in pages.paginate(StackName=stack, ChangeSetName=name)
        for item in page["Changes"]
        if (change := item.get("ResourceChange")) is not None
    )


def _resources_done(client: "CloudFormationClient", stack: str) -> list[str]:
    return [
        f"{resource['LogicalResourceId']}: {resource['ResourceStatus']}"
        for resource in client.describe_stack_resources(StackName=stack)["StackResources"]
        if not resource["ResourceStatus"].endswith(_BUSY)
    ]


def _reasons(client: "CloudFormationClient", stack: str) -> str:
    events = client.describe_stack_events(StackName=stack)["StackEvents"]
    reasons = [
        f"{event.get('LogicalResourceId')}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if "FAILED" in event.get("ResourceStatus", "")
    ]
    return "; ".join(reasons) or "CloudFormation gave no reason"


def _wait(deadline: float, what: str, patience: float) -> None:
    if time.monotonic() > deadline:
        raise DeploymentSlow(f"{what} was not finished after {patience:.0f} s; run it again")
    time.sleep(_POLL_SECONDS)
