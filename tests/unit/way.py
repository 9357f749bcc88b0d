"""The way a song takes, in memory: real preparation, a pretended trainer, and a clock to turn."""

import json
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from chartbuster import layout
from chartbuster.demo import as_csv, generate
from chartbuster.errors import ChartBusterError
from chartbuster.layout import RawKey
from chartbuster.memory import InMemoryDeadLetters, InMemoryQueue, InMemoryStore
from chartbuster.passages import Passage, View
from chartbuster.pipeline import Pipeline
from chartbuster.registry import Registry
from chartbuster.watching import Watcher
from lambdas.create_data.handler import handle
from tests.unit.test_registry import manifest
from tests.unit.webapp_store import edges_over
from trainer.uploads import current_dataset
from webapp.edges import Edges

SONGS = RawKey("mine", "songs.csv")
NO_POPULARITY = b"artist,title,tempo\nA,B,120\n"


def songs(seed: int = 3) -> bytes:
    """A small table that can be prepared."""
    return as_csv(generate(60, seed=seed))


def notification(key: str) -> dict[str, Any]:
    """What S3 says of an object that was created."""
    s3 = {"bucket": {"name": "raw"}, "object": {"key": quote_plus(key, safe="/")}}
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]}


def failure(key: str, reason: str) -> str:
    """The record Lambda's service leaves of an event that failed."""
    return json.dumps(
        {
            "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
            "requestPayload": notification(key),
            "responsePayload": {"errorMessage": reason, "errorType": "UnreadableUpload"},
        }
    )


@dataclass
class Way:
    """A pipeline, and what would happen by itself on a real stack, step by step."""

    time: datetime = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    queue: InMemoryQueue = field(default_factory=InMemoryQueue)
    upload_letters: InMemoryDeadLetters = field(default_factory=InMemoryDeadLetters)
    training_letters: InMemoryDeadLetters = field(default_factory=InMemoryDeadLetters)

    def __post_init__(self) -> None:
        self.raw, self.ready, self.artifacts = (InMemoryStore(self.now) for _ in range(3))
        self.pipeline = Pipeline(
            self.raw,
            self.ready,
            self.artifacts,
            self.queue,
            self.upload_letters,
            self.training_letters,
        )
        self.watcher = Watcher(self.pipeline, now=self.now)

    def now(self) -> datetime:
        return self.time

    @property
    def edges(self) -> Edges:
        """The app's edges over this way."""
        return edges_over(
            self.artifacts,
            raw=self.raw,
            ready=self.ready,
            queue=self.queue,
            upload_letters=self.upload_letters,
            training_letters=self.training_letters,
        )

    def after(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)

    def look(self) -> View:
        return self.watcher.look()

    def newest(self) -> Passage:
        """The passage of the newest upload."""
        return self.look().passages[0]

    def put(self, key: RawKey = SONGS, body: bytes | None = None) -> None:
        """Upload a file, as a person would."""
        self.raw.write(str(key), songs() if body is None else body)

    def prepare(self, key: RawKey = SONGS) -> None:
        """Let the Lambda see the file; what it fails on becomes a letter."""
        before = {item.key for item in self.ready.list("")}
        try:
            handle(notification(str(key)), raw=lambda _: self.raw, ready=self.ready)
        except ChartBusterError as error:
            self.upload_letters.put(failure(str(key), str(error)), sent=self.now())
            return
        for item in self.ready.list(""):
            if item.key.endswith(layout.READY) and item.key not in before:
                self.queue.send(json.dumps(notification(item.key)))

    def note(
        self,
        stage: str,
        fraction: float,
        *,
        dataset: str = "mine",
        seconds: float = 0.0,
        **more: str,
    ) -> None:
        """What the trainer writes of the run of `dataset`."""
        said = {"dataset": dataset, "stage": stage, "fraction": fraction, "seconds": seconds}
        self.artifacts.write(layout.progress(dataset), json.dumps(said | more).encode())

    def train(
        self,
        run_id: str = "run1",
        *,
        dataset: str = "mine",
        crown: bool = True,
        reason: str = "the first",
    ) -> None:
        """Publish a run of `dataset` as it is now, and decide on it."""
        registry = Registry(self.artifacts)
        found = current_dataset(self.ready, dataset)
        made = replace(
            manifest(run_id=run_id),
            dataset=dataset,
            dataset_version=found.version,
            uploads=tuple(key.upload for key in found.uploads),
        )
        made = registry.publish(made, {model.file: b"model" for model in made.models})
        decide = registry.crown if crown else registry.refuse
        decide(dataset, run_id, made.best, reason=reason, now=self.now())
        for delivery in self.queue.receive(limit=10, wait=0):
            self.queue.done(delivery)
        self.note("done", 1.0, dataset=dataset, seconds=made.seconds, run=run_id)


class LivingWay(Way):
    """A way where everything happens by itself, each step after `pause` seconds."""

    def __init__(self, pause: float) -> None:
        super().__init__()
        self._pause = pause
        threading.Thread(target=self._live, daemon=True).start()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def _live(self) -> None:
        seen: set[tuple[str, datetime]] = set()
        while True:
            time.sleep(0.1)
            for item in list(self.raw.list(layout.DATASETS)):
                if (item.key, item.modified) not in seen:
                    seen.add((item.key, item.modified))
                    time.sleep(self._pause)
                    self.prepare(RawKey.parse(item.key))
            for dataset in sorted(
                {RawKey.parse(i.key).dataset for i in self.raw.list(layout.DATASETS)}
            ):
                if self.queue.waiting:
                    time.sleep(self._pause)
                    self._train(dataset)

    def _train(self, dataset: str) -> None:
        for fraction in (0.1, 0.43, 0.8):
            stage = f"fitting model {fraction}"
            self.note(stage, fraction, dataset=dataset, seconds=fraction * self._pause)
            time.sleep(self._pause / 2)
        self.train(f"run{len(Registry(self.artifacts).runs()) + 1}", dataset=dataset)
