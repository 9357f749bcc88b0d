"""The gate before LocalStack, over real sockets on 127.0.0.1."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from compose.gate import Gate
from tests.emulator import free_port

HOST = "127.0.0.1"
BIG = bytes(range(256)) * 40_000  # 10 MB: more than all buffers on the way


class Answering:
    """Stands for LocalStack: answers what it got once its client has said all, and remembers it."""

    def __init__(self) -> None:
        self.socket = socket.create_server((HOST, 0))
        self.port: int = self.socket.getsockname()[1]
        self.ended: list[int] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._answer, args=(connection,)))
            self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.sendall(b"hello ")
            with contextlib.suppress(ConnectionError):
                got = everything(connection)
                self.ended.append(len(got))
                connection.sendall(got)
                return
            self.ended.append(-1)

    def close(self) -> None:
        """Refuse from now on; who is being answered is answered."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()


@pytest.fixture
def localstack() -> Iterator[Answering]:
    made = Answering()
    yield made
    with contextlib.suppress(OSError):
        made.close()
    made.join()


class Passage:
    """A gate on a free port, and who goes through it."""

    def __init__(self, localstack: Answering) -> None:
        self.port = free_port()
        self.gate = Gate(self.port, to=(HOST, localstack.port), host=HOST)

    def enter(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=10)

    def inside(self) -> socket.socket:
        """A connection that has reached LocalStack."""
        entered = self.enter()
        assert entered.recv(6) == b"hello "
        return entered

    def tasks(self) -> int:
        """How many connections the gate still works for, a moment later."""
        deadline = time.monotonic() + 2
        while (left := len(asyncio.all_tasks(self.gate._loop))) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left


@pytest.fixture
def passage(localstack: Answering) -> Iterator[Passage]:
    made = Passage(localstack)
    yield made
    made.gate.hold()
    assert made.tasks() == 0


def everything(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def is_cut(connection: socket.socket) -> bool:
    """Whether the connection has ended, in whatever way."""
    connection.settimeout(3)
    try:
        return everything(connection) is not None
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def test_a_gate_is_shut_before_it_is_released(passage: Passage):
    with pytest.raises(ConnectionRefusedError):
        passage.enter()


def test_what_either_side_says_reaches_the_other(passage: Passage):
    passage.gate.release()

    with passage.inside() as entered:
        entered.sendall(b"a song")
        # Half of the connection is closed, and the answer still comes.
        entered.shutdown(socket.SHUT_WR)
        assert everything(entered) == b"a song"


def test_a_body_larger_than_every_buffer_passes_whole_both_ways(passage: Passage):
    passage.gate.release()

    with passage.inside() as entered:

        def send() -> None:
            entered.sendall(BIG)
            entered.shutdown(socket.SHUT_WR)

        sending = threading.Thread(target=send)
        sending.start()
        assert everything(entered) == BIG
        sending.join()


def test_many_pass_at_once_and_do_not_meet(passage: Passage):
    passage.gate.release()
    entered = [passage.inside() for _ in range(40)]

    for number, each in enumerate(entered):
        each.sendall(str(number).encode())
        each.shutdown(socket.SHUT_WR)

    for number, each in reversed(list(enumerate(entered))):
        with each:
            assert everything(each) == str(number).encode()


def test_a_shut_gate_refuses(passage: Passage):
    passage.gate.release()
    passage.gate.hold()

    with pytest.raises(ConnectionRefusedError):
        passage.enter()


def test_shutting_the_gate_cuts_who_is_inside_on_both_sides(
    passage: Passage, localstack: Answering
):
    passage.gate.release()
    with passage.inside() as one, passage.inside() as other:
        other.sendall(b"half a")

        passage.gate.hold()

        assert is_cut(one)
        assert is_cut(other)
    localstack.close()
    localstack.join()
    assert len(localstack.ended) == 2


def test_whoever_comes_in_the_moment_the_gate_shuts_does_not_stay(passage: Passage):
    for _ in range(30):
        passage.gate.release()
        with contextlib.ExitStack() as entering:
            entered = [entering.enter_context(passage.enter()) for _ in range(5)]

            passage.gate.hold()

            assert all(is_cut(each) for each in entered)


def test_a_gate_opens_again_where_it_was(passage: Passage):
    for _ in range(3):
        passage.gate.release()
        with passage.inside() as entered:
            entered.shutdown(socket.SHUT_WR)
            assert everything(entered) == b""
        passage.gate.hold()


def test_releasing_and_holding_twice_is_like_once(passage: Passage):
    passage.gate.hold()
    passage.gate.release()
    with passage.inside() as entered:
        passage.gate.release()
        entered.sendall(b"still here")
        entered.shutdown(socket.SHUT_WR)
        assert everything(entered) == b"still here"
    passage.gate.hold()
    passage.gate.hold()


def test_while_localstack_is_away_an_open_gate_ends_every_connection(
    passage: Passage, localstack: Answering
):
    passage.gate.release()
    localstack.close()

    with passage.enter() as entered:
        assert is_cut(entered)


def test_whoever_is_inside_when_localstack_dies_notices(passage: Passage):
    """Its sockets are closed with it, whatever it had in hand."""
    dying = socket.create_server((HOST, 0))
    gate = Gate(passage.port, to=(HOST, dying.getsockname()[1]), host=HOST)
    gate.release()
    with passage.enter() as entered:
        inside, _ = dying.accept()
        entered.sendall(b"a song")
        # What is read is answered by a reset when it goes: unread bytes are left.
        inside.close()
        dying.close()

        assert is_cut(entered)
    gate.hold()
    assert not asyncio.all_tasks(gate._loop)


def test_a_client_that_goes_leaves_nothing_behind(passage: Passage, localstack: Answering):
    passage.gate.release()
    for _ in range(10):
        passage.inside().close()

    assert passage.tasks() == 0
    localstack.close()
    localstack.join()
    assert len(localstack.ended) == 10
