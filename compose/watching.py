"""Waiting for the stack, and noticing when waiting is in vain."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chartbuster.errors import TryAgain
from compose import embedded
from compose.composed import Composed
from compose.engine import EngineFailed
from compose.layout import Layout
from compose.supervision import Component, Supervisor, SupervisorAway

_POLL = 0.1
_LOOK_EVERY = 1.0
# How long something may be wrong before it counts: all of it mends itself, most of the time.
_GRACE = 25.0


class NotUp(TryAgain):
    """A part of the stack does not come up; says which, why as far as known, and where to look."""


@dataclass
class Watch:
    """One stack being waited for.

    `wrong` says what is not as it should be, by the name of the component; `last_words` gives the
    last lines of a component's log.
    """

    wrong: Callable[[], Mapping[str, str]]
    last_words: Callable[[str], Sequence[str]]
    monotonic: Callable[[], float] = time.monotonic
    rest: Callable[[float], object] = time.sleep
    _wrong_since: dict[str, float] = field(default_factory=dict)

    def wait_for(self, what: str, come: Callable[[], bool], *, patience: float) -> None:
        """Return when `come` says so; raises `NotUp` when it never will, or not within `patience`.

        `patience` is in seconds.
        """
        began = looked = self.monotonic()
        while not come():
            now = self.monotonic()
            if now - began > patience:
                raise NotUp(
                    f"{what}: not within {patience:.0f} s; `make status` and `make logs` say more, "
                    "and `make up` goes on waiting"
                )
            if now - looked >= _LOOK_EVERY:
                looked = now
                self._look(now)
            self.rest(_POLL)

    def _look(self, now: float) -> None:
        wrong = self.wrong()
        self._wrong_since = {name: self._wrong_since.get(name, now) for name in wrong}
        for name, since in self._wrong_since.items():
            if now - since > _GRACE or wrong[name].startswith("gave up"):
                said = "".join(f"\n  {name}| {line[:300]}" for line in self.last_words(name))
                raise NotUp(f"{name} {wrong[name]}{said}")


def embedded_watch(layout: Layout) -> Watch:
    """Watches the supervised programs of the stack at `layout`."""

    def wrong() -> dict[str, str]:
        try:
            components = Supervisor(layout).components()
        except SupervisorAway as error:
            return {"supervisor": f"is away: {error}"}
        found = {each.name: why for each in components if (why := reason(each))}
        return found | in_trouble(embedded.report(layout))

    def last_words(name: str) -> list[str]:
        try:
            text = (layout.logs / f"{name}.log").read_text(errors="replace")
        except OSError:
            return []
        return text.splitlines()[-12:]

    return Watch(wrong, last_words)


def composed_watch(stack: Composed) -> Watch:
    """Watches the containers of a Compose project."""

    def wrong() -> dict[str, str]:
        found = {each.service: f"is {each.said}" for each in stack.containers() if not each.well}
        return found | in_trouble(stack.report())

    def last_words(name: str) -> list[str]:
        try:
            return stack.lines(name)
        except EngineFailed:
            return []

    return Watch(wrong, last_words)


def in_trouble(said: Mapping[str, object]) -> dict[str, str]:
    """The keeper, when its last word is that it cannot go on."""
    trouble = said.get("phase") == "troubled"
    return {"keeper": f"cannot go on: {said.get('trouble')}"} if trouble else {}


def reason(component: Component) -> str:
    """Why a component counts as wrong; empty when it does not."""
    if component.given_up:
        return f"gave up: {component.said}"
    if component.state in {"BACKOFF", "EXITED", "STARTING", "UNKNOWN"}:
        return f"keeps ending ({component.state}): {component.said}"
    return ""
