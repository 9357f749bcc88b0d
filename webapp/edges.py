"""Where the app meets the world: made once per process and handed to every page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from chartbuster.aws import s3_store
from chartbuster.operations import Operations
from chartbuster.operators import EVERYBODY, Operators
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from webapp.serving import Serving
from webapp.settings import Settings


@dataclass(frozen=True)
class Edges:
    """The three buckets, what is served from the last of them, and who may change it."""

    raw: ObjectStore
    ready: ObjectStore
    artifacts: ObjectStore
    serving: Serving
    operators: Operators = EVERYBODY

    @property
    def registry(self) -> Registry:
        """Runs, champions and drift reports, as they are in the store now."""
        return Registry(self.artifacts)

    @property
    def operations(self) -> Operations:
        """What people may do to the registry."""
        return Operations(self.registry, self.operators, lambda: datetime.now(UTC))


_provided: list[Edges] = []


def from_env(env: Mapping[str, str]) -> Edges:
    """The edges `env` names; raises `Misconfigured` where it lacks some."""
    settings = Settings.from_env(env)
    artifacts = s3_store(settings.artifacts_bucket)
    return Edges(
        raw=s3_store(settings.raw_bucket),
        ready=s3_store(settings.ready_bucket),
        artifacts=artifacts,
        serving=Serving(artifacts),
    )


def provide(edges: Edges) -> None:
    """Let every page of this process use `edges`. Tests provide some over stores in memory."""
    _provided[:] = [edges]


def edges() -> Edges:
    """What was provided; raises `LookupError` when nothing was."""
    if not _provided:
        raise LookupError("no edges were provided; start the app with `python -m webapp`")
    return _provided[0]
