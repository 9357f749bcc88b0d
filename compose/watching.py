"""Waiting for the stack, and noticing when waiting is in vain."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chartbuster.errors import TryAgain
from compose.embedded import report
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
    """One stack being waited for."""

    layout: Layout
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
        wrong = self._what_is_wrong()
        self._wrong_since = {name: self._wrong_since.get(name, now) for name in wrong}
        for name, since in self._wrong_since.items():
            if now - since > _GRACE or wrong[name].startswith("gave up"):
                raise NotUp(f"{name} {wrong[name]}{self._last_words(name)}")

    def _what_is_wrong(self) -> dict[str, str]:
        """What is not as it should be, by the name of the component."""
        try:
            components = Supervisor(self.layout).components()
        except SupervisorAway as error:
            return {"supervisor": f"is away: {error}"}
        wrong = {each.name: why for each in components if (why := reason(each))}
        said = report(self.layout)
        if said.get("phase") == "troubled":
            wrong["keeper"] = f"cannot go on: {said.get('trouble')}"
        return wrong

    def _last_words(self, name: str) -> str:
        try:
            text = (self.layout.logs / f"{name}.log").read_text(errors="replace")
        except OSError:
            return ""
        lines = text.splitlines()[-12:]
        return "".join(f"\n  {name}| {line[:300]}" for line in lines)


def reason(component: Component) -> str:
    """Why a component counts as wrong; empty when it does not."""
    if component.given_up:
        return f"gave up: {component.said}"
    if component.state in {"BACKOFF", "EXITED", "STARTING", "UNKNOWN"}:
        return f"keeps ending ({component.state}): {component.said}"
    return ""
