"""Starting a trainer by hand: it runs, or it is said what keeps it from that."""

import uuid
from collections.abc import Iterator

import pytest

from infra.stacks import DeploymentFailed, DeploymentSlow, apply, plan
from scripts.aws.standin import StandIn
from scripts.aws.state import services_of
from scripts.aws.training import Seen, Trainers, await_running, returning, why_ended
from tests.deployment import small_stage

_BEFORE = Seen(0, 0, (("1", "reached a steady state"),), (("old", "scaled in"),))


def _awaited(*looks: Seen, patience: float = 600.0) -> tuple[int, list[str]]:
    """What comes of waiting when the service looks like `looks`, the last of them for ever."""
    told: list[str] = []
    clock = iter(float(n) for n in range(1_000))

    def looking() -> Iterator[Seen]:
        yield from looks
        while True:
            yield looks[-1]

    following = looking()
    running = await_running(
        lambda: next(following),
        before=_BEFORE,
        progress=told.append,
        patience=patience,
        rest=lambda _seconds: None,
        monotonic=lambda: next(clock),
    )
    return running, told


def test_what_ecs_says_meanwhile_is_told_once_and_nothing_of_before():
    started = (*_BEFORE.events, ("2", "has started 1 tasks"))

    running, told = _awaited(
        Seen(1, 0, _BEFORE.events, _BEFORE.ended),
        Seen(1, 0, started, _BEFORE.ended),
        Seen(1, 0, started, _BEFORE.ended),
        Seen(1, 1, started, _BEFORE.ended),
    )

    assert running == 1
    assert told == ["has started 1 tasks"]


def test_one_task_that_ends_is_told_and_the_next_is_waited_for():
    ended = (*_BEFORE.ended, ("a", "spot capacity was taken away"))

    running, told = _awaited(Seen(1, 0, (), ended), Seen(1, 1, (), ended))

    assert running == 1
    assert told == ["a task ended before it ran: spot capacity was taken away"]


def test_tasks_that_end_again_and_again_say_why():
    why = "CannotPullContainerError: exec format error"

    with pytest.raises(DeploymentFailed, match=why):
        _awaited(Seen(1, 0, (), (("a", why),)), Seen(1, 0, (), (("a", why), ("b", why))))


def test_a_trainer_that_scaling_took_back_says_to_announce_something():
    with pytest.raises(DeploymentFailed, match="make train-now DATASET=name"):
        _awaited(Seen(1, 0, (), ()), Seen(0, 0, (), ()))


def test_patience_that_runs_out_names_the_last_that_ecs_said():
    said = (("2", "was unable to place a task because no capacity"),)

    with pytest.raises(DeploymentSlow, match="unable to place a task because no capacity"):
        _awaited(Seen(1, 0, said, ()), patience=3.0)


def test_why_a_task_ended_holds_what_its_containers_said():
    task = {
        "stoppedReason": "Essential container in task exited",
        "containers": [
            {"name": "trainer", "reason": "OutOfMemoryError", "exitCode": 137},
            {"name": "quiet", "exitCode": 0},
        ],
    }

    assert why_ended(task) == (  # type: ignore[arg-type]
        "Essential container in task exited; trainer: OutOfMemoryError, exit code 137"
    )


def test_when_the_trainer_goes_again_depends_on_who_would_end_it():
    def words(*, scaling: bool, waiting: int) -> str:
        return returning(scaling=scaling, waiting=waiting, cluster="c", service="s")

    assert "--desired-count 0" in words(scaling=False, waiting=1)
    assert "nothing has waited or been in hand for 5 minutes" in words(scaling=True, waiting=1)
    assert "DATASET=name" in words(scaling=True, waiting=0)


@pytest.mark.integration
def test_one_task_is_wanted_afterwards_and_the_service_says_that_it_runs(standin: StandIn):
    account = standin.account(f"n{uuid.uuid4().hex[:8]}")
    client = account.session.client("cloudformation")
    outputs = apply(client, plan(client, account.stack("compute"), small_stage.COMPUTE, {}))
    ecs, (cluster, service) = account.session.client("ecs"), services_of(outputs)["trainer"]
    trainers = Trainers(ecs, cluster, service)
    before = trainers.seen()

    trainers.start_one()
    # The stand-in says of a task that it runs without running it.
    running = await_running(trainers.seen, before=before, patience=20.0)

    assert (before.desired, before.running) == (0, 0)
    assert running == 1
    assert trainers.seen().desired == 1
