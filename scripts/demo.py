"""Takes a song file of yours through the running stack and shows what the models make of it.

The file is uploaded as it is. Its way through the stages is shown, and at the end the models'
scores on songs they had not seen. The dataset becomes the one the app shows first. The same file
again costs nothing: everything is found done.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from chartbuster import layout
from chartbuster.errors import Misconfigured, NotFound, TryAgain, UnreadableUpload
from chartbuster.identity import checked_dataset, checked_file, dataset_version, upload_id
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry, RunManifest
from chartbuster.runs import BASELINE, Scores
from scripts import command
from scripts.running import Running, running_stack

_POLL_SECONDS = 0.25
_STAGES = ("upload", "prepare", "train", "serve")


@dataclass(frozen=True)
class Upload:
    """What goes up: the raw key, the bytes and their identity."""

    key: layout.RawKey
    body: bytes

    @property
    def identity(self) -> str:
        return upload_id(self.body)


def named(path: Path, dataset: str | None) -> layout.RawKey:
    """The raw key for a file: its own name, and a dataset named after it unless one is given.

    Raises `InvalidName` for a name that cannot be part of a key.
    """
    stem = path.name.lower().removesuffix(".gz").removesuffix(".csv")
    derived = re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:63]
    return layout.RawKey(checked_dataset(dataset or derived), checked_file(path.name))


def read_upload(path: Path, dataset: str | None) -> Upload:
    """The file at `path` as an upload; raises `Misconfigured` when it cannot be read."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"DATA={str(path)!r} cannot be read ({error.strerror}); expected the path of a .csv "
            "or .csv.gz file"
        ) from error
    return Upload(named(path, dataset), body)


class Journey:
    """One upload's way through the stack, seen from outside through its buckets."""

    def __init__(
        self, upload: Upload, *, ready: ObjectStore, artifacts: ObjectStore, ready_bucket: str
    ) -> None:
        self._upload = upload
        self._ready_bucket = ready_bucket
        self._ready = ready
        self._artifacts = artifacts
        self._registry = Registry(artifacts)
        self._known: dict[str, RunManifest] = {}

    def report(self) -> Mapping[str, Any] | None:
        """What `create_data` reported of the upload, once it did; raises `UnreadableUpload`."""
        key = self._upload.key.prepared(self._upload.identity, layout.REPORT)
        try:
            report: Mapping[str, Any] = json.loads(self._ready.read(key).body)
        except NotFound:
            return None
        if report["status"] == "refused":
            rejects = self.rejects()
            rows = f", the rejected rows in {rejects}" if rejects else ""
            raise UnreadableUpload(
                f"the file was refused: {report['reason']}\nthe report is in {self._at(key)}{rows}"
            )
        return report

    def rejects(self) -> str | None:
        """Where the rejected rows are, if there are any."""
        key = self._upload.key.prepared(self._upload.identity, layout.REJECTS)
        return self._at(key) if self._ready.etag(key) else None

    def _at(self, key: str) -> str:
        return f"s3://{self._ready_bucket}/{key}"

    def current_version(self) -> str | None:
        """The dataset version over what is prepared now; None while this upload is not."""
        uploads = []
        for item in self._ready.list(layout.dataset_prefix(self._upload.key.dataset)):
            if item.key.endswith("/current.json"):
                current = json.loads(self._ready.read(item.key).body)
                if current["status"] == "ready":
                    uploads.append(current["upload_id"])
        return dataset_version(uploads) if self._upload.identity in uploads else None

    def run(self, version: str) -> RunManifest | None:
        """The newest finished run of the dataset version, once there is one."""
        for run_id in self._registry.runs():
            if run_id not in self._known:
                self._known[run_id] = self._registry.manifest(run_id)
        found = [run for run in self._known.values() if run.dataset_version == version]
        return max(found, key=lambda run: run.created, default=None)

    def stage(self) -> tuple[str, float]:
        """What the trainer says it is doing for this dataset, and how far it is (0 to 1)."""
        try:
            note = layout.progress(self._upload.key.dataset)
            told = json.loads(self._artifacts.read(note).body)
        except NotFound:
            return "waiting for the trainer", 0.0
        return str(told["stage"]), float(told["fraction"])


