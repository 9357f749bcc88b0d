"""How a run is told about, on a page of the app as on a model card."""

from datetime import UTC, datetime

from chartbuster.runs import RunManifest

SYNTHETIC = "demo"
"""The dataset of the catalogue that comes with ChartBuster, whose songs are made up."""

SMALL_SYNTHETIC = "demo-small"
"""The dataset of the small made-up catalogues that the app sends on their way."""


def is_synthetic(dataset: str) -> bool:
    """Whether the songs of `dataset` are made up."""
    return dataset in (SYNTHETIC, SMALL_SYNTHETIC)


def learnt_from(run: RunManifest) -> str:
    """How much a run learnt from: `20,000 songs by 3,100 artists`."""
    songs = f"{run.songs:,} songs"
    return f"{songs} by {run.artists:,} artists" if run.artists else songs


def moment(iso: str) -> str:
    """An ISO 8601 time as people write it: `23 November 2026, 18:52 UTC`; other text as it is."""
    try:
        at = datetime.fromisoformat(iso).astimezone(UTC)
    except ValueError:
        return iso
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
