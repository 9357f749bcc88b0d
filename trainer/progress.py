"""How far a run has come, for whoever is watching: a log line, and a note in the artifacts."""

import json
import logging
import time
from collections.abc import Callable

from chartbuster import layout
from chartbuster.errors import ChartBusterError
from chartbuster.ports import ObjectStore

log = logging.getLogger(__name__)


class Progress:
    """Tells the stages of one dataset's run; a note that cannot be written is only logged."""

    def __init__(
        self,
        dataset: str,
        artifacts: ObjectStore,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dataset = dataset
        self._artifacts = artifacts
        self._monotonic = monotonic
        self._started = monotonic()

    def __call__(self, stage: str, fraction: float, **more: str) -> None:
        """The run is at `stage`, which begins after `fraction` (0 to 1) of its work."""
        note = {
            "dataset": self._dataset,
            "stage": stage,
            "fraction": round(fraction, 3),
            "seconds": round(self._monotonic() - self._started, 2),
            **more,
        }
        log.info("training_progress", extra=note)
        try:
            self._artifacts.write(layout.progress(self._dataset), json.dumps(note).encode())
        except ChartBusterError as error:
            # A spectator's note must not fail the run it tells of.
            log.warning("progress_note_not_written", extra={"reason": str(error)})
