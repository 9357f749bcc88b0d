"""Keeps the buckets' objects while LocalStack forgets; the program is `compose.keeper`.

Whenever LocalStack is empty - new, or back from a crash - the keeper deploys the stack into it and
puts the kept objects back; from then on it mirrors every change. It knows an empty LocalStack by a
marker it sets last, so a newborn one's emptiness is never taken for deletions.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from chartbuster.errors import ChartBusterError, Conflict, NotFound, Permanent, TryAgain
from chartbuster.layout import RawKey
from chartbuster.ports import ObjectStore
from chartbuster.wording import SYNTHETIC
from compose.announcing import Buckets, announce, of_another_schema
from compose.mirror import EFFECTS_FIRST, Fetch, Place, Remove, in_restore_order, plan
from compose.state import StateFolder

log = logging.getLogger(__name__)

MARKER = "restored"
DEMO = RawKey(SYNTHETIC, "demo_catalogue.csv.gz")

_BEAT = 0.5
_WHILE_WAITING = 0.1
_AFTER_TROUBLE = 3.0


class Consumers(Protocol):
    """Whoever must not look at the buckets while they are being filled."""

    def hold(self) -> None:
        """Stop them; returns once they have ended."""
        ...

    def release(self) -> None:
        """Start those that do not run."""
        ...


class NobodyHeld:
    """No consumers to hold: for a composition that starts them after the keeper is ready."""

    def hold(self) -> None:
        """Nothing to stop."""

    def release(self) -> None:
        """Nothing to start."""


@dataclass(frozen=True)
class Emulator:
    """What the keeper needs of LocalStack.

    `deploy` makes it hold the stack of this `release`, whatever it held before, and returns its
    outputs; `outputs` gives those of a stack that is there. `stores` maps each role of
    `compose.layout.BUCKETS` to its bucket; `marker` is a store that nothing but keepers write to,
    there once `deploy` has returned.
    """

    healthy: Callable[[], bool]
    deploy: Callable[[], Mapping[str, str]]
    release: str
    outputs: Callable[[], Mapping[str, str]]
    stores: Mapping[str, ObjectStore]
    marker: ObjectStore


@dataclass
class Report:
    """How far the keeper is, for `make up` and `make status` to show.

    `phase` is waiting, deploying, restoring, mirroring or troubled; `seconds` holds how long each
    took the last time; `trouble` is the reason it cannot go on.
    """

    phase: str = "waiting"
    trouble: str = ""
    objects: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class Newborn(TryAgain):
    """LocalStack is not the one the state was put back into."""


class Keeper:
    """Mirrors the buckets of one LocalStack into one state folder until `stopping` says stop."""

    def __init__(
        self,
        *,
        emulator: Emulator,
        state: StateFolder,
        consumers: Consumers,
        demo: Callable[[], bytes],
        ready: Callable[[Mapping[str, str]], None],
        tell: Callable[[Report], None],
        alive: Callable[[], None] = lambda: None,
        new_marker: Callable[[], bytes],
        stopping: Callable[[], bool],
        rest: Callable[[float], object],
    ) -> None:
        self._emulator = emulator
        self._state = state
        self._consumers = consumers
        self._demo = demo
        self._ready = ready
        self._tell = tell
        self._alive = alive
        self._new_marker = new_marker
        self._stopping = stopping
        self._rest = rest
        self._report = Report()
        # The marker of the LocalStack being mirrored, and the versions of what is kept of it.
        self._marker: bytes | None = None
        self._known: dict[Place, str | None] = {}

    def is_restored(self) -> bool:
        """Whether LocalStack holds state and release already: a keeper before put them there."""
        return self._emulator.healthy() and self._is_ours(self._read_marker())

    def restore(self) -> None:
        """Wait for LocalStack, deploy, put the state back, and be done.

        One that was not empty stays as it is. What may pass is tried again until stopped; what
        will not is raised.
        """
        while not self._stopping():
            if not self._emulator.healthy():
                self._rest(_WHILE_WAITING)
                continue
            try:
                self.adopt_or_restore()
                break
            except TryAgain as error:
                self._in_trouble(error)
                self._rest(_AFTER_TROUBLE)

    def run(self) -> None:
        """Keep until stopped; then make one last pass, so that nothing written before is lost."""
        # Whatever a keeper before this one said last is no longer so.
        self._tell(self._report)
        while not self._stopping():
            self._rest(self._step())
        if self._marker is not None:
            try:
                self.mirror()
            except ChartBusterError as error:
                log.warning("last_pass_failed %s", error)
        log.info("keeper_stopped")

    def _step(self) -> float:
        """One round; returns how long to rest before the next."""
        try:
            if self._marker is None:
                if not self._emulator.healthy():
                    self._alive()
                    self._say("waiting")
                    return _WHILE_WAITING
                self.adopt_or_restore()
            self.mirror()
            self._alive()
            self._say("mirroring")
        except Newborn:
            log.warning("localstack_is_empty")
            self._marker = None
            return 0.0
        except Permanent as error:
            self._in_trouble(error)
            return _AFTER_TROUBLE
        except TryAgain as error:
            if self._marker is not None and not self._emulator.healthy():
                # It is away; when it is back it will be empty.
                log.warning("localstack_is_away %s", error)
                self._marker = None
                return _WHILE_WAITING
            self._in_trouble(error)
            return _AFTER_TROUBLE
        return _BEAT

    def adopt_or_restore(self) -> None:
        """Find LocalStack as an earlier keeper left it, or deploy and put everything back."""
        marker = self._read_marker()
        # What is kept, in versions still unknown: the first pass compares every byte.
        self._known = dict.fromkeys(self._state.places())
        if marker is None:
            marker = self._restore()
        elif not self._is_ours(marker):
            marker = self._renew()
        else:
            # The addresses people reach it by may be others than the keeper's before this one.
            self._ready(self._emulator.outputs())
            log.info("localstack_adopted objects=%d", len(self._known))
        self._consumers.release()
        self._marker = marker

    def _is_ours(self, marker: bytes | None) -> bool:
        return marker is not None and marker.startswith(self._emulator.release.encode())

    def _renew(self) -> bytes:
        """Bring a LocalStack that holds the state of another release to this one.

        What that one prepared in another schema is uploaded again, unchanged: restoring does that
        with every upload, but here nothing is restored.
        """
        with self._timed("deploying"):
            self._ready(self._emulator.deploy())
        stores = self._emulator.stores
        buckets = Buckets(stores["raw"], stores["ready"], stores["artifacts"])
        for announcement in of_another_schema(buckets.ready):
            if announce(buckets, announcement):
                log.info("upload_announced_again %s", announcement.key)
            self._alive()
        log.info("release_renewed seconds=%s", self._report.seconds)
        return self._mark()

    def _mark(self) -> bytes:
        marker = self._emulator.release.encode() + b" " + self._new_marker()
        self._emulator.marker.write(MARKER, marker)
        return marker

    def _restore(self) -> bytes:
        new = self._state.is_new()
        self._consumers.hold()
        with self._timed("deploying"):
            outputs = self._emulator.deploy()
        with self._timed("restoring"):
            for place in in_restore_order(self._known):
                self._put_back(place)
                self._alive()
            if new:
                self._seed()
            self._state.begin()
            self._ready(outputs)
        marker = self._mark()
        log.info("state_restored objects=%d seconds=%s", len(self._known), self._report.seconds)
        return marker

    def _put_back(self, place: Place) -> None:
        body = self._state.read(place)
        try:
            self._known[place] = self._emulator.stores[place.bucket].create(place.key, body)
        except Conflict:
            # Somebody wrote it since LocalStack came up, or a restore before this one was cut off:
            # what is there is at least as new.
            log.info("kept_object_is_there %s", place)

    def _seed(self) -> None:
        """A first start shows something: the synthetic demo catalogue, uploaded like any file."""
        try:
            self._emulator.stores["raw"].create(str(DEMO), self._demo())
        except Conflict:
            log.info("demo_catalogue_is_there")

    def mirror(self) -> None:
        """Make the state equal to the buckets; raises `Newborn` and changes nothing when unsure.

        A listing can only be trusted when the marker is still there after it: a LocalStack that
        died on the way comes back without.
        """
        try:
            seen = {
                Place(bucket, item.key): item.etag
                for bucket in EFFECTS_FIRST
                for item in self._emulator.stores[bucket].list("")
            }
        except NotFound as error:
            raise Newborn(str(error)) from error
        actions = plan(seen, self._known)
        if actions and self._read_marker() != self._marker:
            raise Newborn("another LocalStack answers than the one the state was put back into")
        for action in actions:
            match action:
                case Fetch(place, etag):
                    self._bring_home(place, etag)
                case Remove(place):
                    self._state.forget(place)
                    del self._known[place]
        self._report.objects = len(self._known)

    def _bring_home(self, place: Place, etag: str) -> None:
        try:
            stored = self._emulator.stores[place.bucket].read(place.key)
        except NotFound:
            return  # gone since the listing; the next pass sees it so
        if stored.etag != etag:
            return  # newer than the listing, and so perhaps than what it names: next pass
        self._state.keep(place, stored.body)
        self._known[place] = etag

    def _read_marker(self) -> bytes | None:
        try:
            return self._emulator.marker.read(MARKER).body
        except NotFound:
            return None

    def _in_trouble(self, error: ChartBusterError) -> None:
        if str(error) != self._report.trouble:
            log.error("keeper_in_trouble %s", error)
        self._say("troubled", str(error))

    def _say(self, phase: str, trouble: str = "") -> None:
        if (phase, trouble) != (self._report.phase, self._report.trouble):
            self._report.phase, self._report.trouble = phase, trouble
            self._tell(self._report)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        self._say(phase)
        started = time.monotonic()
        yield
        self._report.seconds[phase] = round(time.monotonic() - started, 2)
