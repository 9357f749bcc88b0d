"""What a target is: a way to run the stack, brought up once, tested, and taken down again."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import boto3

from tests.emulator import ROOT


class NotOffered(Exception):
    """What was asked for cannot be done on this target; says why."""


@dataclass(frozen=True)
class Running:
    """A target that is up.

    `outputs` are all the suite knows of it, `session` is the SDK with credentials for it. `restart`
    stops everything and starts it again with its state kept, at the same addresses; it raises
    `NotOffered` where that cannot be.
    """

    outputs: Mapping[str, str]
    session: boto3.Session
    restart: Callable[[], None]


class Target(Protocol):
    """A way to run the stack.

    `emulator` names the emulator and its version, and is empty on AWS. `patience` is how long an
    upload may take to its champion, in seconds. `known_differences` maps the name of a test that
    cannot pass here, through no fault of ours, to the reason; it counts as a failure when it does.
    """

    @property
    def name(self) -> str: ...

    @property
    def about(self) -> str:
        """What it is, in a line."""
        ...

    @property
    def emulator(self) -> str: ...

    @property
    def patience(self) -> float: ...

    @property
    def known_differences(self) -> Mapping[str, str]: ...

    def missing(self) -> str | None:
        """Why it cannot run here, or None; answers within seconds and starts nothing."""
        ...

    def up(self, folder: Path) -> AbstractContextManager[Running]:
        """The stack, up while the block runs; its files go to `folder`, which is not there yet."""
        ...


def locked(lock: str, package: str) -> str:
    """The version of a package in one of this repository's lock files."""
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        name, _, version = line.removesuffix(" \\").partition("==")
        if name == package:
            return version
    raise LookupError(f"{lock} does not lock {package}")
