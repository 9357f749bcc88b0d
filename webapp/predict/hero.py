"""The predicted popularity in large type, as HTML made of values. Every text is escaped."""

from html import escape


def html(popularity: float, *, error: float | None, mean: float | None, mean_label: str) -> str:
    """The number from 0 to 100, and where it stands: beside `mean`, with the usual `error`."""
    whole, tenth = f"{popularity:.1f}".split(".")
    return (
        '<div class="cb-hero">'
        '<p class="cb-number" role="status">'
        f'<span class="cb-whole">{whole}</span><span class="cb-tenth">.{tenth}</span>'
        '<span class="cb-of"> of 100</span></p>'
        f"{_bar(popularity, error, mean)}{_key(error, mean_label)}"
        "</div>"
    )


def _bar(popularity: float, error: float | None, mean: float | None) -> str:
    """A line from 0 to 100; a picture of what the text says, so screen readers skip it."""
    parts = [f'<i class="cb-fill" style="width:{_percent(popularity)}"></i>']
    if error is not None:
        low, high = max(popularity - error, 0.0), min(popularity + error, 100.0)
        parts.append(
            f'<i class="cb-band" style="left:{_percent(low)};width:{_percent(high - low)}"></i>'
        )
    if mean is not None:
        parts.append(f'<i class="cb-mean" style="left:{_percent(mean)}"></i>')
    return f'<div class="cb-bar" aria-hidden="true">{"".join(parts)}</div>'


def _key(error: float | None, mean_label: str) -> str:
    parts = []
    if mean_label:
        parts.append(f'<span><i class="cb-tick"></i>{escape(mean_label)}</span>')
    if error is not None:
        parts.append('<span><i class="cb-swatch"></i>usual error</span>')
    return f'<p class="cb-key">{"".join(parts)}</p>' if parts else ""


def _percent(points: float) -> str:
    return f"{min(max(points, 0.0), 100.0):.1f}%"
