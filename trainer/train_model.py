"""Trains the models of one dataset, stores the run and moves the dataset's champion.

Reads READY_BUCKET and ARTIFACTS_BUCKET from the environment. Does nothing when the run is there
already: a run is named after its songs, its configuration and the code that made it. Ends with 0
when the run is there, 65 when the dataset can never become one, 75 when trying again may help.
"""

import argparse
import logging
import os
import secrets
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from chartbuster import identity, layout, logs
from chartbuster.aws import s3_store
from chartbuster.errors import ChartBusterError, NotFound, Permanent
from chartbuster.ports import ObjectStore
from chartbuster.progress import FINISHED, REFUSED
from chartbuster.registry import Registry, RunManifest
from trainer.configuration import default_text, read_configuration
from trainer.lifeline import die_with
from trainer.progress import Progress
from trainer.settings import Buckets, jobs_from
from trainer.uploads import Dataset, current_dataset

DONE, UNUSABLE, TRY_AGAIN = 0, os.EX_DATAERR, os.EX_TEMPFAIL
LOCK = "requirements.txt"

log = logging.getLogger(__name__)


def run(
    name: str,
    *,
    ready: ObjectStore,
    artifacts: ObjectStore,
    configuration_text: str | None = None,
    jobs: int = 2,
) -> RunManifest | None:
    """Make the run of the dataset `name` as it is now, unless it is there; None without uploads.

    A repeat finds the run and its decision and changes nothing. Raises `Permanent` for a dataset
    that can never become a run.
    """
    dataset = current_dataset(ready, name)
    if not dataset.uploads:
        log.info("nothing_ready", extra={"dataset": name})
        return None
    configuration = read_configuration(configuration_text or default_text())
    registry = Registry(artifacts)
    code, lock = identity.code_digest("chartbuster", "trainer"), lock_digest()
    run_id = identity.run_id(
        version=dataset.version, configuration=configuration.values(), code=code, lock=lock
    )
    manifest = _finished(registry, run_id)
    if manifest is not None:
        champion = registry.champion(name)
        if champion is not None and champion.has_met(run_id):
            registry.activate_first(name)
            log.info("run_exists", extra={"dataset": name, "run": run_id})
            return manifest
    tell = Progress(name, artifacts)
    started, created = time.monotonic(), datetime.now(UTC)
    tell("reading the songs", 0.0)

    # Imported here, because a message whose work is done must not wait for scikit-learn.
    from chartbuster.card import model_card
    from chartbuster.features import read_ready
    from chartbuster.learn.dataset import merged
    from trainer.drifting import compare_with_champion
    from trainer.promotion import decide
    from trainer.training import train

    songs = merged([read_ready(ready.read(str(key)).body) for key in dataset.uploads])
    compare_with_champion(registry, songs, dataset=name, version=dataset.version, now=created)
    if manifest is None:
        try:
            trained = train(songs, configuration, jobs=jobs, tell=tell)
        except Permanent as error:
            # Whoever watches would wait for a run that never comes.
            tell(REFUSED, 1.0, reason=str(error))
            raise
        manifest = RunManifest(
            run_id=run_id,
            attempt=secrets.token_hex(8),
            dataset=name,
            dataset_version=dataset.version,
            uploads=_upload_ids(dataset),
            created=created.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - started, 2),
            songs=trained.songs,
            artists=trained.artists,
            code=code,
            lock=lock,
            schema_version=int(songs["schema_version"].iloc[0]),
            configuration=configuration.values(),
            columns=trained.columns,
            inputs=trained.inputs,
            models=trained.models,
            best=trained.best,
            files={},
        )
        card = model_card(manifest, trained.report).encode()
        manifest = registry.publish(manifest, {**trained.files, layout.CARD: card})
    tell("choosing the champion", 0.98)
    champion = decide(registry, manifest, songs, dataset=name, now=datetime.now(UTC))
    registry.activate_first(name)
    tell(FINISHED, 1.0, run=run_id)
    log.info(
        "run_finished",
        extra={
            "dataset": name,
            "run": run_id,
            "songs": manifest.songs,
            "best": manifest.best,
            "champion": f"{champion.run_id}/{champion.model}",
            "seconds": round(time.monotonic() - started, 2),
        },
    )
    return manifest


def lock_digest() -> str:
    """The digest of the versions the trainer runs with."""
    return identity.digest(files("trainer").joinpath(LOCK).read_bytes())


def _finished(registry: Registry, run_id: str) -> RunManifest | None:
    try:
        return registry.manifest(run_id)
    except NotFound:
        return None


def _upload_ids(dataset: Dataset) -> tuple[str, ...]:
    return tuple(sorted({key.upload for key in dataset.uploads}))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m trainer.train_model --dataset spotify-2019",
    )
    parser.add_argument("--dataset", required=True, help="the dataset's name")
    parser.add_argument(
        "--configuration", type=Path, help="a YAML file to use instead of trainer/config.yaml"
    )
    parser.add_argument("--die-with", type=int, metavar="PID", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.die_with:
        die_with(options.die_with)
    logs.configure()
    try:
        buckets = Buckets.from_env(os.environ)
        text = options.configuration and options.configuration.read_text(encoding="utf-8")
        artifacts = s3_store(buckets.artifacts)
        run(
            identity.checked_dataset(options.dataset),
            ready=s3_store(buckets.ready),
            artifacts=artifacts,
            configuration_text=text,
            jobs=jobs_from(os.environ),
        )
    except Permanent as error:
        log.error("run_refused", extra={"dataset": options.dataset, "reason": str(error)})
        return UNUSABLE
    except (ChartBusterError, OSError) as error:
        log.error("run_failed", extra={"dataset": options.dataset, "reason": str(error)})
        return TRY_AGAIN
    return DONE


if __name__ == "__main__":
    sys.exit(main())
