"""The whole stack, nothing replaced: what `make up` starts, in a folder and on ports of its own."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from chartbuster import layout as keys
from chartbuster.errors import NotFound
from chartbuster.identity import dataset_version, upload_id
from chartbuster.registry import Registry, RunManifest
from compose import embedded
from compose.layout import Layout, Ports
from compose.programs import Program, programs
from scripts.down import bring_down
from scripts.running import Running, running_stack
from scripts.status import status_of
from scripts.steps import Steps
from scripts.up import bring_up
from tests.emulator import ROOT, free_port, require

type Consists = Callable[[Layout, Ports], tuple[Program, ...]]


@dataclass(frozen=True)
class WholeStack:
    """One stack; `layout.root` is made by `checkout`."""

    layout: Layout
    ports: Ports
    consists_of: Consists

    def up(self) -> None:
        wanted = embedded.composition(
            self.layout,
            self.ports,
            os.environ,
            consists_of=self.consists_of(self.layout, self.ports),
        )
        bring_up(self.layout, wanted, Steps(Console(quiet=True)))

    def down(self) -> None:
        bring_down(self.layout, Steps(Console(quiet=True)))

    @property
    def running(self) -> Running:
        return running_stack(self.layout.root)

    @property
    def registry(self) -> Registry:
        return Registry(self.running.artifacts)

    def well(self) -> bool:
        return status_of(self.layout).well

    def upload(self, key: keys.RawKey, body: bytes) -> str:
        """Put a file; returns its upload id."""
        self.running.raw.write(str(key), body)
        return upload_id(body)

    def report(self, key: keys.RawKey, upload: str) -> dict[str, object] | None:
        """The Lambda's report of an upload, once there."""
        try:
            body = self.running.ready.read(key.prepared(upload, keys.REPORT)).body
        except NotFound:
            return None
        found: dict[str, object] = json.loads(body)
        return found

    def runs_of(self, *uploads: str) -> list[RunManifest]:
        """The finished runs of the dataset version these uploads make."""
        version = dataset_version(uploads)
        registry = self.registry
        manifests = (registry.manifest(run) for run in registry.runs())
        return [manifest for manifest in manifests if manifest.dataset_version == version]

    def decided(self, dataset: str, *uploads: str) -> bool:
        """Whether the run of these uploads is there and was held against the champion."""
        champion, runs = self.registry.champion(dataset), self.runs_of(*uploads)
        return champion is not None and bool(runs) and champion.has_met(runs[0].run_id)

    def started(self) -> int:
        """How many runs were begun, since the trainer's log began."""
        log = (self.layout.logs / "trainer.log").read_text()
        return log.count('"stage": "reading the songs"')


def checkout(root: Path, consists_of: Consists = programs) -> WholeStack:
    """A folder that has what `make` made in this checkout, and a .stack of its own."""
    root.mkdir()
    for name in (".venv", "build", "compose"):
        (root / name).symlink_to(ROOT / name)
    return WholeStack(Layout(root), Ports(localstack=free_port(), web=free_port()), consists_of)


def lacking() -> str | None:
    """Why the whole stack cannot run here, or None."""
    layout = Layout(ROOT)
    needed = (
        *(layout.python(name) for name in ("emulator", "trainer", "webapp", "scripts")),
        *(layout.lambda_runtime, layout.lambda_zip, layout.demo_catalogue),
    )
    gone = [str(path.relative_to(ROOT)) for path in needed if not path.exists()]
    return f"{', '.join(gone)} is not there; `make test` makes it" if gone else None


@contextmanager
def brought_up(folder: Path, consists_of: Consists = programs) -> Iterator[WholeStack]:
    """A stack in `folder`, up while the block runs; skips, or fails in CI, where none can be."""
    require(lacking())
    made = checkout(folder / "checkout", consists_of)
    try:
        made.up()
        yield made
    finally:
        made.down()
