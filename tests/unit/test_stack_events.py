"""Why a stack failed, decided from CloudFormation's events."""

from typing import Any

from infra.stacks import failures, found_wrong

STACK = {"StackId": "the-stack", "PhysicalResourceId": "the-stack"}


def event(name: str, state: str, reason: str = "") -> dict[str, Any]:
    return {
        "StackId": "the-stack",
        "PhysicalResourceId": name,
        "LogicalResourceId": name,
        "ResourceStatus": state,
        "ResourceStatusReason": reason,
    }


def error(name: str, reason: str, *, at: str = "12:00", **changes: str) -> dict[str, Any]:
    return {
        "EventType": "VALIDATION_ERROR",
        "ValidationFailureMode": "FAIL",
        "OperationId": at,
        "Timestamp": at,
        "LogicalResourceId": name,
        "ValidationStatusReason": reason,
        **changes,
    }


def test_the_cause_of_a_failure_is_told_and_what_only_followed_is_not():
    newest_first = [
        event("Second", "CREATE_FAILED", "Resource creation cancelled"),
        event("First", "CREATE_FAILED", "the name is taken"),
        {**STACK, "LogicalResourceId": "stack", "ResourceStatus": "UPDATE_IN_PROGRESS"},
        event("Third", "CREATE_FAILED", "of an earlier change"),
    ]

    assert failures(newest_first) == ["First: the name is taken"]


def test_what_was_wrong_before_the_last_change_began_is_told_and_warnings_are_not():
    events = [
        error("Earlier", "of an earlier change", at="11:00"),
        error("Raw", "the name is taken"),
        error("Ready", "", ValidationName="PROPERTY_VALIDATION"),
        error("Fine", "might be better", ValidationFailureMode="WARN"),
        {"EventType": "STACK_EVENT", "LogicalResourceId": "Raw", "Timestamp": "12:01"},
    ]

    assert found_wrong(events) == ["Raw: the name is taken", "Ready: PROPERTY_VALIDATION"]


def test_a_change_that_began_has_nothing_found_wrong_before_it():
    assert found_wrong([{"EventType": "STACK_EVENT", "Timestamp": "12:01"}]) == []
