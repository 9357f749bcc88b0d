"""What a model answers a program: one value per song, and how it is written as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chartbuster.explanations import Explanation
from chartbuster.study import Sureness


@dataclass(frozen=True)
class Answer:
    """What a model says of one song.

    `popularity` is the prediction, 0 to 100. `sureness` is None where the run was made before
    models said how sure they are, `explanation` where nobody asked for it. `assumed` holds what was
    taken for attributes that were not said.
    """

    popularity: float
    sureness: Sureness | None
    assumed: Mapping[str, float | str]
    explanation: Explanation | None = None


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer as a JSON object; what is not known is null, an explanation only where asked."""
    sure = answer.sureness
    written = {
        "popularity": round(answer.popularity, 1),
        "low": round(sure.low, 1) if sure else None,
        "high": round(sure.high, 1) if sure else None,
        "hit_probability": round(sure.hit, 4) if sure else None,
        "percentile": round(sure.percentile, 1) if sure else None,
        "artist_known": sure.known if sure else None,
        "assumed": dict(answer.assumed),
    }
    if answer.explanation:
        written["explanation"] = _explanation(answer.explanation)
    return written


def _explanation(told: Explanation) -> dict[str, Any]:
    return {
        "base": round(told.base, 3),
        "prediction": round(told.prediction, 3),
        "contributions": [
            {**asdict(part), "points": round(part.points, 3)} for part in told.contributions
        ],
        "why": list(told.why()),
    }
