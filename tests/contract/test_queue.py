"""What every `Queue` promises, held against each implementation."""

import time
from collections.abc import Callable

from chartbuster.ports import Queue

type Send = Callable[[str], None]


def test_an_empty_queue_answers_with_nothing_after_the_wait(queue: Queue):
    started = time.monotonic()

    assert queue.receive(limit=10, wait=1) == []
    assert time.monotonic() - started > 0.8


def test_a_message_is_received_once_and_gone_when_done(queue: Queue, send: Send):
    send("song")

    (delivery,) = queue.receive(limit=1, wait=2)
    assert (delivery.body, delivery.attempt) == ("song", 1)
    assert queue.receive(limit=1, wait=0) == []

    queue.done(delivery)
    assert queue.receive(limit=1, wait=2) == []


def test_several_messages_come_in_one_go(queue: Queue, send: Send):
    for number in range(3):
        send(f"song {number}")

    received: set[str] = set()
    deadline = time.monotonic() + 10
    while len(received) < 3 and time.monotonic() < deadline:
        received |= {delivery.body for delivery in queue.receive(limit=10, wait=1)}

    assert received == {"song 0", "song 1", "song 2"}


def test_a_message_given_back_comes_again_at_once_as_a_second_attempt(queue: Queue, send: Send):
    send("song")
    (first,) = queue.receive(limit=1, wait=2)

    queue.give_back(first)

    (second,) = queue.receive(limit=1, wait=2)
    assert (second.body, second.attempt) == ("song", 2)


def test_a_message_comes_back_when_its_time_in_hand_is_over(queue: Queue, send: Send):
    send("song")
    (first,) = queue.receive(limit=1, wait=2)
    queue.extend(first, seconds=1)
    assert queue.receive(limit=1, wait=0) == []

    (second,) = queue.receive(limit=1, wait=5)

    assert second.body == "song"


def test_an_extended_message_stays_hidden(queue: Queue, send: Send):
    send("song")
    (delivery,) = queue.receive(limit=1, wait=2)

    queue.extend(delivery, seconds=1)
    queue.extend(delivery, seconds=30)

    assert queue.receive(limit=1, wait=2) == []


def test_a_message_set_aside_leaves_the_queue_and_keeps_its_reason(
    queue: Queue, send: Send, put_aside: Callable[[], list[tuple[str, str]]]
):
    send("nonsense")
    (delivery,) = queue.receive(limit=1, wait=2)

    queue.set_aside(delivery, reason="not JSON: 'nonsense'")

    assert put_aside() == [("nonsense", "not JSON: 'nonsense'")]
    assert queue.receive(limit=1, wait=1) == []
