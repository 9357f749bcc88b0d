"""What the domain needs from the world: a store of objects and a queue of messages.

Each protocol is as small as its callers need. `chartbuster.aws` and `chartbuster.memory` implement
them, and one contract test suite holds both to the same behaviour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class StoredObject:
    """One object as it was read: its bytes and the ETag that names this version of them."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class ObjectInfo:
    """One line of a listing; `size` in bytes."""

    key: str
    etag: str
    size: int


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
