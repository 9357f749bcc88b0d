"""Asks ECS to leave a busy trainer running: task scale-in protection.

ECS gives every container of a task `ECS_AGENT_URI`, the address of its agent; that variable is
ECS's own contract with a container, like SIGTERM before the end. Where nobody gives it there is
nobody to ask, and nothing is done. Asking never takes the trainer's time: it happens on a thread of
its own, and a stop waits for it 2 seconds at most.
"""

import http.client
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

log = logging.getLogger(__name__)

_STATE = "/task-protection/v1/state"
# Protection that nobody renews ends by itself, so that a trainer that hangs is not kept for ever.
_MINUTES = 30
_PATIENCE = 5.0
_LAST_PATIENCE = 2.0


@dataclass(frozen=True)
class Pace:
    """In seconds: when standing protection is `renewed`, and when a failed request is made `again`.

    `renewed` must be well below the half hour that protection is asked for.
    """

    renewed: float = _MINUTES * 60 / 3
    again: float = 10.0


_PACE = Pace()


@contextmanager
def protecting(agent: str, *, pace: Pace = _PACE) -> Iterator[Callable[[bool], None]]:
    """What a worker calls with True when it has work in hand, and with False when it has none.

    Whatever was said last is what the ECS agent at `agent` is asked for; calls return at once.
    After the block protection is given up. An agent that fails is logged and asked again, and never
    an error. With no `agent` this does nothing.
    """
    if not agent:
        yield lambda _busy: None
        return
    protection = _Protection(agent, pace)
    thread = threading.Thread(target=protection.keep, name="protection", daemon=True)
    thread.start()
    try:
        yield protection.want
    finally:
        protection.close()
        # An agent that does not answer must not cost the trainer its time to stop.
        thread.join(timeout=_LAST_PATIENCE)


class _Protection:
    """What is wanted, and the loop that asks for it. Safe between threads."""

    def __init__(self, agent: str, pace: Pace) -> None:
        self._agent = agent
        self._pace = pace
        self._news = threading.Condition()
        self._wanted = False
        self._closing = False

    def want(self, protected: bool) -> None:
        with self._news:
            self._wanted = protected
            self._news.notify()

    def close(self) -> None:
        with self._news:
            self._wanted, self._closing = False, True
            self._news.notify()

    def keep(self) -> None:
        """Ask for what is wanted whenever it changes, and again when that is due, until closed."""
        asked, stands = False, True  # a task begins without protection
        while True:
            wanted, closing = self._next(asked, rest=self._rest(asked, stands=stands))
            if wanted != asked or wanted or not stands:
                asked, stands = wanted, self._ask(wanted)
            if closing:
                return

    def _next(self, asked: bool, *, rest: float | None) -> tuple[bool, bool]:
        """What is wanted and whether it is the last time: when that is news, or after `rest`."""
        with self._news:
            self._news.wait_for(lambda: self._closing or self._wanted != asked, timeout=rest)
            return self._wanted, self._closing

    def _rest(self, asked: bool, *, stands: bool) -> float | None:
        """Seconds until the same is asked for again; None when it need not be."""
        if not stands:
            return self._pace.again
        return self._pace.renewed if asked else None

    def _ask(self, protected: bool) -> bool:
        """Whether the agent did as it was asked."""
        try:
            _put(self._agent, protected)
        except (OSError, http.client.HTTPException, ValueError) as error:
            log.warning("protection_not_set", extra={"wanted": protected, "reason": str(error)})
            return False
        log.info("protection_set", extra={"protected": protected})
        return True


def _put(agent: str, protected: bool) -> None:
    """Set the task's protection; raises OSError, HTTPException or ValueError when it is not set."""
    wanted: dict[str, object] = {"ProtectionEnabled": protected}
    if protected:
        wanted["ExpiresInMinutes"] = _MINUTES
    parts = urlsplit(agent)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port or http.client.HTTP_PORT, timeout=_PATIENCE
    )
    try:
        connection.request(
            "PUT",
            parts.path.rstrip("/") + _STATE,
            json.dumps(wanted),
            {"Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    finally:
        connection.close()
    # A task that cannot be protected is answered with 200 as well, and a failure in the body.
    if answer.status != http.client.OK or not _agrees(said, protected):
        raise ValueError(
            f"{agent}{_STATE} answers {answer.status} {said[:500]!r}; "
            f"expected 200 and ProtectionEnabled {json.dumps(protected)}"
        )


def _agrees(said: str, protected: bool) -> bool:
    match json.loads(said):
        case {"protection": {"ProtectionEnabled": bool(state)}}:
            return state is protected
        case _:
            return False
