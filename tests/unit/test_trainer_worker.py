"""Messages become runs: bursts are one run, and a message ends only when its run is there."""

import json
import threading
import time
from collections.abc import Callable

import pytest

from chartbuster.errors import Unreachable
from chartbuster.memory import InMemoryQueue
from chartbuster.ports import Delivery
from trainer.child import Outcome, Stop
from trainer.worker import Worker, delay_after

DONE = Outcome("done")


def announcing(*datasets: str) -> str:
    keys = [f"datasets/{name}/a.csv/u/ready_data.csv" for name in datasets]
    return json.dumps({"Records": [{"s3": {"object": {"key": key}}} for key in keys]})


def queue_with(*bodies: str, visibility: float = 30.0) -> InMemoryQueue:
    queue = InMemoryQueue(visibility=visibility)
    for body in bodies:
        queue.send(body)
    return queue


class Trained:
    """Remembers what it was asked to train; `act` may do more and say how it ended."""

    def __init__(self, act: Callable[[str], Outcome] = lambda _: DONE) -> None:
        self.datasets: list[str] = []
        self._act = act

    def __call__(self, dataset: str) -> Outcome:
        self.datasets.append(dataset)
        return self._act(dataset)


def worker_over(
    queue: InMemoryQueue,
    train: Callable[[str], Outcome],
    *,
    stopping: Stop | None = None,
    beat: float = 10.0,
    visibility: int = 30,
    settle: float = 0.0,
    alive: Callable[[], None] = lambda: None,
    busy: Callable[[bool], None] = lambda _: None,
) -> Worker:
    return Worker(
        queue=queue,
        train=train,
        stopping=stopping or threading.Event(),
        alive=alive,
        busy=busy,
        visibility=visibility,
        beat=beat,
        poll=0.0,
        settle=settle,
    )


def test_several_messages_of_one_dataset_make_one_run() -> None:
    queue = queue_with(*[announcing("demo")] * 25, announcing("other"))
    trained = Trained()

    worker_over(queue, trained).work_once()

    assert trained.datasets == ["demo", "other"]
    assert queue.unfinished == []


def test_a_message_that_comes_while_the_burst_settles_belongs_to_the_same_run() -> None:
    queue = queue_with(announcing("demo"))
    trained = Trained()
    late = threading.Timer(0.05, lambda: queue.send(announcing("demo")))
    late.start()

    worker_over(queue, trained, settle=0.4).work_once()

    late.join()
    assert trained.datasets == ["demo"]
    assert queue.unfinished == []


def test_a_message_that_comes_during_the_run_makes_another() -> None:
    queue = queue_with(announcing("demo"))

    def one_more(_dataset: str) -> Outcome:
        if len(trained.datasets) == 1:
            queue.send(announcing("demo"))
        return DONE

    trained = Trained(one_more)
    worker = worker_over(queue, trained)
    worker.work_once()
    worker.work_once()

    assert trained.datasets == ["demo", "demo"]
    assert queue.unfinished == []


def test_a_message_is_not_finished_before_its_run_is() -> None:
    queue = queue_with(announcing("demo"))
    seen: list[list[str]] = []

    def look(_dataset: str) -> Outcome:
        seen.append(queue.unfinished)
        return DONE

    worker_over(queue, look).work_once()

    assert seen == [[announcing("demo")]]


def test_a_message_of_two_datasets_is_finished_after_both() -> None:
    queue = queue_with(announcing("one", "two"))
    left: list[int] = []

    def look(_dataset: str) -> Outcome:
        left.append(len(queue.unfinished))
        return DONE

    trained = Trained(look)
    worker_over(queue, trained).work_once()

    assert trained.datasets == ["one", "two"]
    assert left == [1, 1]
    assert queue.unfinished == []


def test_s3s_test_message_is_finished_without_a_run() -> None:
    queue = queue_with(json.dumps({"Event": "s3:TestEvent"}))
    trained = Trained()

    worker_over(queue, trained).work_once()

    assert trained.datasets == []
    assert queue.unfinished == []
    assert queue.put_aside == []


