"""The trainer's loop: messages in, one run per dataset, messages finished once the run is there."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chartbuster.errors import ChartBusterError, JobUnusable
from chartbuster.ports import Delivery, Queue
from trainer.child import Outcome, Stop
from trainer.jobs import datasets_in

log = logging.getLogger(__name__)

_MOST_HELD = 100
_LONGEST_REST = 30.0
_LONGEST_BEAT = 20.0
_LONGEST_DELAY = 900


class Held:
    """The messages in hand, and which datasets each still waits for. Safe between threads."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Delivery, set[str]]] = {}
        self._lock = threading.Lock()

    def add(self, delivery: Delivery, datasets: frozenset[str]) -> None:
        """Hold `delivery` until every one of `datasets` has its run."""
        with self._lock:
            self._waiting[delivery.receipt] = (delivery, set(datasets))

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting)

    def datasets(self) -> list[str]:
        """The datasets somebody waits for, in the order they came in."""
        with self._lock:
            return list(
                dict.fromkeys(d for _, todo in self._waiting.values() for d in sorted(todo))
            )

    def deliveries(self) -> list[Delivery]:
        """Every message in hand."""
        with self._lock:
            return [delivery for delivery, _ in self._waiting.values()]

    def finish(self, dataset: str) -> list[Delivery]:
        """Let go of the messages that waited for `dataset` alone."""
        with self._lock:
            for _, todo in self._waiting.values():
                todo.discard(dataset)
            return self._release(lambda todo: not todo)

    def drop(self, dataset: str) -> list[Delivery]:
        """Let go of every message that waits for `dataset`."""
        with self._lock:
            return self._release(lambda todo: dataset in todo)

    def _release(self, gone: Callable[[set[str]], bool]) -> list[Delivery]:
        found = [delivery for delivery, todo in self._waiting.values() if gone(todo)]
        for delivery in found:
            del self._waiting[delivery.receipt]
        return found


class Worker:
    """Makes one run at a time until `stopping`.

    A message is finished only once the run of its dataset is there. While it waits, its visibility
    is extended every third of `visibility` seconds, or every 20 s where that is sooner; a stop
    gives it back at once. `train` makes the run of a dataset and says how it ended. `alive` is
    called at least every half minute. `busy` is called with True once messages are in hand and with
    False once they are not, which on a stop is after they were given back; it must not wait.
    """

    def __init__(
        self,
        *,
        queue: Queue,
        train: Callable[[str], Outcome],
        stopping: Stop,
        alive: Callable[[], None] = lambda: None,
        busy: Callable[[bool], None] = lambda _: None,
        visibility: int = 30,
        beat: float | None = None,
        poll: float = 2.0,
        settle: float = 0.3,
    ) -> None:
        self._queue = queue
        self._train = train
        self._stopping = stopping
        self._alive = alive
        self._busy = busy
        self._visibility = visibility
        self._beat = beat if beat is not None else min(visibility / 3, _LONGEST_BEAT)
        self._poll = poll
        self._settle = settle

    def run(self) -> None:
        """Work until told to stop; a queue that does not answer is asked ever more rarely."""
        rest = 0.5
        while not self._stopping.is_set():
            self._alive()
            try:
                self.work_once()
                rest = 0.5
            except ChartBusterError as error:
                log.warning("queue_not_answering", extra={"reason": str(error)})
                self._stopping.wait(rest)
                rest = min(rest * 2, _LONGEST_REST)
        log.info("trainer_stopped")

    def work_once(self) -> None:
        """Take what is there, and see every dataset of it through."""
        held = Held()
        try:
            with self._heartbeat(held):
                self._work_through(held)
        finally:
            # After the last beat, which would hide again what is given back.
            try:
                for delivery in held.deliveries():
                    self._queue.give_back(delivery)
            finally:
                self._busy(False)

    def _work_through(self, held: Held) -> None:
        if not self._take(held, wait=self._poll):
            return
        # A burst of uploads is one change of a dataset: wait for its last message.
        self._stopping.wait(self._settle)
        while len(held) < _MOST_HELD and self._take(held, wait=0):
            pass
        while (wanted := held.datasets()) and not self._stopping.is_set():
            self._see_through(wanted[0], held)

    def _take(self, held: Held, *, wait: float) -> int:
        """Receive once; returns how many messages came, whatever they were."""
        deliveries = self._queue.receive(limit=10, wait=wait)
        for delivery in deliveries:
            try:
                datasets = datasets_in(delivery.body)
            except JobUnusable as error:
                self._queue.set_aside(delivery, reason=str(error))
                log.warning("job_set_aside", extra={"reason": str(error)})
                continue
            if datasets:
                held.add(delivery, datasets)
                self._busy(True)
            else:
                self._queue.done(delivery)
                log.info("test_event_ignored")
        return len(deliveries)

    def _see_through(self, dataset: str, held: Held) -> None:
        messages = len(held)
        outcome = self._train(dataset)
        fields = {"dataset": dataset, "messages": messages, "reason": outcome.reason}
        match outcome.ending:
            case "done":
                for delivery in held.finish(dataset):
                    self._queue.done(delivery)
                log.info("job_done", extra=fields)
            case "unusable":
                for delivery in held.drop(dataset):
                    self._queue.set_aside(delivery, reason=outcome.reason)
                log.warning("job_set_aside", extra=fields)
            case "failed":
                # Not finished, so it comes back, later each time, until the queue parks it.
                for delivery in held.drop(dataset):
                    self._queue.extend(delivery, seconds=delay_after(delivery.attempt))
                log.warning("job_failed", extra=fields)
            case "stopped":
                log.info("job_given_back", extra=fields)

    @contextmanager
    def _heartbeat(self, held: Held) -> Iterator[None]:
        """Keep the messages in hand hidden from others while the block runs."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self._beat):
                self._alive()
                for delivery in held.deliveries():
                    try:
                        self._queue.extend(delivery, seconds=self._visibility)
                    except ChartBusterError as error:
                        # Lost at worst: the message comes again and finds its run.
                        log.warning("visibility_not_extended", extra={"reason": str(error)})

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def delay_after(attempt: int) -> int:
    """Seconds until a message whose run failed comes again: 10, 20, 40 ... at most 15 minutes."""
    return int(min(10 * 2 ** min(max(attempt, 1) - 1, 20), _LONGEST_DELAY))
