"""What was deployed, deployment by deployment: objects in the code bucket that nothing overwrites.

A record is written when a deployment has come through, and holds all it takes to have it again: the
manifest of what was built, the images by digest, each stack's template and parameters. While one is
under way, a note beside the records says so; after an interruption the note is still there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chartbuster.errors import Conflict, Misconfigured, NotFound
from chartbuster.identity import digest
from chartbuster.ports import ObjectStore
from chartbuster.records import from_json, to_json
from scripts.aws.templates import PARTS

DEPLOYMENTS = "deployments/"
UNFINISHED = "unfinished.json"
_AT = "%Y%m%dT%H%M%S.%fZ"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{12}")


@dataclass(frozen=True)
class StackRecord:
    """A stack as it was applied: the template's text and the parameters by name."""

    template: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Record:
    """One deployment.

    `manifest` is build/manifest.json as it was, `images` the references by name, `stacks` by part
    of the deployment. `run` is the id of the run that was carried along, if one was. A rollback
    says which record it went `back_to`.
    """

    manifest: Mapping[str, Any]
    images: Mapping[str, str]
    stacks: Mapping[str, StackRecord]
    back_to: str = ""
    run: str = ""

    @property
    def short(self) -> str:
        """Twelve characters of the digest over what runs, whoever built it and however it came."""
        return digest(to_json(replace(self, manifest={}, back_to="", run="")))[:12]

    def in_order(self) -> list[tuple[str, StackRecord]]:
        """The stacks by part, in the order they are applied."""
        return [(part, self.stacks[part]) for part in PARTS if part in self.stacks]


@dataclass(frozen=True)
class Unfinished:
    """The note that a deployment is under way: since when (ISO 8601 in UTC), and towards what."""

    since: str
    towards: str


@dataclass(frozen=True)
class Records:
    """The records over the store of the code bucket."""

    store: ObjectStore = field(repr=False)

    def names(self) -> tuple[str, ...]:
        """All records by name, the oldest first."""
        found = (
            item.key.removeprefix(DEPLOYMENTS).removesuffix(".json")
            for item in self.store.list(DEPLOYMENTS)
        )
        return tuple(sorted(name for name in found if _NAME.fullmatch(name)))

    def read(self, name: str) -> Record:
        """The record `name`; raises `NotFound`, or `Corrupt` for half of one."""
        key = f"{DEPLOYMENTS}{name}.json"
        return from_json(Record, self.store.read(key).body, where=key)

    def all(self) -> dict[str, Record]:
        """Every record by name, the oldest first."""
        return {name: self.read(name) for name in self.names()}

    def add(self, record: Record, *, now: datetime) -> tuple[str, bool]:
        """Put `record` behind all others; its name, and whether it is new.

        What the newest record says already is not recorded again, unless another run came along.
        A clock that is behind the newest record's makes no difference.
        """
        names = self.names()
        newest = self.read(names[-1]) if names else None
        if newest and newest.short == record.short and record.run in ("", newest.run):
            return names[-1], False
        at = now.astimezone(UTC)
        if names:
            at = max(at, _at(names[-1]) + timedelta(microseconds=1))
        name = f"{at.strftime(_AT)}-{record.short}"
        try:
            self.store.create(f"{DEPLOYMENTS}{name}.json", to_json(record))
        except Conflict:
            # Our own write went through unanswered, and the SDK's repeat met it.
            if self.read(name) != record:
                raise
        return name, True

    def carried_run(self) -> str:
        """The id of the run that was carried along last, which is still there, or nothing."""
        runs = (self.read(name).run for name in reversed(self.names()))
        return next(filter(None, runs), "")

    def unfinished(self) -> Unfinished | None:
        """The note of a deployment that did not come through, if there is one."""
        try:
            body = self.store.read(UNFINISHED).body
        except NotFound:
            return None
        return from_json(Unfinished, body, where=UNFINISHED)

    def begin(self, towards: str, *, now: datetime) -> None:
        """Note that a deployment is under way; a note that is there keeps its time."""
        there = self.unfinished()
        since = there.since if there else now.astimezone(UTC).isoformat(timespec="seconds")
        self.store.write(UNFINISHED, to_json(Unfinished(since, towards)))

    def finish(self) -> None:
        """Take the note away."""
        self.store.delete(UNFINISHED)


def standing(records: Mapping[str, Record]) -> tuple[str, ...]:
    """The deployments that stand, the oldest first: the last is there now, a rollback ends some.

    So two rollbacks go two deployments back.
    """
    names: list[str] = []
    for name, record in records.items():
        if record.back_to in names:
            del names[names.index(record.back_to) + 1 :]
        else:
            names.append(name)
    return tuple(names)


def wanted_record(
    records: Mapping[str, Record], *, to: str = "", unfinished: Unfinished | None = None
) -> str:
    """The record to go back to: `to`, or else the one before the current.

    While a deployment is unfinished, the last that came through is the one to go back to. `to` may
    be the beginning of a name, or of the digits at its end. Raises `NotFound` when there is none,
    `Misconfigured` when there are several.
    """
    if to:
        found = [name for name in records if name.startswith(to) or _digits(name).startswith(to)]
        if not found:
            known = ", ".join(records) or "none at all"
            raise NotFound(f"there is no record {to!r}; expected one of {known}")
        # The same deployment may have come back: its newest record says as much as its first.
        if len({records[name].short for name in found}) > 1:
            raise Misconfigured(f"{to!r} may be any of {', '.join(found)}; say more of it")
        return found[-1]
    left = standing(records)
    if unfinished and left:
        return left[-1]
    if len(left) < 2:
        there = f"only {left[0]} stands" if left else "none has come through yet"
        raise NotFound(f"there is no deployment to go back to: {there}")
    return left[-2]


def listed(records: Mapping[str, Record], unfinished: Unfinished | None) -> list[str]:
    """The records for people, the newest first, one line each."""
    newest = next(reversed(list(records)), "")
    lines = [
        f"{name}  {when(name)}"
        + (f"  back to {record.back_to}" if record.back_to else "")
        + ("  (the last that came through)" if name == newest else "")
        for name, record in reversed(list(records.items()))
    ]
    if unfinished:
        lines.insert(
            0, f"a deployment of {unfinished.towards}, begun {unfinished.since}, is unfinished"
        )
    return lines


def when(name: str) -> str:
    """The time in a record's name, for people."""
    return _at(name).strftime("%Y-%m-%d %H:%M:%S UTC")


def _digits(name: str) -> str:
    return name.partition("-")[2]


def _at(name: str) -> datetime:
    return datetime.strptime(name.partition("-")[0], _AT).replace(tzinfo=UTC)
