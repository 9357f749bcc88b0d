"""The way a song takes, and what people do to it: upload, redrive, discard.

Whatever is cut short in the middle loses no letter: one is removed only once what it asks for has
been asked for again, and asking twice is free.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from chartbuster.errors import Conflict, Corrupt, InvalidName, NotFound, UnreadableUpload
from chartbuster.identity import checked_dataset, checked_file, upload_id
from chartbuster.layout import RawKey
from chartbuster.letters import TRAINING, UPLOAD, told
from chartbuster.pointers import pointer_of
from chartbuster.ports import DeadLetters, Letter, ObjectStore, Postbox

LARGEST_UPLOAD = 20 * 1024 * 1024
"""The largest file a person uploads, in bytes; programs put larger ones into the bucket."""

_MOST_LETTERS = 100
# Long enough for all of them, each of which may be a file to read and to write.
_IN_HAND = 120
_TRIES = 3


@dataclass(frozen=True)
class Pipeline:
    """The stations of the way: three buckets, the queue of trainings, and both dead-letter queues.

    `upload_letters` holds what the Lambda failed on, `training_letters` what the trainer did.
    """

    raw: ObjectStore
    ready: ObjectStore
    artifacts: ObjectStore
    queue: Postbox
    upload_letters: DeadLetters
    training_letters: DeadLetters

    def letters(self, kind: str) -> DeadLetters:
        """The dead letters of `kind`: UPLOAD or TRAINING."""
        return {UPLOAD: self.upload_letters, TRAINING: self.training_letters}[kind]


@dataclass(frozen=True)
class Handled:
    """What became of one letter. `gone` is true of one that does not lie in the queue any more."""

    id: str
    gone: bool
    said: str


def upload(pipeline: Pipeline, dataset: str, file: str, body: bytes) -> RawKey:
    """Store `body` as the file `file` of `dataset`, which starts everything; returns its key.

    A file of that name is replaced: that is how a dataset is corrected. Raises `InvalidName`, and
    `UnreadableUpload` for a file that is empty or larger than LARGEST_UPLOAD.
    """
    key = RawKey(checked_dataset(dataset), checked_file(file))
    if not 0 < len(body) <= LARGEST_UPLOAD:
        raise UnreadableUpload(
            f"{file} has {len(body):,} bytes; expected 1 to {LARGEST_UPLOAD:,}. Larger files go "
            "into the raw bucket with `make demo DATA=...`, best compressed"
        )
    pipeline.raw.write(str(key), body)
    return key


def redrive(pipeline: Pipeline, kind: str, ids: Collection[str]) -> tuple[Handled, ...]:
    """Ask again for what the letters `ids` of the queue `kind` asked for, and remove them.

    A training goes back to its queue; an upload is put again, unchanged, which announces it. A
    letter stays where it is when nothing can be asked again: see what is `said`. Raises
    `Unreachable` with every letter in its place that was not dealt with.
    """
    again = _train_again if kind == TRAINING else _prepare_again

    def deal(letter: Letter) -> Handled:
        gone, said = again(pipeline, letter)
        if gone:
            pipeline.letters(kind).remove(letter)
        return Handled(letter.id, gone, said)

    return _each(pipeline.letters(kind), ids, deal)


def discard(pipeline: Pipeline, kind: str, ids: Collection[str]) -> tuple[Handled, ...]:
    """Remove the letters `ids` of the queue `kind` for good; raises `Unreachable`."""

    def deal(letter: Letter) -> Handled:
        pipeline.letters(kind).remove(letter)
        return Handled(letter.id, True, "discarded")

    return _each(pipeline.letters(kind), ids, deal)


def put_again(store: ObjectStore, key: str) -> bool:
    """Put an object again, unchanged, which announces it.

    False when it is gone, or has changed in between and so announced itself.
    """
    try:
        stored = store.read(key)
        store.replace(key, stored.body, etag=stored.etag)
    except (Conflict, NotFound):
        return False
    return True


def _train_again(pipeline: Pipeline, letter: Letter) -> tuple[bool, str]:
    # Removed after it was sent: cut short in between there are two, and the second finds its run.
    pipeline.queue.send(letter.body)
    return True, "back in the training queue"


def _prepare_again(pipeline: Pipeline, letter: Letter) -> tuple[bool, str]:
    message = told(letter, UPLOAD)
    if not message.keys:
        return False, "stays: it announces no file, so there is nothing to prepare again"
    said = [_announced(pipeline, key) for key in dict.fromkeys(message.keys)]
    return all(gone for gone, _ in said), "; ".join(words for _, words in said)


def _announced(pipeline: Pipeline, key: str) -> tuple[bool, str]:
    try:
        raw = RawKey.parse(key)
    except InvalidName as error:
        return False, f"stays: {error}. Upload the file under another name and discard the letter"
    try:
        stored = pipeline.raw.read(key)
    except NotFound:
        return True, f"the file is gone from the raw bucket, so the letter is too: {key}"
    if _is_prepared(pipeline.ready, raw, stored.body):
        return True, f"the file was prepared since, so the letter is gone: {key}"
    if not put_again(pipeline.raw, key):
        return True, f"the file changed since and announced itself, so the letter is gone: {key}"
    return True, f"the file was put again and is on its way to the Lambda: {key}"


def _is_prepared(ready: ObjectStore, raw: RawKey, body: bytes) -> bool:
    try:
        table = pointer_of(raw, ready.read(raw.current).body).ready
    except (Corrupt, NotFound):
        return False
    return (
        table is not None and table.upload == upload_id(body) and ready.etag(str(table)) is not None
    )


def _each(
    letters: DeadLetters, ids: Collection[str], deal: Callable[[Letter], Handled]
) -> tuple[Handled, ...]:
    """`deal` with each of the letters `ids`, oldest first; whatever is left is given back."""
    held: dict[str, Letter] = {}
    handled: list[Handled] = []
    try:
        # Somebody may be looking at them at this moment.
        for _ in range(_TRIES):
            if held.keys() >= set(ids):
                break
            held |= _by_id(letters.take(limit=_MOST_LETTERS, seconds=_IN_HAND))
        for letter in [letter for letter in held.values() if letter.id in ids]:
            handled.append(deal(letter))
            if handled[-1].gone:
                del held[letter.id]
    finally:
        letters.give_back(held.values())
    found = {each.id for each in handled}
    missing = (Handled(id_, True, "not there any more") for id_ in ids if id_ not in found)
    return (*handled, *missing)


def _by_id(letters: Iterable[Letter]) -> dict[str, Letter]:
    return {letter.id: letter for letter in letters}
