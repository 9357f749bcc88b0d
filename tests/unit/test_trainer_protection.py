"""A busy trainer asks the ECS agent to be left running, and is never held up by it."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.ecs_agent import OFF, ON, TASK, Agent, as_asked, listening
from tests.emulator import free_port
from tests.waiting import until
from trainer.protection import Pace, protecting


@pytest.fixture
def agent() -> Iterator[Agent]:
    with listening() as made:
        yield made


def test_a_task_is_protected_while_it_is_busy_and_not_after(agent: Agent):
    with protecting(agent.uri) as busy:
        busy(True)
        until(lambda: agent.asked == [ON], seconds=5, what="protection")
        busy(False)
        until(lambda: agent.asked == [ON, OFF], seconds=5, what="its end")

    assert agent.asked == [ON, OFF]
    assert set(agent.requests) == {("/api/task-1/task-protection/v1/state", "application/json")}


def test_an_idle_trainer_asks_for_nothing(agent: Agent):
    with protecting(agent.uri, pace=Pace(renewed=0.01, again=0.01)) as busy:
        for _ in range(20):
            busy(False)
            time.sleep(0.01)

    assert agent.asked == []


def test_the_same_said_again_is_not_asked_again(agent: Agent):
    with protecting(agent.uri) as busy:
        for _ in range(5):
            busy(True)
            until(lambda: agent.asked == [ON], seconds=5, what="protection, once")

    assert agent.asked == [ON, OFF]


def test_protection_is_renewed_as_long_as_the_work_goes_on(agent: Agent):
    with protecting(agent.uri, pace=Pace(renewed=0.05)) as busy:
        busy(True)
        until(lambda: len(agent.asked) >= 3, seconds=5, what="renewals")
        busy(False)
        until(lambda: OFF in agent.asked, seconds=5, what="the end of it")
        time.sleep(0.2)

    assert agent.asked.count(OFF) == 1
    assert agent.asked[-1] == OFF
    assert agent.asked[:3] == [ON] * 3


def test_protection_is_given_up_at_the_end_whatever_was_said_last(agent: Agent):
    with protecting(agent.uri) as busy:
        busy(True)
        until(lambda: agent.asked == [ON], seconds=5, what="protection")

    assert agent.asked == [ON, OFF]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((500, {"error": {"Code": "ThrottlingException"}}), "answers 500"),
        # A task that cannot be protected is told so with 200.
        (
            (200, {"failure": {"Arn": TASK, "Detail": None, "Reason": "TASK_NOT_VALID"}}),
            "NOT_VALID",
        ),
        ((200, {"protection": {"ProtectionEnabled": False}}), "expected 200 and ProtectionEnabled"),
        ((200, None), "answers 200"),
    ],
)
def test_a_refusal_is_logged_and_asked_again_until_it_is_granted(
    agent: Agent, caplog: pytest.LogCaptureFixture, answer: tuple[int, object], says: str
):
    agent.answer = lambda wanted: answer if len(agent.asked) < 3 else as_asked(wanted)

    with protecting(agent.uri, pace=Pace(renewed=60, again=0.02)) as busy:
        busy(True)
        until(lambda: len(agent.asked) >= 3, seconds=5, what="a third request")
        time.sleep(0.2)
        assert agent.asked == [ON] * 3

    refusals = [each for each in caplog.records if each.getMessage() == "protection_not_set"]
    assert [says in vars(each)["reason"] for each in refusals] == [True, True]


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:{port}", "http://127.0.0.1:port", "http://", "nonsense", "http://[::"]
)
def test_an_agent_that_cannot_be_reached_is_logged_and_no_error(
    caplog: pytest.LogCaptureFixture, uri: str
):
    with protecting(uri.format(port=free_port()), pace=Pace(again=0.02)) as busy:
        busy(True)
        until(lambda: len(caplog.records) >= 2, seconds=5, what="a second attempt")

    assert {each.getMessage() for each in caplog.records} == {"protection_not_set"}


def test_an_agent_that_never_answers_holds_up_neither_the_work_nor_a_stop(agent: Agent):
    over = threading.Event()

    def never(wanted: dict[str, object]) -> tuple[int, object]:
        over.wait(20)
        return as_asked(wanted)

    agent.answer = never
    began = time.monotonic()
    with protecting(agent.uri) as busy:
        busy(True)
        until(lambda: agent.asked == [ON], seconds=5, what="the request")
        asked = time.monotonic()
        busy(False)
        busy(True)
        assert time.monotonic() - asked < 0.5

    assert time.monotonic() - began < 4
    over.set()


def test_without_an_agent_nothing_is_started():
    threads = threading.active_count()

    with protecting("") as busy:
        busy(True)
        assert threading.active_count() == threads
