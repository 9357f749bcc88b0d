"""How a card puts runs and figures into words."""

from chartbuster.runs import BASELINE, Interval, ModelEntry, RunManifest, Scores

KNOWN, NEW = "known artists", "new artists"
PROTOCOLS = (KNOWN, NEW)


def scores(entry: ModelEntry, protocol: str) -> Scores | None:
    return entry.new_artists if protocol == NEW else entry.known_artists


def baseline(run: RunManifest, protocol: str) -> Scores | None:
    found = (entry for entry in run.models if entry.name == BASELINE)
    return next((scores(entry, protocol) for entry in found), None)


def guess(run: RunManifest) -> str:
    return "the genre's average" if run.inputs.genres else "the average of all songs"


def whose(run: RunManifest, protocol: str) -> str:
    if protocol == NEW:
        return "A debut"
    return "A known artist's song" if run.artists else "A song it never met"


def for_whom(run: RunManifest, protocol: str) -> str:
    if protocol == NEW:
        return "for a debut"
    return "for a song by an artist it knows" if run.artists else "for a song it never met"


def points(value: float) -> str:
    return f"{value:.1f}"


def percent(share: float, decimals: int = 0) -> str:
    return f"{share * 100:.{decimals}f}\u00a0%"


def signed(value: float, decimals: int = 1) -> str:
    """With its sign; what rounds to zero has none."""
    text = f"{value:+.{decimals}f}".replace("-", "−")
    return text[1:] if float(f"{value:.{decimals}f}") == 0 else text


def between(interval: Interval, decimals: int = 1) -> str:
    return f"{interval.low:.{decimals}f} to {interval.high:.{decimals}f}".replace("-", "−")


def figures_between(interval: Interval) -> str:
    # As many decimals as a figure of this size is worth.
    return between(interval, 3 if max(abs(interval.low), abs(interval.high)) <= 1 else 2)


def percent_between(interval: Interval) -> str:
    return f"{interval.low * 100:.1f} to {interval.high * 100:.1f}"


def signed_between(interval: Interval) -> str:
    return f"{signed(interval.low, 2)} to {signed(interval.high, 2)}"


def spelt(name: str) -> str:
    return name.replace("_", " ")
