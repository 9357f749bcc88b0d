"""Nothing is deployed that nobody agreed to: asked for on a terminal, or said with CONFIRM=yes."""

import io
import sys
from collections.abc import Callable
from dataclasses import replace

import boto3
import pytest
from rich.console import Console

from chartbuster.errors import Misconfigured
from scripts.aws.account import Account
from scripts.aws.confirming import check_can_ask, confirmed
from scripts.aws.planning import Part, Preview
from scripts.aws.prices import Cost, Task
from scripts.deploy_aws import agreed
from scripts.steps import Steps

PROD = Account("111122223333", "us-east-1", "prod", endpoint="", session=boto3.Session())
TASK = Task(vcpu=1, gigabytes=2, processor="X86_64", spot=False, addresses=1)
NOTHING_NEW = Preview(
    (Part("data", "chartbuster-prod-data", exists=True, changes=()),),
    pushes=(),
    sends_zip=False,
    cost=Cost((), 0.0, TASK),
)


def typing(answer: str, asked: list[str]) -> Callable[[str], str]:
    def read(question: str) -> str:
        asked.append(question)
        return answer

    return read


def ended(_question: str) -> str:
    raise EOFError


def quiet() -> Steps:
    return Steps(Console(file=io.StringIO()))


@pytest.mark.parametrize(
    ("typed", "goes_on"),
    [
        ("prod", True),
        (" prod ", True),
        ("dev", False),
        ("yes", False),
        ("PROD", False),
        ("", False),
    ],
)
def test_only_the_stages_own_name_is_a_yes(typed: str, goes_on: bool):
    asked = list[str]()

    assert confirmed("prod", {}, doing="deploy this", read=typing(typed, asked)) is goes_on

    assert asked == ["type prod to deploy this, anything else to leave: "]


def test_the_end_of_the_input_is_a_no():
    assert not confirmed("prod", {}, doing="deploy this", read=ended)


def test_a_pipeline_that_confirms_is_not_asked():
    asked = list[str]()

    assert confirmed("prod", {"CONFIRM": "yes"}, doing="deploy this", read=typing("", asked))

    assert asked == []


@pytest.mark.parametrize("value", ["1", "true", "YES", "no"])
def test_any_other_confirmation_is_refused_and_not_taken_for_one(value: str):
    with pytest.raises(Misconfigured, match=f"CONFIRM is '{value}'; expected yes"):
        confirmed("prod", {"CONFIRM": value}, doing="deploy this", read=ended)


def test_without_a_terminal_somebody_must_have_confirmed():
    with pytest.raises(Misconfigured, match="CONFIRM=yes make deploy-aws"):
        check_can_ask({}, terminal=False, command="make deploy-aws")

    check_can_ask({}, terminal=True, command="make deploy-aws")
    check_can_ask({"CONFIRM": "yes"}, terminal=False, command="make deploy-aws")


def test_where_nothing_would_change_nobody_is_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CONFIRM", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    assert agreed(NOTHING_NEW, PROD, quiet(), None)


@pytest.mark.parametrize(("typed", "goes_on"), [("dev\n", False), ("prod\n", True)])
def test_whoever_deploys_is_asked_at_the_terminal(
    monkeypatch: pytest.MonkeyPatch, typed: str, goes_on: bool
):
    monkeypatch.delenv("CONFIRM", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))

    assert agreed(replace(NOTHING_NEW, sends_zip=True), PROD, quiet(), None) is goes_on
