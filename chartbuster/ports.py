"""What the domain needs from the world: a store of objects, and queues of messages.

Each protocol is as small as its callers need. `chartbuster.aws` and `chartbuster.memory` implement
them, and one contract test suite holds both to the same behaviour.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """One object as it was read: its bytes and the ETag that names this version of them."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class ObjectInfo:
    """One line of a listing; `size` in bytes, `modified` in UTC and perhaps in whole seconds."""

    key: str
    etag: str
    size: int
    modified: datetime


class ObjectStore(Protocol):
    """The objects of one bucket. Every method raises `Unreachable` when the service is away."""

    def read(self, key: str) -> StoredObject:
        """The object under `key`; raises `NotFound`."""
        ...

    def etag(self, key: str) -> str | None:
        """The ETag of the object under `key`, or None where there is none."""
        ...

    def write(self, key: str, body: bytes) -> str:
        """Store `body` under `key`, whatever was there; returns its ETag."""
        ...

    def create(self, key: str, body: bytes) -> str:
        """Store `body` only if nothing is there yet; raises `Conflict`. Returns the ETag.

        When the reply to a write that succeeded is lost, the repeat raises `Conflict` for one's own
        object: read it back before believing somebody else won.
        """
        ...

    def replace(self, key: str, body: bytes, *, etag: str) -> str:
        """Store `body` only over the version `etag` names; raises `Conflict`. Returns its ETag."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """The objects whose keys begin with `prefix`, in the order of their keys."""
        ...

    def delete(self, key: str) -> None:
        """Remove the object under `key`; removing what is not there is fine."""
        ...


@dataclass(frozen=True)
class Delivery:
    """One message in hand. `receipt` names this delivery, `attempt` counts from 1."""

    body: str
    receipt: str
    attempt: int


class Queue(Protocol):
    """A queue that gives a message to one receiver at a time and again when it was not finished."""

    def receive(self, *, limit: int, wait: float) -> list[Delivery]:
        """Up to `limit` (1-10) messages; waits up to `wait` seconds (0-20) for the first."""
        ...

    def done(self, delivery: Delivery) -> None:
        """The message is finished and never comes back."""
        ...

    def extend(self, delivery: Delivery, *, seconds: int) -> None:
        """Keep the message hidden from others for `seconds` from now."""
        ...

    def give_back(self, delivery: Delivery) -> None:
        """Make the message available to any receiver at once."""
        ...

    def set_aside(self, delivery: Delivery, *, reason: str) -> None:
        """Move a message that can never succeed to the dead-letter queue, with its reason."""
        ...


@dataclass(frozen=True)
class Depth:
    """How many messages wait in a queue, and how many somebody has in hand (or has to wait for).

    Both are counts as SQS gives them: they may lag by moments, and say nothing of age.
    """

    waiting: int
    in_hand: int

    @property
    def messages(self) -> int:
        """All that are not finished."""
        return self.waiting + self.in_hand


class Postbox(Protocol):
    """A queue as whoever puts messages in sees it. Raises `Unreachable`, `NotFound`."""

    def depth(self) -> Depth:
        """How full it is."""
        ...

    def send(self, body: str) -> None:
        """Put a message in."""
        ...


@dataclass(frozen=True)
class Letter:
    """A message nobody could deal with, in the hands of whoever took it.

    `id` is the same each time it is taken, `receipt` names this time. `reason` is what whoever set
    it aside said, empty where the queue did so by itself. `sent` is when it was put there, or for
    what a queue moved by itself, when it was first sent.
    """

    id: str
    body: str
    reason: str
    sent: datetime
    receipt: str


class DeadLetters(Protocol):
    """A dead-letter queue. Raises `Unreachable`, `NotFound`.

    A queue has no way to look at a message without taking it, so `take` and then `give_back` is
    how to look; meanwhile nobody else finds it.
    """

    def depth(self) -> Depth:
        """How full it is."""
        ...

    def take(self, *, limit: int, seconds: int) -> list[Letter]:
        """Up to `limit` letters, the oldest first, kept from others for `seconds` (1 or more)."""
        ...

    def give_back(self, letters: Iterable[Letter]) -> None:
        """Let others find the letters again at once."""
        ...

    def remove(self, letter: Letter) -> None:
        """The letter in hand is dealt with and never comes back."""
        ...
