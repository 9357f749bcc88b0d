"""Tells how far a new version of a dataset is from the songs its champion comes from."""

import logging
from datetime import UTC, datetime

import pandas as pd

from chartbuster.drift import DriftReport
from chartbuster.layout import SONGS
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.drift import compared, read_songs
from chartbuster.registry import Registry

log = logging.getLogger(__name__)


def compare_with_champion(
    registry: Registry, songs: pd.DataFrame, *, dataset: str, version: str, now: datetime
) -> DriftReport | None:
    """Store the drift report of a dataset's version, whose `songs` are those of `merged`.

    None without a champion, and where the champion comes from this very version. Never raises: a
    report that cannot be made is logged, because the run it goes before must not depend on it.
    """
    fields = {"dataset": dataset, "version": version}
    try:
        champion = registry.champion(dataset)
        if champion is None:
            return None
        manifest = registry.manifest(champion.run_id)
        if manifest.dataset_version == version:
            return None
        report = registry.record_drift(
            compared(
                read_songs(registry.file(manifest, SONGS)),
                # By the same way as the champion's, so that both sides are spelt alike.
                read_songs(catalogue(songs)),
                dataset=dataset,
                version=version,
                champion=champion.run_id,
                at=now.astimezone(UTC).isoformat(timespec="seconds"),
            )
        )
    except Exception:
        log.exception("drift_not_compared", extra=fields)
        return None
    log.info("drift_compared", extra={**fields, "level": report.level, "reason": report.sentence})
    return report