def test_a_message_that_can_never_be_a_job_is_set_aside_and_the_others_go_on() -> None:
    queue = queue_with("nonsense", announcing("demo"))
    trained = Trained()

    worker_over(queue, trained).work_once()

    assert trained.datasets == ["demo"]
    assert [(m.body, "is not JSON" in m.reason) for m in queue.put_aside] == [("nonsense", True)]
    assert queue.unfinished == []


def test_a_dataset_that_can_never_be_a_run_is_set_aside_with_the_runs_reason() -> None:
    queue = queue_with(announcing("tiny"), announcing("tiny"), announcing("demo"))
    endings = {"tiny": Outcome("unusable", "it has 3 songs"), "demo": DONE}

    worker_over(queue, endings.__getitem__).work_once()

    assert [message.reason for message in queue.put_aside] == ["it has 3 songs"] * 2
    assert queue.unfinished == []


def test_a_run_that_failed_leaves_its_messages_hidden_for_a_while_and_the_others_go_on() -> None:
    queue = queue_with(announcing("bad"), announcing("good"))
    endings = {"bad": Outcome("failed", "killed"), "good": DONE}

    worker_over(queue, endings.__getitem__).work_once()

    assert queue.unfinished == [announcing("bad")]
    assert queue.waiting == []
    assert queue.put_aside == []


def test_each_failure_waits_longer_up_to_a_quarter_of_an_hour() -> None:
    assert [delay_after(attempt) for attempt in (0, 1, 2, 3, 99)] == [10, 10, 20, 40, 900]


def test_messages_in_hand_stay_hidden_while_the_work_goes_on() -> None:
    queue = queue_with(announcing("demo"), visibility=0.3)
    taken_by_others: list[Delivery] = []

    def slow(_dataset: str) -> Outcome:
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            taken_by_others.extend(queue.receive(limit=10, wait=0.05))
        return DONE

    worker_over(queue, slow, beat=0.05, visibility=1).work_once()

    assert taken_by_others == []
    assert queue.unfinished == []


def test_a_stop_gives_the_work_in_hand_back_at_once_and_takes_no_other() -> None:
    queue = queue_with(announcing("first"), announcing("second"))
    stopping = threading.Event()

    def stopped(_dataset: str) -> Outcome:
        stopping.set()
        return Outcome("stopped")

    trained = Trained(stopped)
    worker_over(queue, trained, stopping=stopping, beat=0.01).run()

    assert trained.datasets == ["first"]
    assert sorted(queue.waiting) == [announcing("first"), announcing("second")]


def test_an_error_nobody_expected_gives_the_messages_back_as_well() -> None:
    queue = queue_with(announcing("demo"))

    def breaks(_dataset: str) -> Outcome:
        raise RuntimeError("a fault of ours")

    with pytest.raises(RuntimeError):
        worker_over(queue, breaks).work_once()

    assert queue.waiting == [announcing("demo")]


class Flaky(InMemoryQueue):
    """Does not answer the first times it is asked for messages, nor ever extends one."""

    def receive(self, *, limit: int, wait: float) -> list[Delivery]:
        self.asked = getattr(self, "asked", 0) + 1
        if self.asked <= 2:
            raise Unreachable("no answer")
        return super().receive(limit=limit, wait=wait)

    def extend(self, delivery: Delivery, *, seconds: int) -> None:
        raise Unreachable("no answer")


def test_a_queue_that_does_not_answer_is_asked_again() -> None:
    queue = Flaky()
    queue.send(announcing("demo"))
    stopping = threading.Event()

    def slow(_dataset: str) -> Outcome:
        time.sleep(0.1)
        stopping.set()
        return DONE

    trained = Trained(slow)
    worker_over(queue, trained, stopping=stopping, beat=0.02).run()

    assert trained.datasets == ["demo"]
    assert queue.unfinished == []


class Rests:
    """A stop that comes after some rests, none of which takes any time."""

    def __init__(self, most: int) -> None:
        self.taken: list[float] = []
        self._most = most

    def wait(self, timeout: float | None = None) -> bool:
        self.taken.append(timeout or 0.0)
        return self.is_set()

    def is_set(self) -> bool:
        return len(self.taken) >= self._most


