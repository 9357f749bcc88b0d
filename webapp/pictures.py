"""Plots as pictures: Streamlit's HTML lets no SVG through, but it does let images through."""

import base64
import re
from functools import cache
from html import unescape
from pathlib import Path

from chartbuster import plots
from chartbuster.markup import Markup, element

_PLOT = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_SAID = re.compile(r"<(title|desc)\b[^>]*>(.*?)</\1>", re.DOTALL)


# A browser gives a picture the colour scheme of the element it stands in, so it follows the theme;
# nothing else of the page reaches it, not even its fonts.
_ALONE = ":root { color-scheme: light dark; font-family: system-ui, sans-serif; }"


@cache
def colours() -> str:
    """The style sheet of the colours that plots and pages share."""
    return Path(__file__).with_name("colours.css").read_text(encoding="utf-8")


@cache
def _style() -> str:
    return f"<style>{_ALONE}\n{colours()}\n{plots.style()}</style>"


def pictured(drawn: str) -> Markup:
    """`drawn`, markup of this code, with every plot in it as an image that says what it shows."""
    return Markup(_PLOT.sub(lambda found: _picture(found.group()), drawn))


def _picture(svg: str) -> Markup:
    said = [unescape(text).rstrip(".") for _, text in _SAID.findall(svg)]
    start = svg.index(">") + 1
    namespace = 'xmlns="http://www.w3.org/2000/svg" '
    whole = f"<svg {namespace}{svg[5:start]}{_style()}{svg[start:]}"
    return element(
        "img",
        src=f"data:image/svg+xml;base64,{base64.b64encode(whole.encode()).decode()}",
        alt=". ".join(said) + "." if said else "",
        class_="cb-picture",
    )
