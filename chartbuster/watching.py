"""Watches the pipeline: from listings, records and queues to one view of where everything is.

A look costs four listings and three questions about queues. Records are read when their ETag is
new; a run's manifest, which never changes, is read once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from chartbuster import layout
from chartbuster.errors import ChartBusterError, Corrupt, InvalidName, NotFound, TryAgain
from chartbuster.identity import upload_id
from chartbuster.layout import RawKey
from chartbuster.letters import TRAINING, UPLOAD, Told, told
from chartbuster.passages import (
    AtWork,
    Failed,
    Passage,
    Preparation,
    Prepared,
    Preparing,
    Queued,
    Refused,
    Stock,
    Trained,
    Training,
    Tray,
    View,
)
from chartbuster.pipeline import Pipeline
from chartbuster.pointers import REFUSED, Pointer, pointer_of
from chartbuster.ports import DeadLetters, Depth, ObjectInfo, ObjectStore
from chartbuster.progress import REFUSED as RUN_REFUSED
from chartbuster.progress import Note, note_of
from chartbuster.quality import UploadReport, read_report
from chartbuster.records import from_json
from chartbuster.registry import Registry, RunManifest
from chartbuster.runs import Champion, Decision

_PASSAGES = 10
_DECISIONS = 30
_LETTERS = 20
_LETTERS_FOR = timedelta(seconds=20)
_LOOKING = 5
_MISSING_FOR = timedelta(seconds=30)
# To tell "the same bytes again" from "not prepared yet" a file is read once; not a huge one.
_LARGEST_READ = 64 * 1024 * 1024
# Stores keep whole seconds, and their clock is not the trainer's.
_SLACK = timedelta(seconds=2)


class Watcher:
    """Looks at the pipeline. Not safe to share between threads."""

    def __init__(
        self, pipeline: Pipeline, *, now: Callable[[], datetime], most: int = _PASSAGES
    ) -> None:
        self._pipeline = pipeline
        self._now = now
        self._most = most
        self._raw = _Memory(pipeline.raw)
        self._ready = _Memory(pipeline.ready)
        self._artifacts = _Memory(pipeline.artifacts)
        self._runs: dict[str, _Run] = {}
        self._missing: dict[str, datetime] = {}
        self._trays = {kind: _Looked(pipeline.letters(kind), kind) for kind in (UPLOAD, TRAINING)}

    def look(self) -> View:
        """How everything stands now; never raises for a service that is away."""
        silent: list[str] = []
        now = self._now()

        def asked[T](name: str, question: Callable[[], T]) -> T | None:
            try:
                return question()
            except (TryAgain, NotFound):
                # Not found is the bucket or queue itself: the stack is not laid out yet.
                silent.append(name)
                return None

        queue = asked("the training queue", self._pipeline.queue.depth)
        uploads = asked("the Lambda's dead letters", lambda: self._trays[UPLOAD].look(now))
        trainings = asked("the training's dead letters", lambda: self._trays[TRAINING].look(now))
        letters = (*(uploads or _NO_TRAY).letters, *(trainings or _NO_TRAY).letters)
        seen = asked("the buckets", lambda: self._buckets(letters))
        passages, stock, notes = seen or ((), None, ())
        return View(
            at=now,
            passages=passages,
            stock=stock,
            notes=notes,
            queue=queue,
            upload_letters=uploads,
            training_letters=trainings,
            silent=tuple(silent),
        )

    def _buckets(
        self, letters: tuple[Told, ...]
    ) -> tuple[tuple[Passage, ...], Stock, tuple[Note, ...]]:
        raw = list(self._pipeline.raw.list(layout.DATASETS))
        ready = {item.key: item for item in self._pipeline.ready.list(layout.DATASETS)}
        champions = {item.key: item for item in self._pipeline.artifacts.list(layout.CHAMPIONS)}
        notes = self._notes()
        # The newest first; of those of one second the last by name.
        latest = sorted(raw, key=lambda item: (item.modified, item.key), reverse=True)
        scene = _Scene(ready, champions, notes, letters)
        passages = tuple(self._passage(item, scene) for item in latest[: self._most])
        for memory in (self._raw, self._ready, self._artifacts):
            memory.forget_the_rest()
        stock = Stock(
            uploads=len(raw),
            prepared=sum(1 for key in ready if key.endswith(f"/{layout.READY}")),
            champions=len(champions),
        )
        running = sorted(
            (note for note in notes.values() if not note.over),
            key=lambda note: note.at,
            reverse=True,
        )
        return passages, stock, tuple(running)

    def _notes(self) -> dict[str, Note]:
        found = {}
        for item in list(self._pipeline.artifacts.list(layout.PROGRESS)):
            note = self._artifacts.of(item, partial(_note, item))
            if isinstance(note, Note):
                found[note.dataset] = note
        return found

    def _passage(self, item: ObjectInfo, scene: "_Scene") -> Passage:
        try:
            file = RawKey.parse(item.key)
        except InvalidName as error:
            return Passage(item.key, None, item.modified, item.size, Refused(str(error)))
        preparation, upload = self._preparation(item, file, scene)
        training = None
        if isinstance(preparation, Prepared):
            training = self._training(file, upload, preparation, scene)
        return Passage(item.key, file, item.modified, item.size, preparation, training)

    def _preparation(
        self, item: ObjectInfo, file: RawKey, scene: "_Scene"
    ) -> tuple[Preparation, str]:
        """What became of the file as it is now, and its upload id where something did."""
        pointed = scene.ready.get(file.current)
        pointer = self._ready.of(pointed, lambda body: pointer_of(file, body)) if pointed else None
        unfinished: Preparation = Preparing()
        for letter in scene.letters:
            if letter.kind == UPLOAD and item.key in letter.keys and letter.sent >= item.modified:
                unfinished = Failed(letter.reason)
        if not isinstance(pointer, Pointer) or pointed is None:
            return unfinished, ""
        again = pointed.modified < item.modified
        if again and self._upload_id(item) != pointer.upload:
            return unfinished, ""
        if pointer.status == REFUSED:
            report = self._report(file, pointer, scene)
            why = report.reason if report else None
            return Refused(why or "the report that says why cannot be read"), pointer.upload
        table = scene.ready.get(str(pointer.ready))
        if table is None:
            return unfinished, ""
        report = self._report(file, pointer, scene)
        return (
            Prepared(
                at=table.modified,
                seconds=None if again else _between(item.modified, table.modified),
                songs=report.songs if report else None,
                rejected=report.rows.rejected if report else None,
            ),
            pointer.upload,
        )

    def _training(self, file: RawKey, upload: str, prepared: Prepared, scene: "_Scene") -> Training:
        trained = self._trained(file.dataset, upload, scene)
        if trained is not None:
            return trained
        note = scene.notes.get(file.dataset)
        # A run that began before the table was there is about the dataset as it was.
        of_this = note is not None and note.begun >= prepared.at - _SLACK
        if note is not None and of_this and not note.over:
            return AtWork(note)
        if note is not None and of_this and note.stage == RUN_REFUSED:
            return Failed(note.reason or "the trainer refused it and did not say why")
        table = file.prepared(upload, layout.READY)
        for letter in scene.letters:
            if letter.kind == TRAINING and table in letter.keys:
                return Failed(letter.reason)
        return Queued(prepared.at, behind=note is not None and not note.over)

    def _trained(self, dataset: str, upload: str, scene: "_Scene") -> Trained | None:
        """The latest decision on a run that learnt from `upload`, if there is one."""
        key = layout.champion(dataset)
        item = scene.champions.get(key)
        champion = (
            self._artifacts.of(item, lambda body: from_json(Champion, body, where=key))
            if item
            else None
        )
        if not isinstance(champion, Champion):
            return None
        for decision in reversed(champion.history[-_DECISIONS:]):
            run = self._run(decision)
            if run is not None and upload in run.uploads:
                reigns = champion.run_id == decision.run_id
                return Trained(decision, reigns, run.songs, run.seconds)
        return None

    def _run(self, decision: Decision) -> "_Run | None":
        name, now = decision.run_id, self._now()
        if name in self._runs:
            return self._runs[name]
        if now - self._missing.get(name, now - _MISSING_FOR) < _MISSING_FOR:
            return None
        try:
            self._runs[name] = _Run.of(Registry(self._pipeline.artifacts).manifest(name))
        except (Corrupt, NotFound):
            # A store that is being restored may hold the champion before its runs.
            self._missing[name] = now
            return None
        return self._runs[name]

    def _report(self, file: RawKey, pointer: Pointer, scene: "_Scene") -> UploadReport | None:
        key = file.prepared(pointer.upload, layout.REPORT)
        item = scene.ready.get(key)
        found = self._ready.of(item, lambda body: read_report(body, where=key)) if item else None
        return found if isinstance(found, UploadReport) else None

    def _upload_id(self, item: ObjectInfo) -> str | None:
        if item.size > _LARGEST_READ:
            return None
        found = self._raw.of(item, upload_id)
        return found if isinstance(found, str) else None


@dataclass(frozen=True)
class _Scene:
    """What one look found, by key or dataset."""

    ready: dict[str, ObjectInfo]
    champions: dict[str, ObjectInfo]
    notes: dict[str, Note]
    letters: tuple[Told, ...]


@dataclass(frozen=True)
class _Run:
    """What is told of a run; its manifest is a hundred times as large."""

    uploads: frozenset[str]
    songs: int
    seconds: float

    @classmethod
    def of(cls, manifest: RunManifest) -> "_Run":
        return cls(frozenset(manifest.uploads), manifest.songs, manifest.seconds)


class _Memory:
    """What was read from a store, until it changes or is not asked for any more."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._known: dict[str, tuple[str, Any]] = {}
        self._asked: set[str] = set()

    def of(self, item: ObjectInfo, parse: Callable[[bytes], Any]) -> Any:
        """What `parse` makes of the object; the error where it is damaged, None where gone."""
        self._asked.add(item.key)
        version = f"{item.etag} {item.modified.isoformat()}"
        known = self._known.get(item.key)
        if known is not None and known[0] == version:
            return known[1]
        try:
            found: Any = parse(self._store.read(item.key).body)
        except NotFound:
            return None
        except TryAgain:
            raise
        except ChartBusterError as error:
            found = error
        self._known[item.key] = (version, found)
        return found

    def forget_the_rest(self) -> None:
        """Keep only what was asked for since the last time."""
        self._known = {key: self._known[key] for key in self._asked & self._known.keys()}
        self._asked.clear()


