"""Datasets in every state a person may leave them in, prepared by the Lambda itself."""

import dataclasses
from contextlib import suppress

from chartbuster import layout
from chartbuster.demo import as_csv, generate
from chartbuster.drift import DriftReport
from chartbuster.errors import UnreadableUpload
from chartbuster.identity import upload_id
from chartbuster.layout import RawKey
from chartbuster.learn.drift import compared, read_songs
from chartbuster.memory import InMemoryStore
from chartbuster.records import to_json
from chartbuster.registry import Registry
from lambdas.create_data.handler import handle
from tests.unit.test_create_data import event
from tests.unit.webapp_store import NOW, edges_over, published
from webapp.edges import Edges

DEMO = as_csv(generate(600, seed=3))
NO_SONGS = b"artist,title\nA,One\n"


def untidy(rows: int = 400, rejected: int = 250) -> bytes:
    """A file of which much cannot be read: columns nobody needs, rejects, a formula as a genre."""
    lines = ["track_id,artist,title,popularity,genre,tempo,energy,mood"]
    lines += [
        f"s{n},A{n % 40},Song {n},{n % 101},{('Pop', '=1+1', 'Ro*ck*')[n % 3]},"
        f"{'fast' if n % 9 == 0 else 90 + n % 50},{'' if n % 4 == 0 else n % 100 / 100},sad"
        for n in range(rows)
    ]
    lines += [f"r{n},A,<b>Song</b> {n},{'' if n % 5 else 'many'},Pop,100,0.5" for n in range(9)]
    lines += [
        f"r{n},=A,Song {n},{'' if n % 5 else n + 200},Pop,100,0.5,sad" for n in range(9, rejected)
    ]
    return "\n".join(lines).encode()


class Buckets:
    """The three buckets, with the Lambda between the first two."""

    def __init__(self) -> None:
        self.raw, self.ready, self.artifacts = InMemoryStore(), InMemoryStore(), InMemoryStore()

    def put(self, dataset: str, file: str, body: bytes, *, prepared: bool = True) -> RawKey:
        """Upload a file and, unless told otherwise, let the Lambda prepare it."""
        key = RawKey(dataset, file)
        self.raw.write(str(key), body)
        if prepared:
            with suppress(UnreadableUpload):
                handle(event(str(key)), raw=lambda _: self.raw, ready=self.ready)
        return key

    def train(self, dataset: str = "demo", *, run_id: str = "run1", body: bytes = DEMO) -> None:
        """The small run as the champion of `dataset`, as if it had learnt from `body`."""
        run = published(self.artifacts, dataset=dataset, run_id=run_id)
        run = dataclasses.replace(run, uploads=(upload_id(body),))
        self.artifacts.write(layout.run_manifest(run_id), to_json(run))

    def drifted(self, dataset: str = "demo") -> DriftReport:
        """The drift from the champion's songs to faster ones, some of a new genre, on record."""
        registry = Registry(self.artifacts)
        champion = registry.champion(dataset)
        assert champion is not None
        before = read_songs(registry.file(registry.manifest(champion.run_id), "songs.parquet"))
        now = before.assign(tempo=before["tempo"] * 1.6)
        now["genres"] = [
            [*names, "Sea Shanty"] if n % 3 == 0 else names for n, names in enumerate(now["genres"])
        ]
        report = compared(
            before,
            now,
            dataset=dataset,
            version="v2",
            champion=champion.run_id,
            at=NOW.isoformat(),
        )
        return registry.record_drift(report)

    def edges(self) -> Edges:
        """The app's edges over them; looks once."""
        return edges_over(self.artifacts, raw=self.raw, ready=self.ready)


def lived_in() -> Buckets:
    """One dataset with a champion and a drift report, one with every kind of trouble."""
    buckets = Buckets()
    buckets.put("demo", "songs.csv", DEMO)
    buckets.train()
    buckets.drifted()
    buckets.put("untidy", "a few.csv", untidy())
    buckets.put("untidy", "none.csv", NO_SONGS)
    buckets.put("untidy", "soon.csv", DEMO, prepared=False)
    return buckets
