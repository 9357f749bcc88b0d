"""Carrying a run from one artifacts bucket into another, so that an app over there serves at once.

Files go first and the manifest last, each only where nothing is yet: whenever it stops, the other
bucket holds either the whole run or no run, and a repeat sends what is left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chartbuster import layout
from chartbuster.errors import Conflict, Corrupt
from chartbuster.identity import digest
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from chartbuster.runs import Champion, RunManifest


@dataclass(frozen=True)
class Carried:
    """A run that is there: how many files had to be sent, and whose champion it is.

    `champion` is the champion of the run's dataset over there, which is another one where there was
    one already; `crowned` tells whether it is new.
    """

    run_id: str
    dataset: str
    sent: int
    champion: Champion
    crowned: bool

    @property
    def changed(self) -> bool:
        """Whether anything had to be done."""
        return bool(self.sent) or self.crowned


def carry(
    run_id: str,
    source: Callable[[], ObjectStore],
    target: ObjectStore,
    *,
    now: datetime,
    progress: Callable[[str], None] = lambda _line: None,
) -> Carried:
    """Have the run `run_id` of `source` in `target` too, and a champion of its dataset.

    What is there already is not asked of `source`, which may be gone by then. Raises `NotFound` for
    a run that `source` does not hold, `UntrustedModel` for one whose files are not what its
    manifest expects, `Corrupt` when `target` holds other bytes under the same keys.
    """
    theirs = Registry(target)
    sent = 0
    if run_id not in theirs.runs():
        sent = _copy(run_id, source(), target, progress)
    manifest = theirs.manifest(run_id)
    champion = theirs.champion(manifest.dataset)
    crowned = champion is None
    if champion is None:
        champion = theirs.promote(
            manifest.dataset,
            run_id,
            _model(manifest, source()),
            reason="carried along from the local stack",
            now=now,
        )
        progress(f"{champion.model} of it is the champion of {manifest.dataset}")
    theirs.activate_first(manifest.dataset)
    return Carried(run_id, manifest.dataset, sent, champion, crowned)


def _copy(
    run_id: str, source: ObjectStore, target: ObjectStore, progress: Callable[[str], None]
) -> int:
    ours = Registry(source)
    manifest = ours.manifest(run_id)
    key = layout.run_manifest(run_id)
    prefix = layout.attempt_prefix(run_id, manifest.attempt)
    sent = 0
    for number, name in enumerate(sorted(manifest.files), start=1):
        if _create(target, prefix + name, ours.file(manifest, name)):
            sent += 1
            size = manifest.files[name].bytes / 1e6
            progress(f"{number} of {len(manifest.files)} files: {name} ({size:.1f} MB)")
    # To the byte, as it was written: a newer program may spell the same manifest differently.
    _create(target, key, source.read(key).body)
    return sent + 1


def _create(target: ObjectStore, key: str, body: bytes) -> bool:
    """Put `body` under `key` unless it is there; whether it was not."""
    try:
        target.create(key, body)
    except Conflict as error:
        there = target.read(key).body
        if there != body:
            raise Corrupt(
                f"{key} is there with SHA-256 {digest(there)}; expected {digest(body)}"
            ) from error
        return False
    return True


def _model(manifest: RunManifest, source: ObjectStore) -> str:
    """The model of the run that is champion where it comes from, or else its best."""
    champion = Registry(source).champion(manifest.dataset)
    return champion.model if champion and champion.run_id == manifest.run_id else manifest.best
