"""What every `DeadLetters` and `Postbox` promise, held against each implementation."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chartbuster.ports import DeadLetters, Depth, Letter, Postbox, Queue

type Put = Callable[..., None]


def taken(dead_letters: DeadLetters, count: int) -> list[Letter]:
    letters = dead_letters.take(limit=20, seconds=30)
    assert len(letters) == count
    return letters


def test_a_letter_says_what_it_is_why_it_is_there_and_since_when(
    dead_letters: DeadLetters, put: Put
):
    put("nonsense", reason="not JSON: 'nonsense' ü")

    (letter,) = taken(dead_letters, 1)

    assert (letter.body, letter.reason) == ("nonsense", "not JSON: 'nonsense' ü")
    assert abs(letter.sent - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_letter_that_a_queue_moved_by_itself_has_no_reason(dead_letters: DeadLetters, put: Put):
    put("song")
    assert [letter.reason for letter in taken(dead_letters, 1)] == [""]


def test_more_letters_than_come_in_one_go_are_all_taken_up_to_the_limit(
    dead_letters: DeadLetters, put: Put
):
    for number in range(13):
        put(f"song {number}")

    some = dead_letters.take(limit=12, seconds=30)
    (last,) = dead_letters.take(limit=12, seconds=30)

    bodies = {letter.body for letter in (*some, last)}
    assert len(some) == 12
    assert bodies == {f"song {number}" for number in range(13)}
    assert [letter.sent for letter in some] == sorted(letter.sent for letter in some)


def test_what_is_taken_nobody_else_finds_until_it_is_given_back(
    dead_letters: DeadLetters, put: Put
):
    put("song")
    (mine,) = taken(dead_letters, 1)
    assert dead_letters.take(limit=10, seconds=30) == []
    assert dead_letters.depth() == Depth(waiting=0, in_hand=1)

    dead_letters.give_back([mine])

    (again,) = taken(dead_letters, 1)
    assert (again.id, again.body, again.sent) == (mine.id, mine.body, mine.sent)


def test_giving_nothing_back_is_fine(dead_letters: DeadLetters):
    dead_letters.give_back([])
    assert dead_letters.depth() == Depth(0, 0)


def test_a_letter_that_was_removed_is_gone(dead_letters: DeadLetters, put: Put):
    put("one")
    put("two")
    letters = taken(dead_letters, 2)

    for letter in letters:
        if letter.body == "one":
            dead_letters.remove(letter)
    dead_letters.give_back(letters)

    assert [letter.body for letter in taken(dead_letters, 1)] == ["two"]


def test_the_depth_of_a_queue_tells_waiting_from_in_hand(queue: Queue, postbox: Postbox):
    assert postbox.depth() == Depth(0, 0)

    postbox.send("first")
    postbox.send("second")
    assert postbox.depth() == Depth(waiting=2, in_hand=0)

    (delivery,) = queue.receive(limit=1, wait=2)
    assert postbox.depth() == Depth(waiting=1, in_hand=1)
    assert postbox.depth().messages == 2

    queue.done(delivery)
    assert postbox.depth() == Depth(waiting=1, in_hand=0)
