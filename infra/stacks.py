"""Plan and apply one CloudFormation stack: the same calls for LocalStack and for AWS.

A plan is a change set: it can be looked at and thrown away, which makes a dry run free. `apply`
carries one out and waits; `discard` leaves nothing behind; `settle` ends what others left halfway.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, WaiterError

from chartbuster.errors import Permanent, TryAgain

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        DescribeEventsInputPaginateTypeDef,
        StackTypeDef,
    )

_BUSY = "_IN_PROGRESS"
_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
FAILED_FIRST_TRY = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"})
"""The states of a stack that was never there whole: it can only be deleted, and made anew."""

ONLY_PLANNED = "REVIEW_IN_PROGRESS"
"""The state of a stack that exists only as a plan."""

_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
# What CloudFormation says of resources that failed only because another one had.
_FOLLOWED = ("Resource creation cancelled", "Resource update cancelled")
# What CloudFormation found wrong before it began is told by another call than all else.
_TOLD_ELSEWHERE = "DescribeEvents"
_PREFIX = "plan-"
_POLL_SECONDS = 0.3


def _silent(_line: str) -> None:
    pass


class DeploymentFailed(Permanent):
    """A stack that CloudFormation would not plan or apply; holds the reasons of its resources."""


class DeploymentSlow(TryAgain):
    """A stack that was still busy when the patience ran out; running again goes on from there."""


@dataclass(frozen=True)
class Change:
    """One line of a plan: `Add`, `Modify` or `Remove` of a resource; `replaced` means made anew.

    `perhaps` is said of a resource that is made anew only if what it refers to is.
    """

    action: str
    name: str
    type: str
    replaced: bool
    perhaps: bool = False


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
    tags: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = _silent,
    patience: float = 120.0,
    pause: float = _POLL_SECONDS,
) -> Plan:
    """What `body` with `parameters` would change in `stack`; changes nothing yet.

    What is under way in the stack is waited for first, and what failed halfway is cleared away, as
    `settle` does. `tags` come beside that of the project; `pause` is how often CloudFormation is
    asked, in seconds. Raises `DeploymentFailed` when CloudFormation refuses the template or the
    parameters.
    """
    settle(client, stack, progress=progress, patience=patience, pause=pause)
    new = status(client, stack) in {None, ONLY_PLANNED}
    asked = repr((body, sorted(parameters.items()), time.time_ns()))
    name = f"{_PREFIX}{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
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
            Tags=[
                {"Key": key, "Value": value}
                for key, value in {"project": "chartbuster", **(tags or {})}.items()
            ],
        )
    except ClientError as error:
        raise DeploymentFailed(f"stack {stack!r} cannot be planned: {error}") from error
    wanted = Plan(stack, name, (), new)
    deadline = time.monotonic() + patience
    try:
        while True:
            answer = client.describe_change_set(StackName=stack, ChangeSetName=name)
            match answer["Status"]:
                case "CREATE_COMPLETE":
                    return Plan(stack, name, _changes(client, stack, name), new)
                case "FAILED":
                    reason = answer.get("StatusReason", "no reason given")
                    if _TOLD_ELSEWHERE in reason:
                        reason = _found_wrong(client, stack, name) or reason
                    discard(client, wanted)
                    if any(words in reason for words in _NOTHING_TO_DO):
                        return Plan(stack, "", (), new)
                    raise DeploymentFailed(f"stack {stack!r} cannot be planned: {reason}")
            _wait(deadline, f"the plan for stack {stack!r}", patience, pause)
    except KeyboardInterrupt:
        discard(client, wanted)
        raise


def apply(
    client: "CloudFormationClient",
    wanted: Plan,
    *,
    progress: Callable[[str], None] = _silent,
    patience: float = 900.0,
    pause: float = _POLL_SECONDS,
) -> dict[str, str]:
    """Carry `wanted` out, wait until it is done, and return the stack's outputs by name.

    `progress` gets a line for each resource as it is finished; `pause` is how often CloudFormation
    is asked, in seconds. A plan without changes only reads the outputs. Raises `DeploymentFailed`
    with the reasons of the resources that failed, `DeploymentSlow` when it is not done within
    `patience` seconds.
    """
    told, planned = set[_Done](), {change.name for change in wanted.changes}
    good = _GOOD | {"UPDATE_ROLLBACK_COMPLETE"}
    if wanted.change_set:
        good = _GOOD
        told = set() if wanted.creates_stack else set(_resources_done(client, wanted.stack))
        _execute(client, wanted)
    deadline = time.monotonic() + patience
    while True:
        now = status(client, wanted.stack)
        if now is None:
            raise DeploymentFailed(f"stack {wanted.stack!r} is gone; somebody else deleted it")
        for resource in _resources_done(client, wanted.stack) if planned else ():
            if resource.name in planned and resource not in told:
                told.add(resource)
                progress(f"{resource.name}: {resource.status}")
        if not now.endswith(_BUSY):
            break
        _wait(deadline, f"stack {wanted.stack!r} ({now})", patience, pause)
    if now not in good:
        raise DeploymentFailed(
            f"stack {wanted.stack!r} ended as {now}: {_reasons(client, wanted.stack)}"
        )
    return outputs(client, wanted.stack)


def settle(
    client: "CloudFormationClient",
    stack: str,
    *,
    progress: Callable[[str], None] = _silent,
    patience: float = 900.0,
    pause: float = _POLL_SECONDS,
) -> None:
    """Bring `stack` to where it can be planned for, whatever an earlier run left behind.

    What is under way is waited for, a way back that stopped halfway is gone to its end, and a stack
    whose very first creation failed is deleted. Raises `DeploymentFailed` where that does not work,
    `DeploymentSlow` when it takes more than `patience` seconds.
    """
    deadline, told, resumed = time.monotonic() + patience, "", False
    while True:
        now = status(client, stack)
        if now in FAILED_FIRST_TRY:
            progress(f"the first creation of stack {stack} failed; it is deleted, to try again")
            _delete(client, stack, patience)
            return
        if now == "DELETE_FAILED":
            raise DeploymentFailed(
                f"stack {stack!r} could not be deleted ({_reasons(client, stack)}); delete it to "
                "the end before anything is deployed"
            )
        if now == "UPDATE_ROLLBACK_FAILED":
            if resumed:
                raise DeploymentFailed(
                    f"stack {stack!r} finds no way back: {_reasons(client, stack)}"
                )
            progress(f"the way back of stack {stack} had stopped halfway; it goes on")
            client.continue_update_rollback(StackName=stack)
            resumed = True
        elif now is None or now == ONLY_PLANNED or not now.endswith(_BUSY):
            return
        elif now != told:
            progress(f"stack {stack} is {now} already; waiting for it to end")
            told = now
        _wait(deadline, f"stack {stack!r} ({now})", patience, pause)


def tidy(client: "CloudFormationClient", stack: str) -> None:
    """Remove the plans that interrupted runs left in `stack`; others' change sets stay."""
    try:
        found = client.list_change_sets(StackName=stack)["Summaries"]
    except ClientError as error:
        if "does not exist" in str(error):
            return
        raise
    for left in found:
        name = left.get("ChangeSetName", "")
        if name.startswith(_PREFIX):
            client.delete_change_set(StackName=stack, ChangeSetName=name)


