"""Attributes and their values in a visitor's words, the same beside a slider and under a curve."""

from chartbuster.explanations import Value
from chartbuster.songs import ATTRIBUTE

_LABELS = {
    "duration_ms": "Length",
    "time_signature": "Time signature",
    "release_year": "Release year",
}
_MINUS = "\N{MINUS SIGN}"


def label(attribute: str) -> str:
    """What the attribute is called: `Length`, `Release year`, `Energy`."""
    return _LABELS.get(attribute, attribute.replace("_", " ").capitalize())


def shown(attribute: str, value: Value) -> str:
    """A value as its control shows it: `63%`, `3:42`, `−7.1 dB`, `128 BPM`, `none`."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    if attribute == "duration_ms":
        return minutes(value)
    known = ATTRIBUTE.get(attribute)
    if known is None:
        return f"{value:.0f}"
    if not known.unit:
        return f"{value * 100:.0f}%"
    unit, decimals = ("dB", 1) if known.unit == "dB" else ("BPM", 0)
    return f"{value:.{decimals}f}\N{NO-BREAK SPACE}{unit}".replace("-", _MINUS)


def minutes(milliseconds: float) -> str:
    """A duration as people say it: `3:05`."""
    whole, seconds = divmod(round(milliseconds / 1_000), 60)
    return f"{whole}:{seconds:02d}"


def signed(points: float) -> str:
    """Points with their sign, to a tenth: `+3.2`, `−1.0`, `±0.0`."""
    tenths = round(points, 1)
    if tenths == 0:
        return "±0.0"
    return f"{tenths:+.1f}".replace("-", _MINUS)
