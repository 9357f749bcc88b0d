"""Asking before money is spent: the stage's name, typed; CONFIRM=yes says so for a pipeline."""

from collections.abc import Callable, Mapping

from chartbuster.errors import Misconfigured


def said_yes(environ: Mapping[str, str]) -> bool:
    """Whether CONFIRM=yes is set; raises `Misconfigured` for any other value."""
    value = environ.get("CONFIRM", "")
    if value not in {"", "yes"}:
        raise Misconfigured(f"CONFIRM is {value!r}; expected yes, or nothing to be asked")
    return value == "yes"


def check_can_ask(environ: Mapping[str, str], *, terminal: bool, command: str) -> None:
    """Raise `Misconfigured` where nobody has confirmed and nobody can be asked."""
    if not said_yes(environ) and not terminal:
        raise Misconfigured(
            f"nobody can be asked without a terminal; a pipeline says CONFIRM=yes {command}"
        )


def confirmed(
    stage: str, environ: Mapping[str, str], *, doing: str, read: Callable[[str], str] = input
) -> bool:
    """Whether the person wants it: has set CONFIRM=yes, or types the name of the stage."""
    if said_yes(environ):
        return True
    try:
        return read(f"type {stage} to {doing}, anything else to leave: ").strip() == stage
    except EOFError:
        return False
