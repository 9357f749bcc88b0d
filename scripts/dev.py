"""Runs trainer and app from the checkout, and restarts each when its code changes.

Brings the stack up first, in the mode that `make up` would choose. Stop it with Ctrl-C: the stack
goes on, and `make up` returns to what is built. The Lambda runs from its zip, so a change to it
takes a `make up`.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from watchfiles import PythonFilter, watch

from chartbuster.errors import TryAgain
from compose import embedded, manifest
from compose.composed import Composed
from compose.health import app_answers
from compose.layout import Layout, Ports
from compose.modes import MODES
from compose.programs import Composition, programs
from compose.supervision import Supervisor
from scripts.command import run
from scripts.running import ROOT
from scripts.steps import Steps
from scripts.up import bring_containers_up, bring_up, clear_the_way

DEV = ROOT / "compose" / "dev.yaml"
FOLDERS: Mapping[str, tuple[str, ...]] = {
    "chartbuster": ("trainer", "webapp"),
    "trainer": ("trainer",),
    "webapp": ("webapp",),
}
"""Which programs run code of which folder."""

_PATIENCE = 60.0
_GOES_ON = "stopped watching; the stack goes on, `make up` runs what is built, `make down` stops it"


@dataclass(frozen=True)
class Running:
    """The stack from the checkout: how one of its programs is restarted, and where the app is."""

    restart: Callable[[str], None]
    web_url: str


def affected(changed: Iterable[Path]) -> list[str]:
    """The programs that run code of the `changed` files, given relative to the checkout."""
    folders = {path.parts[0] for path in changed if path.parts}
    named = (name for folder in sorted(folders) for name in FOLDERS.get(folder, ()))
    return list(dict.fromkeys(named))


def from_source(layout: Layout, ports: Ports, environ: Mapping[str, str]) -> Composition:
    """The embedded stack with trainer and app from the checkout rather than from the wheel."""
    names = {name for named in FOLDERS.values() for name in named}
    return embedded.composition(
        layout,
        ports,
        environ,
        consists_of=tuple(
            replace(each, environment={**each.environment, "PYTHONPATH": str(layout.root)})
            if each.name in names
            else each
            for each in programs(layout, ports)
        ),
    )


def start_embedded(layout: Layout, ports: Ports, steps: Steps) -> Running:
    """Bring the supervised programs up from the checkout."""
    bring_up(layout, from_source(layout, ports, os.environ), steps)
    supervisor = Supervisor(layout)

    def restart(name: str) -> None:
        supervisor.stop(name)
        supervisor.start(name)

    return Running(restart, ports.web_url)


def start_containers(root: Path, ports: Ports, steps: Steps) -> Running:
    """Bring the containers up with the checkout mounted, readable for whoever owns it."""
    owner = root.stat()
    stack = Composed(
        root,
        {**os.environ, "DEV_USER": f"{owner.st_uid}:{owner.st_gid}"}
        if owner.st_uid
        else os.environ,
        ports,
        manifest.built(root),
        overrides=(DEV,),
    )
    bring_containers_up(stack, steps)
    return Running(stack.restart, ports.web_url)


def restart(names: Collection[str], stack: Running) -> float:
    """Restart programs and wait for the app if it is one of them; the seconds it took."""
    began = time.monotonic()
    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(stack.restart, names))
    if "webapp" in names:
        while not app_answers(stack.web_url):
            if time.monotonic() - began > _PATIENCE:
                raise TryAgain(
                    f"the app did not come back within {_PATIENCE:.0f} s; `make logs "
                    "SERVICE=webapp` says why, and the next change starts it again"
                )
            time.sleep(0.05)
    return time.monotonic() - began


def follow(root: Path, stack: Running, steps: Steps) -> None:
    """Restart what changes concern, until interrupted; a program that fails to start is told."""
    folders = [root / folder for folder in FOLDERS]
    kinds = PythonFilter(extra_extensions=(".yaml", ".css", ".json"))
    told = False
    for changes in watch(
        *folders,
        watch_filter=kinds,
        debounce=200,
        step=20,
        rust_timeout=500,
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        if not told:
            # Only now does it see changes: not before its first answer, even an empty one.
            steps.say(f"watching {', '.join(FOLDERS)}; Ctrl-C ends the watching")
            told = True
        changed = sorted({Path(path).relative_to(root) for _kind, path in changes})
        names = affected(changed)
        if not names:
            continue
        try:
            seconds = restart(names, stack)
            steps.say(f"{changed[0]}: {' and '.join(names)} restarted in {seconds:.1f} s")
        except TryAgain as error:
            steps.say(str(error))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make dev",
    )
    parser.add_argument("--mode", choices=MODES, default="embedded")
    mode = parser.parse_args().mode

    def dev() -> int:
        ports, steps = Ports.from_env(os.environ), Steps(Console(highlight=False))
        clear_the_way(mode, steps)
        if mode == "docker":
            stack = start_containers(ROOT, ports, steps)
        else:
            stack = start_embedded(Layout(ROOT), ports, steps)
        follow(ROOT, stack, steps)
        steps.say(_GOES_ON)
        return 0

    return run(dev, interrupted=_GOES_ON)


if __name__ == "__main__":
    sys.exit(main())
