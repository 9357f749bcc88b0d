"""Where the app meets the world: made once per process and handed to every page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from chartbuster.aws import s3_store, sqs_dead_letters, sqs_postbox
from chartbuster.operations import Operations, PipelineOperations
from chartbuster.operators import EVERYBODY, Operators
from chartbuster.pipeline import Pipeline
from chartbuster.ports import DeadLetters, ObjectStore, Postbox
from chartbuster.registry import Registry
from chartbuster.watching import Watcher
from webapp.archive import Archive
from webapp.serving import Serving
from webapp.settings import Settings, SignIn
from webapp.sighting import Sighting


@dataclass(frozen=True)
class Edges:
    """The buckets and queues, what is served from the last bucket, and who may change it.

    `sign_in` is how people sign in, or None where nobody does.
    """

    raw: ObjectStore
    ready: ObjectStore
    artifacts: ObjectStore
    queue: Postbox
    upload_letters: DeadLetters
    training_letters: DeadLetters
    serving: Serving
    operators: Operators = EVERYBODY
    sign_in: SignIn | None = None

    @property
    def registry(self) -> Registry:
        """Runs, champions and drift reports, as they are in the store now."""
        return Registry(self.artifacts)

    @cached_property
    def archive(self) -> Archive:
        """Every run in the store, each read once."""
        return Archive(self.registry)

    @property
    def operations(self) -> Operations:
        """What people may do to the registry."""
        return Operations(self.registry, self.operators, _now)

    @property
    def pipeline(self) -> Pipeline:
        """The way a song takes, through all of them."""
        return Pipeline(
            self.raw,
            self.ready,
            self.artifacts,
            self.queue,
            self.upload_letters,
            self.training_letters,
        )

    @property
    def pipeline_operations(self) -> PipelineOperations:
        """What people may do to the pipeline."""
        return PipelineOperations(self.pipeline, self.operators)

    @cached_property
    def sighting(self) -> Sighting:
        """Where everything is on its way, looked at for all visitors together."""
        return Sighting(Watcher(self.pipeline, now=_now).look)


def _now() -> datetime:
    return datetime.now(UTC)


_provided: list[Edges] = []


def from_env(env: Mapping[str, str]) -> Edges:
    """The edges `env` names; raises `Misconfigured` where it lacks some."""
    settings = Settings.from_env(env)
    artifacts = s3_store(settings.artifacts_bucket)
    signing = settings.sign_in
    return Edges(
        raw=s3_store(settings.raw_bucket),
        ready=s3_store(settings.ready_bucket),
        artifacts=artifacts,
        queue=sqs_postbox(settings.train_queue),
        upload_letters=sqs_dead_letters(settings.lambda_dead_letters),
        training_letters=sqs_dead_letters(settings.train_dead_letters),
        serving=Serving(artifacts),
        operators=signing.operators if signing else EVERYBODY,
        sign_in=signing,
    )


def provide(edges: Edges) -> None:
    """Let every page of this process use `edges`. Tests provide some over stores in memory."""
    _provided[:] = [edges]


def edges() -> Edges:
    """What was provided; raises `LookupError` when nothing was."""
    if not _provided:
        raise LookupError("no edges were provided; start the app with `python -m webapp`")
    return _provided[0]
