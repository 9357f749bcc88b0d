"""How far the latest training run of a dataset has come: the note `progress/<dataset>.json`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chartbuster.errors import Corrupt
from chartbuster.records import from_json

FINISHED, REFUSED = "done", "refused"
"""The stages a run ends with: its champion is decided, or the dataset can never become a run."""


@dataclass(frozen=True)
class Note:
    """The run is at `stage`, `fraction` (0 to 1) of its work is done, `seconds` after it began.

    `at` is when the note was written. `reason` says why a run was refused, `run` is the id of a
    finished one; both are empty else. A trainer that dies leaves its last note behind.
    """

    dataset: str
    stage: str
    fraction: float
    seconds: float
    at: datetime
    reason: str = ""
    run: str = ""

    @property
    def over(self) -> bool:
        """Whether the run has come to its end."""
        return self.stage in (FINISHED, REFUSED)

    @property
    def begun(self) -> datetime:
        """When the run began."""
        return self.at - timedelta(seconds=self.seconds)


def note_of(dataset: str, body: bytes, *, at: datetime, where: str) -> Note:
    """The note in `body`, written at `at`; raises `Corrupt` naming `where`."""
    said = from_json(_Said, body, where=where)
    # Beyond a century it is no number of seconds that a time could be reckoned with.
    if not 0 <= said.fraction <= 1 or not 0 <= said.seconds < 3e9:
        raise Corrupt(
            f"{where} says fraction {said.fraction} after {said.seconds} s; "
            "expected 0 to 1, and seconds from 0"
        )
    return Note(dataset, said.stage, said.fraction, said.seconds, at, said.reason, said.run)


@dataclass(frozen=True)
class _Said:
    stage: str
    fraction: float
    seconds: float = 0.0
    reason: str = ""
    run: str = ""
