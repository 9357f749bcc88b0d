"""Brings the whole stack up, in containers or without, and says where the app is.

A stack that is up already stays as it is. One that was started from something else than is built
now, or on other ports, is started again; uploads, runs and champions are kept. The two modes keep
theirs apart, and only one runs at a time.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from chartbuster.registry import Registry
from compose import embedded, manifest
from compose.announcing import Buckets, training_is_expected
from compose.composed import Composed
from compose.health import app_answers, app_serves, localstack_is_healthy
from compose.layout import Layout, Ports
from compose.modes import MODES, Mode
from compose.programs import Composition
from compose.supervision import Supervisor, SupervisorAway
from compose.watching import Watch, composed_watch, embedded_watch
from scripts.command import run
from scripts.down import bring_containers_down, bring_down
from scripts.running import ROOT, Running, running_stack
from scripts.steps import Steps

_PATIENCE = 180.0
_TRAINING_PATIENCE = 600.0
_GLANCE = 0.3
# What is told of containers that start: in words, and by the state of a service in Docker's.
_STAGES = (
    ("LocalStack answers", "localstack", "(healthy)"),
    ("stack deployed, uploads, runs and champions restored", "keeper", "(healthy)"),
)
INTERRUPTED = (
    "stopped waiting; the stack goes on in the background. `make up` looks again, `make down` "
    "stops it"
)


def bring_up(layout: Layout, wanted: Composition, steps: Steps) -> None:
    """Start the wanted stack unless it runs, and return when a champion is served."""
    with embedded.alone(layout, lambda who: steps.say(f"waiting for {who} to finish")):
        was_up = embedded.runs(layout, wanted)
        if not was_up:
            if Supervisor(layout).pid() is not None:
                steps.say("what is built, or its ports, changed since the stack was started")
            with steps.step("supervisor runs"):
                # Also after a crash: what is left of an earlier stack would hold its ports.
                embedded.stop(layout)
                embedded.start(layout, wanted)
    wait_until_served(layout, wanted.ports, steps)
    steps.say(f"ChartBuster is up{' already' if was_up else ''}: {wanted.ports.web_url}")


def wait_until_served(layout: Layout, ports: Ports, steps: Steps) -> None:
    """Wait for each part in turn; raises `NotUp` with the reason when one does not come."""
    watch = embedded_watch(layout)

    def keeper_is(*phases: str) -> bool:
        return embedded.report(layout).get("phase") in phases

    def trainer_runs() -> bool:
        try:
            components = {each.name: each for each in Supervisor(layout).components()}
        except SupervisorAway:
            return False
        return "trainer" not in components or components["trainer"].running

    def wait(what: str, come: Callable[[], bool]) -> None:
        with steps.step(what):
            watch.wait_for(what, come, patience=_PATIENCE)

    wait("LocalStack answers", lambda: localstack_is_healthy(ports.endpoint))
    wait("buckets, queues and Lambda deployed", lambda: keeper_is("restoring", "mirroring"))
    wait("kept uploads, runs and champions restored", lambda: keeper_is("mirroring"))
    wait("app answers", lambda: app_answers(ports.web_url))
    wait("trainer runs", trainer_runs)
    with steps.step("champion served") as better_words:
        better_words(wait_for_champion(running_stack(layout.root), watch))


def bring_containers_up(stack: Composed, steps: Steps) -> None:
    """Start the containers that do not run as wanted, and return when a champion is served."""
    if not stack.is_there():
        embedded.check_ports(stack.ports)
    start_containers(stack, steps)
    with steps.step("champion served") as better_words:
        better_words(wait_for_champion(Running(stack.outputs()), composed_watch(stack)))
    steps.say(f"ChartBuster is up: {stack.ports.web_url}")


def start_containers(stack: Composed, steps: Steps) -> None:
    """Start the containers and tell of each stage when it is reached; raises as `up` does."""
    with ThreadPoolExecutor(1) as beside:
        starting = beside.submit(stack.up)
        for stage, service, state in _STAGES:
            with steps.step(stage):
                while not starting.done() and state not in stack.states().get(service, ""):
                    time.sleep(_GLANCE)
                if starting.done():
                    starting.result()
        with steps.step("trainer and app answer"):
            starting.result()


def clear_the_way(mode: Mode, steps: Steps) -> None:
    """Stop a stack that runs in the other mode; it keeps its state.

    Raises `Misconfigured` where this mode cannot run.
    """
    layout, containers = Layout(ROOT), Composed.of(ROOT)
    if mode == "embedded":
        embedded.check_platform()
        if containers.is_there():
            steps.say("the stack runs in containers; they are stopped first, and keep their state")
            bring_containers_down(containers, steps)
    elif Supervisor(layout).pid() is not None:
        steps.say("the stack runs without Docker; it is stopped first, and keeps its state")
        bring_down(layout, steps)


def wait_for_champion(stack: Running, watch: Watch) -> str:
    """Wait until the app serves the champion it shows first; returns what to say of it."""
    buckets = Buckets(stack.raw, stack.ready, stack.artifacts)
    registry = Registry(buckets.artifacts)
    said = list[str]()

    def come() -> bool:
        active = registry.active()
        champion = registry.champion(active) if active else None
        if champion is not None and app_serves(stack.web_url):
            said.append(f"champion served: {champion.model} for {champion.dataset}")
        elif champion is None and not training_is_expected(buckets):
            said.append("no upload to train on yet")
        return bool(said)

    watch.wait_for("first champion", come, patience=_TRAINING_PATIENCE)
    return said[-1]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: LOCALSTACK_PORT=4600 WEB_PORT=8600 make up",
    )
    parser.add_argument("--mode", choices=MODES, default="embedded")
    mode = parser.parse_args().mode

    def up() -> int:
        ports, steps = Ports.from_env(os.environ), Steps(Console(highlight=False))
        clear_the_way(mode, steps)
        if mode == "docker":
            stack = Composed(ROOT, os.environ, ports, manifest.built(ROOT))
            bring_containers_up(stack, steps)
        else:
            layout = Layout(ROOT)
            bring_up(layout, embedded.composition(layout, ports, os.environ), steps)
        return 0

    return run(up, interrupted=INTERRUPTED)


if __name__ == "__main__":
    sys.exit(main())
