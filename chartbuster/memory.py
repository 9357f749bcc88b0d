"""The ports in memory: for tests, and for trying the domain without any service."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chartbuster.errors import Conflict, NotFound
from chartbuster.identity import digest
from chartbuster.ports import Delivery, Depth, Letter, ObjectInfo, StoredObject


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, order=True)
class _Object:
    body: bytes
    modified: datetime


class InMemoryStore:
    """An `ObjectStore` in a dictionary, safe to share between threads.

    `now` gives the times objects are modified at.
    """

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._objects: dict[str, _Object] = {}
        self._now = now
        self._lock = threading.Lock()

    def read(self, key: str) -> StoredObject:
        with self._lock:
            if key not in self._objects:
                raise NotFound(f"no object {key!r}")
            body = self._objects[key].body
        return StoredObject(body, _etag(body))

    def etag(self, key: str) -> str | None:
        with self._lock:
            there = self._objects.get(key)
        return None if there is None else _etag(there.body)

    def write(self, key: str, body: bytes) -> str:
        with self._lock:
            self._put(key, body)
        return _etag(body)

    def create(self, key: str, body: bytes) -> str:
        with self._lock:
            if key in self._objects:
                raise Conflict(f"object {key!r} is already there; expected none")
            self._put(key, body)
        return _etag(body)

    def replace(self, key: str, body: bytes, *, etag: str) -> str:
        with self._lock:
            there = self._objects.get(key)
            if there is None or _etag(there.body) != etag:
                raise Conflict(f"object {key!r} is no longer the version {etag!r}")
            self._put(key, body)
        return _etag(body)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._lock:
            found = sorted(item for item in self._objects.items() if item[0].startswith(prefix))
        return (
            ObjectInfo(key, _etag(there.body), len(there.body), there.modified)
            for key, there in found
        )

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(key, None)

    def _put(self, key: str, body: bytes) -> None:
        self._objects[key] = _Object(body, self._now())


def _etag(body: bytes) -> str:
    return digest(body)[:32]


@dataclass
class _Message:
    body: str
    visible_at: float = 0.0
    attempts: int = 0
    receipt: str = ""


@dataclass(frozen=True)
class SetAside:
    """A message in the dead-letter queue, and why it is there."""

    body: str
    reason: str


@dataclass
class InMemoryQueue:
    """A `Queue` and `Postbox` in a list. What is in flight comes back after `visibility` seconds.

    `put_aside` is the dead-letter queue, for a test to look at.
    """

    visibility: float = 30.0
    put_aside: list[SetAside] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._messages: list[_Message] = []
        self._receipts = itertools.count(1)
        self._changed = threading.Condition()

    def send(self, body: str) -> None:
        """Put a message in, as the producer would."""
        with self._changed:
            self._messages.append(_Message(body))
            self._changed.notify_all()

    def depth(self) -> Depth:
        """How full it is."""
        with self._changed:
            waiting = len(self._visible())
            return Depth(waiting=waiting, in_hand=len(self._messages) - waiting)

    @property
    def waiting(self) -> list[str]:
        """The bodies a receiver would get now."""
        with self._changed:
            return [message.body for message in self._visible()]

    @property
    def unfinished(self) -> list[str]:
        """The bodies of everything not done yet, in flight or waiting."""
        with self._changed:
            return [message.body for message in self._messages]

    def receive(self, *, limit: int, wait: float) -> list[Delivery]:
        end = time.monotonic() + wait
        with self._changed:
            while not (ready := self._visible()) and (left := end - time.monotonic()) > 0:
                # Wake early enough to see a hidden message come back.
                self._changed.wait(min(left, 0.05))
            return [self._deliver(message) for message in ready[:limit]]

    def done(self, delivery: Delivery) -> None:
        with self._changed:
            self._messages = [m for m in self._messages if m.receipt != delivery.receipt]

    def extend(self, delivery: Delivery, *, seconds: int) -> None:
        self._show_in(delivery, seconds)

    def give_back(self, delivery: Delivery) -> None:
        self._show_in(delivery, 0)

    def set_aside(self, delivery: Delivery, *, reason: str) -> None:
        with self._changed:
            self.put_aside.append(SetAside(delivery.body, reason))
        self.done(delivery)

    def _visible(self) -> list[_Message]:
        now = time.monotonic()
        return [message for message in self._messages if message.visible_at <= now]

    def _deliver(self, message: _Message) -> Delivery:
        message.attempts += 1
        message.receipt = f"receipt-{next(self._receipts)}"
        message.visible_at = time.monotonic() + self.visibility
        return Delivery(message.body, message.receipt, message.attempts)

    def _show_in(self, delivery: Delivery, seconds: float) -> None:
        with self._changed:
            for message in self._messages:
                if message.receipt == delivery.receipt:
                    message.visible_at = time.monotonic() + seconds
            self._changed.notify_all()


@dataclass
class _Kept:
    letter: Letter
    hidden_until: float = 0.0


class InMemoryDeadLetters:
    """A `DeadLetters` in a list, safe to share between threads."""

    def __init__(self) -> None:
        self._kept: list[_Kept] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def put(self, body: str, *, reason: str = "", sent: datetime | None = None) -> None:
        """Put a letter in, as whoever could not deal with it would."""
        with self._lock:
            letter = Letter(f"letter-{next(self._numbers)}", body, reason, sent or _now(), "")
            self._kept.append(_Kept(letter))

    @property
    def bodies(self) -> list[str]:
        """The bodies of all letters, taken or not."""
        with self._lock:
            return [kept.letter.body for kept in self._kept]

    def depth(self) -> Depth:
        with self._lock:
            waiting = len(self._there())
            return Depth(waiting=waiting, in_hand=len(self._kept) - waiting)

    def take(self, *, limit: int, seconds: int) -> list[Letter]:
        with self._lock:
            found = sorted(self._there(), key=lambda kept: kept.letter.sent)[:limit]
            for kept in found:
                kept.letter = replace(kept.letter, receipt=f"receipt-{next(self._numbers)}")
                kept.hidden_until = time.monotonic() + seconds
            return [kept.letter for kept in found]

    def give_back(self, letters: Iterable[Letter]) -> None:
        receipts = {letter.receipt for letter in letters}
        with self._lock:
            for kept in self._kept:
                if kept.letter.receipt in receipts:
                    kept.hidden_until = 0.0

    def remove(self, letter: Letter) -> None:
        with self._lock:
            self._kept = [kept for kept in self._kept if kept.letter.receipt != letter.receipt]

    def _there(self) -> list[_Kept]:
        now = time.monotonic()
        return [kept for kept in self._kept if kept.hidden_until <= now]
