"""How the embedded stack is: asked of supervisor, the services and the buckets, in one look."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chartbuster.errors import ChartBusterError
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from compose.embedded import outputs, report
from compose.health import app_answers, localstack_is_healthy
from compose.layout import Layout
from compose.processes import own_resident_bytes, resident_bytes, uptime
from compose.supervision import Component, Supervisor, SupervisorAway, read_composition


@dataclass(frozen=True)
class Running:
    """One component; `uptime` in seconds, `memory` in bytes with its children."""

    name: str
    state: str
    pid: int
    uptime: float
    memory: int


@dataclass(frozen=True)
class Depth:
    """Messages of a queue: those a receiver would get, and those in somebody's hands."""

    waiting: int
    in_hand: int


@dataclass(frozen=True)
class Served:
    """A dataset's champion; `active` is the dataset the app shows first."""

    dataset: str
    run_id: str
    model: str
    since: str
    active: bool


@dataclass(frozen=True)
class Status:
    """The whole stack. It is well when there are no `faults`."""

    faults: tuple[str, ...]
    addresses: Mapping[str, str]
    components: tuple[Running, ...] = ()
    objects: Mapping[str, int] | None = None
    queues: Mapping[str, Depth] | None = None
    champions: tuple[Served, ...] = ()

    @property
    def well(self) -> bool:
        return not self.faults


def look(
    layout: Layout,
    stores: Mapping[str, ObjectStore],
    queues: Mapping[str, Callable[[], Depth]],
) -> Status:
    """The status of the stack at `layout`.

    `stores` maps each bucket's role to its store, `queues` each queue's name to a function that
    gives its `Depth`. What does not answer becomes a fault and not an error.
    """
    supervisor = Supervisor(layout)
    composition = read_composition(layout)
    try:
        components = supervisor.components()
        supervisor_pid = supervisor.pid()
    except SupervisorAway:
        return Status(faults=("the stack is not up; `make up` brings it up",), addresses={})
    addresses = {}
    faults = [
        f"{each.name} is {each.state}: {each.said}" for each in components if not each.running
    ]
    if composition is not None:
        ports = composition.ports
        addresses = {"Endpoint": ports.endpoint, "WebUrl": ports.web_url}
        if not localstack_is_healthy(ports.endpoint):
            faults.append(f"LocalStack does not answer at {ports.endpoint}")
        if not app_answers(ports.web_url):
            faults.append(f"the app does not answer at {ports.web_url}")
    faults += keeper_faults(report(layout))
    objects, depths, champions = {}, {}, list[Served]()
    with contextlib.suppress(ChartBusterError):
        outputs(layout)
        try:
            objects = {role: sum(1 for _ in store.list("")) for role, store in stores.items()}
            depths = {name: depth() for name, depth in queues.items()}
            champions = served(stores["artifacts"])
        except ChartBusterError as error:
            faults.append(str(error))
    return Status(
        faults=tuple(faults),
        addresses=addresses,
        components=(
            *(_running(each) for each in components),
            *([_supervisor(supervisor_pid)] if supervisor_pid else []),
        ),
        objects=objects,
        queues=depths,
        champions=tuple(champions),
    )


def keeper_faults(said: Mapping[str, object]) -> list[str]:
    """What is wrong according to the keeper's last word."""
    match said.get("phase"):
        case "mirroring":
            return []
        case "troubled":
            return [f"the keeper cannot go on: {said.get('trouble')}"]
        case None:
            return ["the keeper has not said anything yet"]
        case phase:
            return [f"the keeper is still {phase}"]


def served(artifacts: ObjectStore) -> list[Served]:
    """Every dataset's champion."""
    registry = Registry(artifacts)
    active = registry.active()
    return [
        Served(each.dataset, each.run_id, each.model, each.since, each.dataset == active)
        for each in registry.champions()
    ]


def _running(component: Component) -> Running:
    memory = resident_bytes(component.pid) if component.pid else 0
    return Running(component.name, component.state, component.pid, component.uptime, memory)


def _supervisor(pid: int) -> Running:
    return Running("supervisor", "RUNNING", pid, uptime(pid), own_resident_bytes(pid))
