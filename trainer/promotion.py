"""Whether a new run's best model takes the champion's place.

Both predict songs that neither was fitted on, at the same time and on the same draws of a paired
bootstrap. Songs of artists in the first fold are new to both, whatever run they come from; of the
songs each model kept apart to calibrate itself, those whose artist both know are the known ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.errors import Corrupt, InvalidSong, NotFound, UntrustedModel
from chartbuster.learn.bootstrap import draws, interval
from chartbuster.learn.dataset import matrix
from chartbuster.learn.evaluate import FEWEST_TO_TEST, calibrates
from chartbuster.learn.predictor import Predictor
from chartbuster.learn.splits import Places, by_artist, by_song
from chartbuster.registry import Champion, Registry
from chartbuster.runs import Interval, RunManifest

type Mask = NDArray[np.bool_]

_SEED = 0


@dataclass(frozen=True)
class Compared:
    """Mean absolute errors of champion and challenger on the same `songs`; `gain` is the 95 %
    interval of the difference, positive where the challenger is better.
    """

    held: float
    tried: float
    gain: Interval
    songs: int


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger wins, and the figures it was decided by."""

    crowned: bool
    reason: str
    figures: Mapping[str, float]


def decide(
    registry: Registry,
    challenger: RunManifest,
    songs: pd.DataFrame,
    *,
    dataset: str,
    now: datetime,
) -> Champion:
    """Move the champion of `dataset`, or record why not. `songs` are the challenger's songs.

    The same uploads under two names are one run, so `dataset` need not be the name the run was
    made under. A run that the present champion already met is not judged again.
    """
    run_id, model = challenger.run_id, challenger.best
    champion = registry.champion(dataset)
    if champion is None:
        reason = f"the first run of {dataset}; {_own_score(challenger)}"
        return registry.crown(dataset, run_id, model, reason=reason, now=now)
    if champion.has_met(run_id):
        return champion
    verdict = _meet(registry, challenger, champion, songs)
    move = registry.crown if verdict.crowned else registry.refuse
    return move(
        dataset,
        run_id,
        model,
        reason=verdict.reason,
        now=now,
        figures=verdict.figures,
        against=champion,
    )


def _meet(
    registry: Registry, challenger: RunManifest, champion: Champion, songs: pd.DataFrame
) -> Verdict:
    try:
        holder = Predictor.load(registry, champion.run_id)
        artists, alone = by_artist(songs), by_song(songs)
        unseen = _new_to_both(challenger, holder.manifest, artists, alone)
        if unseen.sum() < FEWEST_TO_TEST:
            return Verdict(True, "there are too few songs neither was fitted on", {})
        held = holder.predict(champion.model, songs)
        known = _known_to(holder, champion.model, songs)
    except (Corrupt, InvalidSong, NotFound, UntrustedModel) as error:
        return Verdict(True, f"the champion cannot score the new songs: {error}", {})
    entrant = Predictor.load(registry, challenger.run_id)
    tried = entrant.predict(challenger.best, songs)
    known &= _known_to(entrant, challenger.best, songs)
    known &= calibrates(alone, 0, min(_calibration(challenger), _calibration(holder.manifest)))
    truth = songs["popularity"].to_numpy(dtype=np.float64)
    errors = np.abs(truth - held), np.abs(truth - tried)
    groups = (artists or alone).groups
    return judged(
        _compared(*errors, groups, unseen),
        _compared(*errors, alone.groups, known) if known.sum() >= FEWEST_TO_TEST else None,
        newer=challenger.dataset_version != holder.manifest.dataset_version,
    )


def judged(new: Compared, known: Compared | None, *, newer: bool) -> Verdict:
    """What follows from the errors for new artists, and for known ones where there are enough.

    The challenger wins if it is better for new artists beyond chance, or, when it learnt from
    `newer` data, if it is not worse there; unless it is worse for known artists beyond chance.
    """
    figures = {f"new_artists_{name}": value for name, value in _figures(new).items()}
    reason = (
        f"mean absolute error {new.tried:.3f} against the champion's {new.held:.3f} on "
        f"{new.songs} songs of new artists (gain {new.gain.low:+.3f} to {new.gain.high:+.3f})"
    )
    if known is not None:
        figures |= {f"known_artists_{name}": value for name, value in _figures(known).items()}
        if known.gain.high < 0:
            return Verdict(
                False,
                f"{reason}, but {known.tried:.3f} against {known.held:.3f} on {known.songs} songs "
                f"of known artists, which is worse beyond chance",
                figures,
            )
    better = new.gain.low > 0 or (newer and new.tried <= new.held)
    why = "" if better or new.tried > new.held else ", which may be chance"
    return Verdict(better, f"{reason}{why}", figures)


def _figures(compared: Compared) -> dict[str, float]:
    return {
        "mae_champion": round(compared.held, 4),
        "mae_challenger": round(compared.tried, 4),
        "gain_low": round(compared.gain.low, 4),
        "gain_high": round(compared.gain.high, 4),
        "songs": float(compared.songs),
    }


def _compared(
    held: NDArray[np.float64], tried: NDArray[np.float64], groups: NDArray[np.int64], rows: Mask
) -> Compared:
    drawn = draws(groups[rows], seed=_SEED)
    return Compared(
        held=float(held[rows].mean()),
        tried=float(tried[rows].mean()),
        gain=interval(drawn.mean(held[rows] - tried[rows])),
        songs=int(rows.sum()),
    )


def _new_to_both(
    challenger: RunManifest, holder: RunManifest, artists: Places | None, alone: Places
) -> Mask:
    """Which songs were kept from both models, each by its own rule."""
    unseen = np.ones(len(alone.folds), dtype=bool)
    for manifest in (challenger, holder):
        by_artists = manifest.model(manifest.best).new_artists is not None
        places = artists if by_artists and artists else alone
        unseen &= places.folds == 0
    return unseen


def _known_to(predictor: Predictor, model: str, songs: pd.DataFrame) -> Mask:
    """Whose artists the model knows."""
    return predictor.knows(model, matrix(songs, predictor.manifest.columns).to_numpy())


def _calibration(manifest: RunManifest) -> float:
    """What share of the songs the run kept apart to calibrate; an older run kept none."""
    share = manifest.configuration.get("calibration", 0.0)
    return float(share) if isinstance(share, int | float) else 0.0


def _own_score(challenger: RunManifest) -> str:
    entry = challenger.model(challenger.best)
    who = "new" if entry.new_artists else "known"
    return f"mean absolute error {entry.deciding_mae:.3f} for {who} artists"
