"""What is promised of the best model on the two public files it was developed with.

A file is known by its content, unpacked, so that its name and how it was compressed do not matter.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from chartbuster.learn.evaluate import KNOWN, NEW, Protocol
from chartbuster.runs import Scores
from chartbuster.unpacking import unpack

COVERED_WITHIN = 0.02
"""How far the share of new artists' songs within their interval may be from what it is to be."""


@dataclass(frozen=True)
class Promised:
    """The least R2 of the best model, by protocol, on the file called `file`."""

    file: str
    r2: Mapping[Protocol, float]


_PROMISED = {
    "4d4a968b72cf8a6c5a6b61bc7022fb32796fe261415205529575e032fbc948ef": Promised(
        "SpotifyFeatures, a sample of 20,000 rows", {NEW: 0.675, KNOWN: 0.74}
    ),
    "9902920cfe4940f0914ebb6716801a42f7f19ac88fbd6693eaae7e2822b16845": Promised(
        "the TidyTuesday songs of 2020-01-21", {NEW: 0.26, KNOWN: 0.33}
    ),
}


@dataclass(frozen=True)
class Target:
    """A figure of the best model, and the range in which it is to be; `met` if it is."""

    name: str
    measured: float
    least: float
    most: float
    met: bool


def promised(stored: bytes) -> Promised | None:
    """What is promised of the file with the bytes `stored`; raises `UnreadableUpload`."""
    return _PROMISED.get(hashlib.sha256(unpack(stored).body).hexdigest())


def targets(
    promise: Promised, scores: Mapping[Protocol, Scores | None], *, interval: float
) -> tuple[Target, ...]:
    """The targets for the best model's `scores`; one without a score is not met."""
    found = []
    for protocol, least in promise.r2.items():
        score = scores[protocol]
        found.append(_target(f"R2, {protocol}", score.r2 if score else None, least, 1.0))
    new = scores[NEW]
    low, high = interval - COVERED_WITHIN, interval + COVERED_WITHIN
    found.append(_target(f"coverage, {NEW}", new.covered if new else None, low, high))
    return tuple(found)


def _target(name: str, measured: float | None, least: float, most: float) -> Target:
    least, most = round(least, 4), round(most, 4)
    if measured is None:
        return Target(name, 0.0, least, most, met=False)
    return Target(name, measured, least, most, met=least <= measured <= most)