def follow(upload: Upload, stack: Running, progress: Progress, *, patience: float) -> RunManifest:
    """Put the file in and wait, stage by stage, until its run is there and its champion chosen."""
    registry = Registry(stack.artifacts)
    journey = Journey(
        upload,
        ready=stack.ready,
        artifacts=stack.artifacts,
        ready_bucket=stack.outputs["ReadyBucket"],
    )
    bars = {stage: progress.add_task(stage, total=1.0, note="") for stage in _STAGES}
    deadline = time.monotonic() + patience

    def finish(stage: str, note: str) -> None:
        progress.update(bars[stage], completed=1.0, note=note)
        _plainly(progress, f"{stage}: {note}")

    stack.raw.write(str(upload.key), upload.body)
    finish("upload", f"{_size(upload.body)} as {upload.key}")

    while (report := journey.report()) is None:
        _wait(deadline, "the Lambda to prepare the file", "make logs SERVICE=lambda")
    rejected = report["rows"]["rejected"]
    where = f": {journey.rejects()}" if rejected else ""
    finish("prepare", f"{report['songs']:,} songs, {rejected:,} rows rejected{where}")

    while (version := journey.current_version()) is None:
        _wait(deadline, "the upload to become current", "make logs SERVICE=lambda")
    while (run := journey.run(version)) is None:
        _show_training(progress, bars["train"], journey)
        _wait(deadline, "the trainer", "make logs SERVICE=trainer")
    finish("train", f"run {run.run_id} in {run.seconds:.0f} s")

    dataset = upload.key.dataset
    while (champion := registry.champion(dataset)) is None or not champion.has_met(run.run_id):
        _wait(deadline, "the choice of a champion", "make logs SERVICE=trainer")
    registry.activate(dataset)
    finish("serve", f"champion: {champion.model} of run {champion.run_id}")
    return run


def scores_table(run: RunManifest, champion: str) -> Table:
    """The run's models with their held-out scores, best first, the champion marked."""
    table = Table(title=f"Held-out scores for new and for known artists, {run.songs:,} songs")
    table.add_column("model")
    for protocol in ("new", "known"):
        for metric in ("R2", "MAE"):
            table.add_column(f"{metric}, {protocol}", justify="right")
    for model in sorted(run.models, key=lambda entry: entry.deciding_mae):
        mark = " (champion)" if model.name == champion else ""
        rule = " (to beat)" if model.name == BASELINE else ""
        table.add_row(
            model.title + mark + rule, *_cells(model.new_artists), *_cells(model.known_artists)
        )
    return table


def _size(body: bytes) -> str:
    return f"{len(body) / 1e6:.1f} MB" if len(body) >= 100_000 else f"{len(body):,} bytes"


def _cells(scores: Scores | None) -> tuple[str, str]:
    return (f"{scores.r2:.3f}", f"{scores.mae:.2f}") if scores else ("not available", "")


def _show_training(progress: Progress, bar: TaskID, journey: Journey) -> None:
    stage, fraction = journey.stage()
    progress.update(bar, completed=fraction, note=stage)


def _plainly(progress: Progress, line: str) -> None:
    """Without a terminal there is no bar to look at, so each finished stage gets a line."""
    if not progress.console.is_terminal:
        progress.console.print(line)


def _wait(deadline: float, what: str, look: str) -> None:
    if time.monotonic() > deadline:
        raise TryAgain(f"gave up waiting for {what}; `{look}` may say why, then run this again")
    time.sleep(_POLL_SECONDS)


def show(path: Path, dataset: str | None, console: Console, *, patience: float) -> int:
    """The whole demonstration on `console`; returns the exit code."""
    upload = read_upload(path, dataset)
    stack = running_stack()
    columns = (
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        finished = follow(upload, stack, progress, patience=patience)
    champion = Registry(stack.artifacts).champion(upload.key.dataset)
    crowned = champion is not None and champion.run_id == finished.run_id
    console.print(scores_table(finished, champion.model if champion and crowned else ""))
    if champion and not crowned:
        console.print(f"The champion stays: {champion.history[-1].reason}")
    console.print(f"The app now shows this dataset first: {stack.web_url}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make demo DATA=songs.csv.gz DATASET=mine",
    )
    parser.add_argument("--data", required=True, type=Path, help="a .csv or .csv.gz of songs")
    parser.add_argument("--dataset", help="the dataset's name (default: from the file's name)")
    parser.add_argument("--patience", type=float, default=1_800, help="seconds (default: 1800)")
    options = parser.parse_args()
    if str(options.data) in {"", "."}:
        parser.error("DATA names no file; for example: make demo DATA=songs.csv.gz")
    console = Console(soft_wrap=True, highlight=False)
    return command.run(
        lambda: show(options.data, options.dataset, console, patience=options.patience),
        interrupted="stopped watching; the stack goes on, and the same command looks again",
    )


if __name__ == "__main__":
    sys.exit(main())