class _Looked:
    """One dead-letter queue. Its letters are looked at when their number changes, or it is time."""

    def __init__(self, letters: DeadLetters, kind: str) -> None:
        self._letters = letters
        self._kind = kind
        self._seen: tuple[datetime, Tray] | None = None

    def look(self, now: datetime) -> Tray:
        depth = self._letters.depth()
        if depth.messages == 0:
            tray = Tray(depth)
        elif (
            self._seen is not None
            and self._seen[1].depth.messages == depth.messages
            and now - self._seen[0] < _LETTERS_FOR
        ):
            return Tray(depth, self._seen[1].letters)
        else:
            held = self._letters.take(limit=_LETTERS, seconds=_LOOKING)
            self._letters.give_back(held)
            tray = Tray(depth, tuple(told(letter, self._kind) for letter in held))
        self._seen = (now, tray)
        return tray


_NO_TRAY = Tray(Depth(0, 0))


def _note(item: ObjectInfo, body: bytes) -> Note:
    dataset = item.key.removeprefix(layout.PROGRESS).removesuffix(".json")
    return note_of(dataset, body, at=item.modified, where=item.key)


def _between(start: datetime, end: datetime) -> float | None:
    seconds = (end - start).total_seconds()
    return seconds if seconds >= 0 else None
