"""An embedded stack in a folder of its own: the real composition with three stand-ins.

LocalStack, supervisor, keeper and guard are the real ones. Trainer, app and Lambda are small
programs, so that a test of the composition needs neither of them built and takes seconds.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from rich.console import Console

from compose import embedded
from compose.layout import Layout, Ports
from compose.processes import of_stack
from compose.programs import Composition, Program, programs
from compose.supervision import Component, Supervisor
from scripts.down import bring_down
from scripts.running import Running, running_stack
from scripts.steps import Steps
from scripts.up import bring_up
from tests.emulator import ROOT, free_port

STANDINS = ROOT / "tests" / "standins"


@dataclass(frozen=True)
class EmbeddedStack:
    """One stack; `layout.root` is made by `checkout`."""

    layout: Layout
    ports: Ports

    @property
    def composition(self) -> Composition:
        return embedded.composition(
            self.layout, self.ports, os.environ, consists_of=standing_in(self.layout, self.ports)
        )

    def up(self) -> None:
        bring_up(self.layout, self.composition, Steps(Console(quiet=True)))

    def down(self) -> None:
        bring_down(self.layout, Steps(Console(quiet=True)))

    @property
    def running(self) -> Running:
        return running_stack(self.layout.root)

    def components(self) -> dict[str, Component]:
        return {each.name: each for each in Supervisor(self.layout).components()}

    def processes(self) -> list[psutil.Process]:
        """Every process of the stack, the Lambda's included."""
        found = {process.pid: process for process in of_stack(self.layout.stack)}
        for process in list(found.values()):
            found |= {child.pid: child for child in process.children(recursive=True)}
        return list(found.values())

    def trained(self) -> int:
        """How many runs were made, since the log began."""
        return (self.layout.logs / "trainer.log").read_text().count("trained ")


def checkout(root: Path) -> EmbeddedStack:
    """Make what a checkout has after `make`: environments over this one, and the stand-ins."""
    environments, build = root / ".venv", root / "build"
    environments.mkdir(parents=True)
    build.mkdir()
    scripts = environments / "scripts"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(scripts)], check=True)
    packages = Layout(root).packages("scripts")
    (packages / "here.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    for name in ("trainer", "webapp"):
        (environments / name).symlink_to(scripts)
    (environments / "emulator").symlink_to(ROOT / ".venv" / "emulator")
    (root / "compose").symlink_to(ROOT / "compose")
    (build / "lambda-runtime").symlink_to(ROOT / "build" / "lambda-runtime")
    (build / "demo_catalogue.csv.gz").write_bytes(b"the demo catalogue")
    with zipfile.ZipFile(build / "create_data.zip", "w") as code:
        code.write(STANDINS / "create_data.py", "lambdas/create_data/handler.py")
    return EmbeddedStack(Layout(root), Ports(localstack=free_port(), web=free_port()))


def standing_in(layout: Layout, ports: Ports) -> tuple[Program, ...]:
    """The stack's programs with two of them replaced, under the same names and settings."""
    commands = {
        "trainer": (str(layout.python("trainer")), str(STANDINS / "trainer.py")),
        "webapp": (str(layout.python("webapp")), str(STANDINS / "webapp.py"), str(ports.web)),
    }
    return tuple(
        replace(each, command=commands[each.name]) if each.name in commands else each
        for each in programs(layout, ports)
    )
