"""How sizes, times and places on the way are put into words."""

from datetime import UTC, datetime

from chartbuster.passages import (
    AtWork,
    Failed,
    Passage,
    Prepared,
    Preparing,
    Queued,
    Refused,
    Trained,
)
from chartbuster.ports import Depth
from chartbuster.progress import Note

_SILENT_AFTER = 60.0


def size(count: int) -> str:
    """A number of bytes: `27 bytes`, `280 kB`, `3.1 MB`."""
    if count < 1_000:
        return f"{count} bytes"
    if count < 1_000_000:
        return f"{count / 1_000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"


def span(seconds: float) -> str:
    """A length of time: `under 1 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 days`."""
    whole = int(max(seconds, 0.0))
    if whole < 1:
        return "under 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{whole // 60} min"
    if whole < 48 * 3_600:
        return f"{whole // 3_600} h {whole % 3_600 // 60} min"
    return f"{whole // 86_400} days"


def ago(at: datetime, now: datetime) -> str:
    """How long ago something was: `12 s ago`, `just now`."""
    seconds = (now - at).total_seconds()
    return "just now" if seconds < 2 else f"{span(seconds)} ago"


def clock(at: datetime) -> str:
    """A moment: `25 November 2026, 16:49:31 UTC`."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def counted(count: int, one: str, many: str = "") -> str:
    """`1 song`, `2,000 songs`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def name(passage: Passage) -> str:
    """What an upload is called: its dataset and file, else its key."""
    return f"{passage.file.dataset} / {passage.file.file}" if passage.file else passage.key


def percent(fraction: float) -> str:
    """`40 %`."""
    return f"{fraction:.0%}".replace("%", "\u00a0%")


def stage(note: Note, now: datetime) -> str:
    """What a run is doing, and since when nothing was heard of it where that is long ago."""
    said = f"{note.stage}, {percent(note.fraction)}"
    quiet = (now - note.at).total_seconds()
    return f"{said}; nothing heard for {span(quiet)}" if quiet > _SILENT_AFTER else said


def depth(found: Depth | None) -> str:
    """What stands behind the number of a queue's messages: `messages, 1 of them in hand`."""
    if found is None:
        return "does not answer"
    unit = "message" if found.messages == 1 else "messages"
    if not found.in_hand:
        return unit
    return f"{unit}, in hand" if found.messages == 1 else f"{unit}, {found.in_hand:,} in hand"


def whereabouts(passage: Passage, now: datetime) -> str:
    """A sentence saying where an upload is."""
    match passage.training or passage.preparation:
        case Preparing():
            waited = span((now - passage.uploaded).total_seconds())
            return f"Uploaded; create_data has been at it for {waited}."
        case Refused(reason):
            return f"Refused by create_data: {_unended(reason)}."
        case Failed(reason):
            who = "The trainer" if passage.training else "create_data"
            return f"{who} gave up on it: {_unended(reason)}."
        case Prepared():
            return "Prepared."
        case Queued(since, behind):
            waited = span((now - since).total_seconds())
            why = " while the trainer is busy with the dataset as it was before" if behind else ""
            return f"Prepared; waits to be trained for {waited}{why}."
        case AtWork(note):
            return f"In training: {stage(note, now)}."
        case Trained(decision, reigns=True):
            return f"Trained; {decision.model} of run {decision.run_id} predicts now."
        case Trained(decision):
            return (
                f"Trained; run {decision.run_id} is not the champion: {_unended(decision.reason)}."
            )


def _unended(reason: str) -> str:
    return reason.rstrip(".")
