"""HTML built of values: whatever is not markup already is escaped, so no text can become a tag."""

from html import escape

_VOID = frozenset({"meta", "br", "img"})


class Markup(str):
    """Text that is HTML; only this module and constants of the code make any."""

    __slots__ = ()


def text(value: str) -> Markup:
    """`value` so that a browser shows it letter by letter; markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(escape(value))


def joined(*parts: str) -> Markup:
    """The parts one after another, texts among them escaped."""
    return Markup("".join(map(text, parts)))


def element(name: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """The element `name` around its children, texts among them escaped.

    An underscore in an attribute's name stands for a hyphen, one at its end for nothing
    (`class_`). Numbers have at most two decimals; an attribute that is None is left out.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{joined(*children)}</{name}>")


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return value
    # Adding zero makes of minus zero a zero.
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")
