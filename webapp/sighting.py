"""One sight of the pipeline for all visitors: whoever looks asks, at most once a second."""

import logging
import threading
import time
from collections.abc import Callable

from chartbuster.passages import View

log = logging.getLogger(__name__)

_FRESH = 1.0
_PATIENCE = 0.6
_FIRST_PATIENCE = 5.0


class Sighting:
    """The pipeline as last seen. Safe to share between threads.

    `look` may take long while a service is away; nobody waits for it longer than `patience`
    seconds, and then sees what was seen before.
    """

    def __init__(
        self,
        look: Callable[[], View],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        fresh: float = _FRESH,
        patience: float = _PATIENCE,
    ) -> None:
        self._look = look
        self._monotonic = monotonic
        self._fresh = fresh
        self._patience = patience
        self._view: View | None = None
        self._seen_at = float("-inf")
        self._looking: threading.Thread | None = None
        self._lock = threading.Lock()

    def view(self, *, anew: bool = False) -> View | None:
        """What was last seen, at most about a second old while everything answers.

        `anew` asks for a look that begins now. None while nothing was seen yet.
        """
        if anew:
            # A look under way may have begun too early.
            self._wait_for(self._looking)
            self._seen_at = float("-inf")
        with self._lock:
            looking = self._looking is not None and self._looking.is_alive()
            if not looking and self._monotonic() - self._seen_at >= self._fresh:
                self._looking = threading.Thread(target=self._see, name="see", daemon=True)
                self._looking.start()
        self._wait_for(self._looking)
        return self._view

    def _wait_for(self, looking: threading.Thread | None) -> None:
        if looking is not None:
            looking.join(self._patience if self._view else _FIRST_PATIENCE)

    def _see(self) -> None:
        try:
            self._view = self._look()
        except Exception:
            # A page that goes on showing what was seen before is better than one that fails.
            log.exception("pipeline_not_seen")
        self._seen_at = self._monotonic()
