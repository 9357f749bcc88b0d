"""Whether a new run's best model takes the champion's place.

Both predict the songs neither was fitted on: those whose artist (or, without artists, whose own id)
falls into the first fold, which is the same for every run of a dataset.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from chartbuster.errors import Corrupt, InvalidSong, NotFound, UntrustedModel
from chartbuster.learn.evaluate import FEWEST_TO_TEST, scores
from chartbuster.learn.predictor import Predictor
from chartbuster.learn.splits import artist_folds, song_folds
from chartbuster.registry import Champion, Registry
from chartbuster.runs import RunManifest


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger wins, and the figures it was decided by."""

    crowned: bool
    reason: str


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
    made under. A run that the present champion already met is not judged again. Raises `Conflict`
    when somebody moves the champion meanwhile.
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
    return move(dataset, run_id, model, reason=verdict.reason, now=now, against=champion)


def _meet(
    registry: Registry, challenger: RunManifest, champion: Champion, songs: pd.DataFrame
) -> Verdict:
    try:
        holder = Predictor.load(registry, champion.run_id)
        unseen = _unseen_by_both(challenger, holder.manifest, songs)
        if unseen.sum() < FEWEST_TO_TEST:
            return Verdict(crowned=True, reason="there are too few songs neither was fitted on")
        exam = songs[unseen]
        held = holder.predict(champion.model, exam)
    except (Corrupt, InvalidSong, NotFound, UntrustedModel) as error:
        return Verdict(crowned=True, reason=f"the champion cannot score the new songs: {error}")
    tried = Predictor.load(registry, challenger.run_id).predict(challenger.best, exam)
    truth = exam["popularity"].to_numpy(dtype=np.float64)
    return judged(scores(truth, held).mae, scores(truth, tried).mae, songs=len(exam))


def judged(held: float, tried: float, *, songs: int) -> Verdict:
    """The challenger wins with an error lower or equal: among equals, newer data is preferred."""
    figures = (
        f"mean absolute error {tried:.3f} against the champion's {held:.3f} on {songs} songs "
        "neither was fitted on"
    )
    return Verdict(crowned=tried <= held, reason=figures)


def _unseen_by_both(
    challenger: RunManifest, holder: RunManifest, songs: pd.DataFrame
) -> NDArray[np.bool_]:
    """Which songs were kept from both models, each by its own rule."""
    unseen = np.ones(len(songs), dtype=bool)
    for manifest in (challenger, holder):
        by_artist = manifest.model(manifest.best).new_artists is not None
        folds = artist_folds(songs) if by_artist else song_folds(songs)
        unseen &= (song_folds(songs) if folds is None else folds) == 0
    return unseen


def _own_score(challenger: RunManifest) -> str:
    entry = challenger.model(challenger.best)
    who = "new" if entry.new_artists else "known"
    return f"mean absolute error {entry.deciding_mae:.3f} for {who} artists"
