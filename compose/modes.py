"""Which way the stack runs: in containers where there is an engine, else as processes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from chartbuster.errors import Misconfigured
from compose.engine import Engine, NoEngine

type Mode = Literal["docker", "embedded"]

MODES: tuple[Mode, ...] = ("docker", "embedded")


@dataclass(frozen=True)
class Choice:
    """The mode, and why it is that one."""

    mode: Mode
    why: str


def choose(asked: str, *, embedded_runs: bool, find_engine: Callable[[], Engine]) -> Choice:
    """The mode to come up in: the one that is `asked` for, else the one that fits.

    A stack that runs already without Docker goes on so. Raises `Misconfigured` for a mode that
    there is not, and `NoEngine` when Docker is asked for and not there.
    """
    match asked:
        case "embedded":
            return Choice("embedded", "MODE=embedded")
        case "docker":
            return Choice("docker", f"MODE=docker, {find_engine()}")
        case "" if embedded_runs:
            return Choice("embedded", "it runs so already")
        case "":
            try:
                return Choice("docker", str(find_engine()))
            except NoEngine as error:
                return Choice("embedded", str(error))
    raise Misconfigured(f"MODE={asked!r}; expected {' or '.join(MODES)}, or none to let it choose")