class Away(InMemoryQueue):
    """A queue that never answers."""

    def receive(self, *, limit: int, wait: float) -> list[Delivery]:
        raise Unreachable("connection refused")


def test_while_the_queue_is_away_the_trainer_is_alive_before_every_rest_of_half_a_minute() -> None:
    rests, lived = Rests(12), list[int]()

    worker_over(
        Away(), Trained(), stopping=rests, alive=lambda: lived.append(len(rests.taken))
    ).run()

    assert lived == list(range(12))
    assert rests.taken[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(rests.taken) == 30.0


def test_an_idle_trainer_is_alive_with_every_look_at_the_queue() -> None:
    class Looked(InMemoryQueue):
        def receive(self, *, limit: int, wait: float) -> list[Delivery]:
            order.append("looked")
            if len(order) >= 6:
                stopping.set()
            return []

    order, stopping = list[str](), threading.Event()

    worker_over(Looked(), Trained(), stopping=stopping, alive=lambda: order.append("alive")).run()

    assert order == ["alive", "looked"] * 3


def test_a_trainer_is_alive_all_through_a_long_run() -> None:
    queue = queue_with(announcing("demo"))
    lived = threading.Semaphore(0)

    def until_it_has_lived_three_times(_dataset: str) -> Outcome:
        return DONE if all(lived.acquire(timeout=5) for _ in range(3)) else Outcome("failed")

    trained = Trained(until_it_has_lived_three_times)
    worker_over(queue, trained, beat=0.01, alive=lived.release).work_once()

    assert trained.datasets == ["demo"]
    assert queue.unfinished == []


class Order(InMemoryQueue):
    """A queue that writes what happens to its messages down; so does the worker that is busy."""

    def __init__(self, *bodies: str) -> None:
        super().__init__(visibility=30.0)
        self.happened: list[str] = []
        for body in bodies:
            self.send(body)

    def busy(self, is_so: bool) -> None:
        self.happened.append("busy" if is_so else "idle")

    def train(self, dataset: str) -> Outcome:
        self.happened.append(f"train {dataset}")
        return DONE

    def done(self, delivery: Delivery) -> None:
        self.happened.append("done")
        super().done(delivery)

    def give_back(self, delivery: Delivery) -> None:
        self.happened.append("given back")
        super().give_back(delivery)


def test_a_worker_is_busy_from_its_first_message_until_its_hands_are_empty() -> None:
    queue = Order(announcing("demo"), announcing("other"))

    worker_over(queue, queue.train, busy=queue.busy).work_once()

    assert queue.happened == [
        *("busy", "busy"),
        *("train demo", "done", "train other", "done", "idle"),
    ]


def test_a_worker_with_nothing_to_do_is_not_busy() -> None:
    queue = Order(json.dumps({"Event": "s3:TestEvent"}))

    worker_over(queue, queue.train, busy=queue.busy).work_once()

    assert "busy" not in queue.happened


def test_work_that_comes_after_what_is_no_work_makes_busy_as_well() -> None:
    queue = Order(*[json.dumps({"Event": "s3:TestEvent"})] * 10, announcing("demo"))

    worker_over(queue, queue.train, busy=queue.busy).work_once()

    assert queue.happened == [*["done"] * 10, "busy", "train demo", "done", "idle"]


def test_a_stop_gives_the_messages_back_before_it_is_no_longer_busy() -> None:
    queue, stopping = Order(announcing("demo")), threading.Event()

    def stopped(dataset: str) -> Outcome:
        queue.train(dataset)
        stopping.set()
        return Outcome("stopped")

    worker_over(queue, stopped, stopping=stopping, busy=queue.busy).run()

    assert queue.happened == ["busy", "train demo", "given back", "idle"]


def test_messages_that_cannot_be_given_back_leave_nobody_busy() -> None:
    class Gone(Order):
        def give_back(self, delivery: Delivery) -> None:
            raise Unreachable("no answer")

    queue = Gone(announcing("demo"))

    def stopped(_dataset: str) -> Outcome:
        raise RuntimeError("a fault of ours")

    with pytest.raises(Unreachable):
        worker_over(queue, stopped, busy=queue.busy).work_once()

    assert queue.happened == ["busy", "idle"]