def discard(client: "CloudFormationClient", unwanted: Plan) -> None:
    """Throw a plan away; a stack that exists only as a plan goes with it."""
    if unwanted.change_set:
        client.delete_change_set(StackName=unwanted.stack, ChangeSetName=unwanted.change_set)
    if unwanted.creates_stack and status(client, unwanted.stack) == ONLY_PLANNED:
        client.delete_stack(StackName=unwanted.stack)


def outputs(client: "CloudFormationClient", stack: str) -> dict[str, str]:
    """The outputs of a deployed stack by name; empty where there is no such stack."""
    return {
        output["OutputKey"]: output["OutputValue"]
        for found in _describe(client, stack)
        for output in found.get("Outputs", [])
    }


def parameters(client: "CloudFormationClient", stack: str) -> dict[str, str]:
    """The parameters a deployed stack has, by name; empty where there is no such stack."""
    return {
        parameter["ParameterKey"]: parameter.get("ParameterValue", "")
        for found in _describe(client, stack)
        for parameter in found.get("Parameters", [])
    }


def status(client: "CloudFormationClient", stack: str) -> str | None:
    """The stack's state as CloudFormation spells it, or None where there is no such stack."""
    found = _describe(client, stack)
    return found[0]["StackStatus"] if found else None


def failures(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Why the last change of a stack failed, from its events, newest first; the cause comes first.

    Resources that failed only because another one had are left out.
    """
    causes, followers = list[str](), list[str]()
    for event in events:
        state, reason = event.get("ResourceStatus", ""), event.get("ResourceStatusReason", "")
        if "FAILED" in state:
            line = f"{event.get('LogicalResourceId')}: {reason or 'no reason given'}"
            follows = any(words in reason for words in _FOLLOWED)
            (followers if follows else causes).append(line)
        own = event.get("PhysicalResourceId") == event.get("StackId")
        if own and state in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}:
            break
    return list(dict.fromkeys(reversed(causes or followers)))


def found_wrong(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """What was wrong with the last change before it began, from the events of operations."""
    errors = [
        event
        for event in events
        if event.get("EventType") == "VALIDATION_ERROR"
        and event.get("ValidationFailureMode") != "WARN"
    ]
    if not errors:
        return []
    last = max(errors, key=lambda event: str(event.get("Timestamp", ""))).get("OperationId")
    return [
        f"{event.get('LogicalResourceId')}: "
        f"{event.get('ValidationStatusReason') or event.get('ValidationName', 'no reason given')}"
        for event in errors
        if event.get("OperationId") == last
    ]


@dataclass(frozen=True)
class _Done:
    """A resource that is not busy; `at` tells one change of it from the next."""

    name: str
    status: str
    at: str


def _describe(client: "CloudFormationClient", stack: str) -> list["StackTypeDef"]:
    try:
        return client.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return []
        raise


def _execute(client: "CloudFormationClient", wanted: Plan) -> None:
    try:
        client.execute_change_set(StackName=wanted.stack, ChangeSetName=wanted.change_set)
    except ClientError as error:
        raise DeploymentFailed(
            f"stack {wanted.stack!r} changed since it was planned for ({error}); run it again"
        ) from error


def _delete(client: "CloudFormationClient", stack: str, patience: float) -> None:
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
            replaced=change.get("Replacement") == "True",
            perhaps=change.get("Replacement") == "Conditional",
        )
        for page in pages.paginate(StackName=stack, ChangeSetName=name)
        for item in page["Changes"]
        if (change := item.get("ResourceChange")) is not None
    )


def _resources_done(client: "CloudFormationClient", stack: str) -> list[_Done]:
    return [
        _Done(
            resource["LogicalResourceId"],
            resource["ResourceStatus"],
            str(resource.get("Timestamp", "")),
        )
        for resource in client.describe_stack_resources(StackName=stack)["StackResources"]
        if not resource["ResourceStatus"].endswith(_BUSY)
    ]


def _reasons(client: "CloudFormationClient", stack: str) -> str:
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack)
    said = "; ".join(failures(event for page in pages for event in page["StackEvents"]))
    if _TOLD_ELSEWHERE in said:
        said = _found_wrong(client, stack) or said
    return said or "CloudFormation gave no reason"


def _found_wrong(client: "CloudFormationClient", stack: str, change_set: str = "") -> str:
    wanted: DescribeEventsInputPaginateTypeDef = {
        "StackName": stack,
        "Filters": {"FailedEvents": True},
    }
    if change_set:
        wanted["ChangeSetName"] = change_set
    pages = client.get_paginator("describe_events").paginate(**wanted)
    return "; ".join(found_wrong(event for page in pages for event in page["OperationEvents"]))


def _wait(deadline: float, what: str, patience: float, pause: float) -> None:
    if time.monotonic() > deadline:
        raise DeploymentSlow(f"{what} was not finished after {patience:.0f} s; run it again")
    time.sleep(pause)
