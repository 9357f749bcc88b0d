"""The memory of what was trained: runs, their files, one champion per dataset, and its drift.

A run becomes visible in one step, when its manifest is created; a champion moves in one step, by
a conditional replace. So a crash anywhere leaves either the old state or the new one.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from chartbuster import layout
from chartbuster.drift import DriftReport
from chartbuster.errors import Conflict, Corrupt, InvalidName, NotFound, UntrustedModel
from chartbuster.identity import checked_dataset, digest
from chartbuster.ports import ObjectStore
from chartbuster.records import from_json, to_json
from chartbuster.runs import (
    PERSON,
    ROLLBACK,
    TRAINING,
    AttributeRange,
    Champion,
    Decision,
    FileEntry,
    Inputs,
    ModelEntry,
    RunManifest,
    Scores,
    best_model,
    crowns,
    former,
)

__all__ = [
    "AttributeRange",
    "Champion",
    "Decision",
    "FileEntry",
    "Inputs",
    "ModelEntry",
    "Registry",
    "RunManifest",
    "Scores",
    "best_model",
]

_TRIES = 8
_MANIFEST = "/manifest.json"


class Registry:
    """Runs and champions over the store of the artifacts bucket."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def manifest(self, run_id: str) -> RunManifest:
        """The manifest of the run `run_id`; raises `NotFound` or `Corrupt`."""
        key = layout.run_manifest(run_id)
        manifest = from_json(RunManifest, self._store.read(key).body, where=key)
        if manifest.run_id != run_id:
            raise Corrupt(f"{key} is the manifest of run {manifest.run_id!r}; expected {run_id!r}")
        return manifest

    def runs(self) -> tuple[str, ...]:
        """The ids of all finished runs, in alphabetical order."""
        keys = (item.key for item in self._store.list(layout.RUNS))
        return tuple(
            key.removeprefix(layout.RUNS).removesuffix(_MANIFEST)
            for key in keys
            if key.endswith(_MANIFEST) and key.count("/") == 2
        )

    def publish(self, manifest: RunManifest, files: Mapping[str, bytes]) -> RunManifest:
        """Store `files` and then the manifest, completed with their digests; the winner returns.

        When another attempt at the same run was first, this one is removed and the other's
        manifest is returned. When this one is first, what unfinished attempts left is removed.
        """
        entries = {name: FileEntry(digest(body), len(body)) for name, body in files.items()}
        manifest = dataclasses.replace(manifest, files=entries)
        lacking = [model.file for model in manifest.models if model.file not in entries]
        if lacking:
            raise ValueError(f"the manifest names {lacking}, which are not among the files")
        prefix = layout.attempt_prefix(manifest.run_id, manifest.attempt)
        for name, body in files.items():
            self._store.write(prefix + name, body)
        winner = self._created(manifest)
        # Whoever is late writes files no manifest names, and removes them when refused; so
        # everything outside the winner's attempt may go at any time.
        keep = layout.attempt_prefix(winner.run_id, winner.attempt)
        manifest_key = layout.run_manifest(winner.run_id)
        for item in list(self._store.list(f"{layout.RUNS}{winner.run_id}/")):
            if not item.key.startswith(keep) and item.key != manifest_key:
                self._store.delete(item.key)
        return winner

    def _created(self, manifest: RunManifest) -> RunManifest:
        try:
            self._store.create(layout.run_manifest(manifest.run_id), to_json(manifest))
        except Conflict:
            # Ours too, when the reply to our own create was lost and the SDK asked again.
            return self.manifest(manifest.run_id)
        return manifest

    def file(self, manifest: RunManifest, name: str) -> bytes:
        """The file `name` of a run, to the byte as it was published; raises `UntrustedModel`."""
        entry = manifest.files.get(name)
        if entry is None:
            known = ", ".join(sorted(manifest.files))
            raise UntrustedModel(
                f"run {manifest.run_id} has no file {name!r}; expected one of {known}"
            )
        key = layout.attempt_prefix(manifest.run_id, manifest.attempt) + name
        body = self._store.read(key).body
        if len(body) != entry.bytes or digest(body) != entry.sha256:
            raise UntrustedModel(
                f"{key} has {len(body)} bytes and SHA-256 {digest(body)}; its manifest expects "
                f"{entry.bytes} bytes and {entry.sha256}"
            )
        return body

    def champion(self, dataset: str) -> Champion | None:
        """The champion of `dataset`, or None while it has none; raises `Corrupt`."""
        return self._champion(dataset)[0]

    def champions(self) -> tuple[Champion, ...]:
        """Every dataset's champion, in the order of the datasets' names."""
        found = []
        for item in list(self._store.list(layout.CHAMPIONS)):
            name = item.key.removeprefix(layout.CHAMPIONS).removesuffix(".json")
            champion = self.champion(name)
            if champion is not None:
                found.append(champion)
        return tuple(found)

    def crown(
        self,
        dataset: str,
        run_id: str,
        model: str,
        *,
        reason: str,
        now: datetime,
        figures: Mapping[str, float] | None = None,
        against: Champion | None = None,
    ) -> Champion:
        """Make `model` of the run `run_id` the champion of `dataset`, with the reason on record.

        `figures` are those it was decided on, by name, and `against` the champion it was compared
        with: when that is not the champion any more, the comparison says nothing and `Conflict` is
        raised, unless the new one has met the run already. Crowning the champion again changes
        nothing.
        """
        decision = Decision(run_id, model, _at(now), True, reason, TRAINING, dict(figures or {}))

        def crowned(champion: Champion | None) -> Champion:
            if champion is not None and (
                champion.is_model(run_id, model) or _settled(champion, run_id, against)
            ):
                return champion
            return _moved(dataset, champion, decision)

        return self._changed(dataset, crowned)

    def refuse(
        self,
        dataset: str,
        run_id: str,
        model: str,
        *,
        reason: str,
        now: datetime,
        figures: Mapping[str, float] | None = None,
        against: Champion | None = None,
    ) -> Champion:
        """Record that `model` of the run `run_id` did not become champion, and why.

        `figures` and `against` are those of `crown`. Refusing the same run again against the same
        champion changes nothing.
        """
        decision = Decision(run_id, model, _at(now), False, reason, TRAINING, dict(figures or {}))

        def refused(champion: Champion | None) -> Champion:
            if champion is None:
                raise NotFound(f"dataset {dataset!r} has no champion to refuse run {run_id!r} for")
            if champion.has_met(run_id) or _settled(champion, run_id, against):
                return champion
            return dataclasses.replace(champion, history=(*champion.history, decision))

        return self._changed(dataset, refused)

    def promote(
        self, dataset: str, run_id: str, model: str, *, reason: str, now: datetime, who: str = ""
    ) -> Champion:
        """Make `model` of the run `run_id` the champion of `dataset` because a person says so.

        `who` is the person's name, where it is known. Promoting the champion changes nothing.
        Raises `NotFound` when there is no such run of the dataset or it has no such model,
        `UntrustedModel` when its file is not what its manifest expects.
        """
        manifest = self.manifest(run_id)
        figures = self._vouched(manifest, model)
        decision = Decision(run_id, model, _at(now), True, reason, PERSON, figures, who)

        def promoted(champion: Champion | None) -> Champion:
            history = champion.history if champion else ()
            # The same uploads under two names are one run, which names the dataset it was made for.
            if manifest.dataset != dataset and all(run_id != d.run_id for d in history):
                raise NotFound(
                    f"dataset {dataset!r} has no run {run_id!r}; it is of {manifest.dataset!r}"
                )
            if champion is not None and champion.is_model(run_id, model):
                return champion
            return _moved(dataset, champion, decision)

        return self._changed(dataset, promoted)

    def rollback(
        self,
        dataset: str,
        *,
        now: datetime,
        reason: str = "",
        who: str = "",
        against: Champion | None = None,
    ) -> Champion:
        """Make the champion before this one, as `runs.former` finds it, the champion again.

        `reason` is put on record beside what was rolled back, and `who` did it. A repeat goes one
        more step back, unless `against` says which champion it is meant for: `Conflict` is raised
        where that is not the champion any more. Raises `NotFound` when there is none before this
        one or its run is gone, `UntrustedModel` when its file is not what its manifest expects.
        """

        def rolled_back(champion: Champion | None) -> Champion:
            if champion is None:
                raise NotFound(f"dataset {dataset!r} has no champion to roll back")
            # Refusals in between change nothing of what a rollback does.
            if against is not None and crowns(champion.history) != crowns(against.history):
                raise Conflict(
                    f"the champion of {dataset!r} is {champion.model} of run {champion.run_id!r} "
                    f"since {champion.since}; it was to be rolled back from {against.model} of "
                    f"run {against.run_id!r}, there since {against.since}"
                )
            crown = former(champion)
            figures = self._vouched(self.manifest(crown.run_id), crown.model)
            undone = f"rolled back from {champion.model} of run {champion.run_id}"
            said = f"{undone}: {reason}" if reason else undone
            decision = Decision(
                crown.run_id, crown.model, _at(now), True, said, ROLLBACK, figures, who
            )
            return _moved(dataset, champion, decision)

        return self._changed(dataset, rolled_back)

    def _vouched(self, manifest: RunManifest, model: str) -> dict[str, float]:
        """The figures of a model that is there to the byte."""
        try:
            entry = manifest.model(model)
        except KeyError as error:
            raise NotFound(error.args[0]) from error
        self.file(manifest, entry.file)
        return entry.figures

    def active(self) -> str | None:
        """The dataset the app shows first, or None while there is none; raises `Corrupt`."""
        try:
            body = self._store.read(layout.ACTIVE).body
        except NotFound:
            return None
        try:
            return checked_dataset(json.loads(body)["dataset"])
        except (ValueError, KeyError, TypeError, InvalidName) as error:
            raise Corrupt(
                f'{layout.ACTIVE} is {body[:80]!r}; expected {{"dataset": "<name>"}}'
            ) from error

    def activate(self, dataset: str) -> None:
        """Make `dataset` the one the app shows first."""
        self._store.write(layout.ACTIVE, _active(dataset))

    def activate_first(self, dataset: str) -> None:
        """Make `dataset` the one the app shows first, unless there is one already."""
        try:
            self._store.create(layout.ACTIVE, _active(dataset))
        except Conflict:
            # Another dataset is shown already, or our own write went through unanswered.
            return

    def progress(self, dataset: str) -> bytes:
        """How far the latest run of `dataset` has come, as JSON; raises `NotFound`."""
        return self._store.read(layout.progress(dataset)).body

    def record_drift(self, report: DriftReport) -> DriftReport:
        """Store how a version of a dataset differs from its champion's songs; returns what is kept.

        The same comparison again keeps the first one's time, and so changes nothing.
        """
        key = layout.drift_report(report.dataset, report.version)
        try:
            there = self._drift_at(key)
        except (Corrupt, NotFound):
            there = None
        if there is not None and dataclasses.replace(report, at=there.at) == there:
            return there
        self._store.write(key, to_json(report))
        return report

    def drift(self, dataset: str) -> DriftReport | None:
        """The newest drift report of `dataset`, or None while it has none; raises `Corrupt`."""
        keys = [item.key for item in self._store.list(layout.drift_prefix(dataset))]
        reports = [self._drift_at(key) for key in keys]
        return max(reports, key=lambda report: (report.at, report.version), default=None)

    def drifts(self) -> tuple[DriftReport, ...]:
        """Every dataset's newest drift report, in the order of the datasets' names."""
        keys = (item.key.removeprefix(layout.DRIFT) for item in self._store.list(layout.DRIFT))
        found = (self.drift(name) for name in sorted({key.split("/")[0] for key in keys}))
        return tuple(report for report in found if report is not None)

    def _drift_at(self, key: str) -> DriftReport:
        report = from_json(DriftReport, self._store.read(key).body, where=key)
        if layout.drift_report(report.dataset, report.version) != key:
            raise Corrupt(f"{key} is about version {report.version!r} of {report.dataset!r}")
        return report

    def _champion(self, dataset: str) -> tuple[Champion | None, str]:
        """The champion and the ETag of its pointer."""
        key = layout.champion(dataset)
        try:
            stored = self._store.read(key)
        except NotFound:
            return None, ""
        champion = from_json(Champion, stored.body, where=key)
        if champion.dataset != dataset:
            raise Corrupt(f"{key} is the champion of {champion.dataset!r}; expected {dataset!r}")
        return champion, stored.etag

    def _changed(self, dataset: str, change: Callable[[Champion | None], Champion]) -> Champion:
        """Move the pointer to what `change` makes of it, again whenever somebody was faster."""
        key = layout.champion(dataset)
        after = None
        for _ in range(_TRIES):
            before, etag = self._champion(dataset)
            if before is not None and before == after:
                # Our own write went through unanswered, and the SDK's repeat met it.
                return before
            after = change(before)
            if after == before:
                return after
            try:
                if before is None:
                    self._store.create(key, to_json(after))
                else:
                    self._store.replace(key, to_json(after), etag=etag)
            except Conflict:
                continue
            return after
        raise Conflict(f"{key} changed {_TRIES} times while it was being moved")


def _at(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")


def _moved(dataset: str, champion: Champion | None, decision: Decision) -> Champion:
    """The champion that `decision` makes."""
    history = champion.history if champion else ()
    return Champion(
        dataset,
        decision.run_id,
        decision.model,
        since=decision.at,
        reason=decision.reason,
        history=(*history, decision),
    )


def _settled(champion: Champion, run_id: str, against: Champion | None) -> bool:
    """Whether somebody else decided on the run while it was compared with `against`."""
    if against is None:
        return False
    if champion.has_met(run_id):
        return True
    if not champion.is_model(against.run_id, against.model):
        raise Conflict(
            f"run {run_id!r} was compared with {against.model} of run {against.run_id!r}; the "
            f"champion is {champion.model} of run {champion.run_id!r} by now"
        )
    return False


def _active(dataset: str) -> bytes:
    return json.dumps({"dataset": checked_dataset(dataset)}).encode()
