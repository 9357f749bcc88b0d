"""How far one uploaded file has come on its way: values only."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from chartbuster.layout import RawKey
from chartbuster.letters import Told
from chartbuster.ports import Depth
from chartbuster.progress import Note
from chartbuster.runs import TRAINING, Decision

_ROUNDED = 3.0


class Place(Enum):
    """Where a file can be; the last two are the dead-letter queues."""

    LAMBDA = "create_data"
    QUEUE = "training queue"
    TRAINER = "trainer"
    APP = "app"
    UPLOAD_LETTERS = "dead letters of create_data"
    TRAINING_LETTERS = "dead letters of training"


@dataclass(frozen=True)
class Preparing:
    """The Lambda has not finished it."""


@dataclass(frozen=True)
class Prepared:
    """Its table lies ready since `at`, `seconds` after the upload.

    `seconds` is None where the same bytes had been prepared before they were put there again, and
    the counts are None where the report cannot be read.
    """

    at: datetime
    seconds: float | None
    songs: int | None
    rejected: int | None


@dataclass(frozen=True)
class Refused:
    """Nothing can be made of it; `reason` is for whoever uploaded it."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """The Lambda or the trainer gave up on it; `reason` is what was said then."""

    reason: str


@dataclass(frozen=True)
class Queued:
    """Its dataset waits to be trained since `since`.

    `behind` is true while the trainer is still busy with the dataset as it was before.
    """

    since: datetime
    behind: bool


@dataclass(frozen=True)
class AtWork:
    """A run of its dataset is under way."""

    note: Note


@dataclass(frozen=True)
class Trained:
    """A run learnt from it, and `decision` says what came of that.

    `reigns` says whether the run's model is the champion now. `songs` and `seconds` are the run's,
    None where its manifest cannot be read.
    """

    decision: Decision
    reigns: bool
    songs: int | None
    seconds: float | None


type Preparation = Preparing | Prepared | Refused | Failed
type Training = Queued | AtWork | Failed | Trained


@dataclass(frozen=True)
class Passage:
    """One object of the raw bucket and how far it has come; `size` in bytes.

    `file` is None for a key nobody can make anything of. There is no `training` before the file is
    prepared.
    """

    key: str
    file: RawKey | None
    uploaded: datetime
    size: int
    preparation: Preparation
    training: Training | None = None

    @property
    def place(self) -> Place:
        """Where it is now, or where it ended."""
        match self.training or self.preparation:
            case Preparing():
                return Place.LAMBDA
            case Refused():
                return Place.UPLOAD_LETTERS
            case Failed():
                return Place.TRAINING_LETTERS if self.training else Place.UPLOAD_LETTERS
            case Prepared() | Queued():
                return Place.QUEUE
            case AtWork():
                return Place.TRAINER
            case Trained():
                return Place.APP

    @property
    def queued_for(self) -> float | None:
        """For how many seconds it waited in the queue, where the times on record tell.

        They are whole seconds, so it may be off by one or two. A run that a person decided on
        later, and a file that was prepared before, leave nothing to reckon with.
        """
        if not isinstance(self.preparation, Prepared) or not isinstance(self.training, Trained):
            return None
        decision, took = self.training.decision, self.training.seconds
        if self.preparation.seconds is None or took is None or decision.by != TRAINING:
            return None
        try:
            decided = datetime.fromisoformat(decision.at)
            waited = (decided - self.preparation.at).total_seconds() - took
        except (ValueError, TypeError):
            return None
        return max(waited, 0.0) if waited > -_ROUNDED else None

    @property
    def moving(self) -> bool:
        """Whether something is still to come."""
        return self.place in (Place.LAMBDA, Place.QUEUE, Place.TRAINER)


@dataclass(frozen=True)
class Tray:
    """A dead-letter queue: how many letters it has, and the oldest of them."""

    depth: Depth
    letters: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Stock:
    """What the buckets hold: uploaded files, tables that lie ready, and champions.

    A file that was replaced leaves its table behind, so there can be more tables than files.
    """

    uploads: int
    prepared: int
    champions: int


@dataclass(frozen=True)
class View:
    """The whole way at one moment.

    `passages` are the last uploads, the newest first. `notes` are the runs that have not come to
    their end, the latest note first. What did not answer is None, or empty, and named in `silent`.
    """

    at: datetime
    passages: tuple[Passage, ...] = ()
    stock: Stock | None = None
    notes: tuple[Note, ...] = ()
    queue: Depth | None = None
    upload_letters: Tray | None = None
    training_letters: Tray | None = None
    silent: tuple[str, ...] = ()

    @property
    def moving(self) -> bool:
        """Whether something is about to change."""
        return any(passage.moving for passage in self.passages) or bool(
            self.queue and self.queue.messages
        )

    @property
    def waiting_since(self) -> datetime | None:
        """Since when the longest-waiting of the last uploads waits to be trained, if one does.

        SQS does not say how old its messages are; this is when the table was written, which is
        what puts the message there.
        """
        waits = (p.training.since for p in self.passages if isinstance(p.training, Queued))
        return min(waits, default=None)
