"""How the stack is: asked of its components, the services and the buckets, in one look."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chartbuster.errors import ChartBusterError, NotFound
from chartbuster.ports import Depth, ObjectStore
from chartbuster.registry import Registry
from compose import embedded
from compose.composed import Composed
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


@dataclass(frozen=True)
class Look:
    """What whoever runs the components says of them; `keeper` is the keeper's last word."""

    faults: tuple[str, ...]
    components: tuple[Running, ...]
    addresses: Mapping[str, str]
    keeper: Mapping[str, object]


NOT_UP = Status(faults=("the stack is not up; `make up` brings it up",), addresses={})


def look(
    found: Look,
    stores: Mapping[str, ObjectStore],
    queues: Mapping[str, Callable[[], Depth]],
) -> Status:
    """The status of the stack whose components `found` describes.

    `stores` maps each bucket's role to its store, `queues` each queue's name to a function that
    gives its `Depth`; both are empty while the stack has none. What does not answer becomes a
    fault and not an error.
    """
    faults = list(found.faults)
    if found.addresses:
        endpoint, web_url = found.addresses["Endpoint"], found.addresses["WebUrl"]
        if not localstack_is_healthy(endpoint):
            faults.append(f"LocalStack does not answer at {endpoint}")
        if not app_answers(web_url):
            faults.append(f"the app does not answer at {web_url}")
    faults += keeper_faults(found.keeper)
    objects, depths, champions = {}, {}, list[Served]()
    try:
        objects = {role: sum(1 for _ in store.list("")) for role, store in stores.items()}
        depths = {name: depth() for name, depth in queues.items()}
        champions = served(stores["artifacts"]) if stores else []
    except ChartBusterError as error:
        faults.append(str(error))
    return Status(
        faults=tuple(faults),
        addresses=found.addresses,
        components=found.components,
        objects=objects,
        queues=depths,
        champions=tuple(champions),
    )


def look_at_embedded(layout: Layout) -> Look | None:
    """The supervised programs, and what they hold; None when supervisor does not run."""
    supervisor, composition = Supervisor(layout), read_composition(layout)
    try:
        components, supervisor_pid = supervisor.components(), supervisor.pid()
    except SupervisorAway:
        return None
    ports = composition.ports if composition else None
    return Look(
        faults=tuple(
            f"{each.name} is {each.state}: {each.said}" for each in components if not each.running
        ),
        components=(
            *(_running(each) for each in components),
            *([_supervisor(supervisor_pid)] if supervisor_pid else []),
        ),
        addresses={"Endpoint": ports.endpoint, "WebUrl": ports.web_url} if ports else {},
        keeper=embedded.report(layout),
    )


def look_at_containers(stack: Composed) -> Look | None:
    """The containers of a Compose project; None when there are none."""
    containers = stack.containers(memory=True)
    if not containers:
        return None
    try:
        outputs = stack.outputs()
    except NotFound:
        outputs = {}
    return Look(
        faults=tuple(f"{each.service} is {each.said}" for each in containers if not each.well),
        components=tuple(
            Running(each.service, each.said.upper(), each.pid, each.uptime, each.memory)
            for each in containers
            if each.service != "deploy"
        ),
        addresses={name: outputs[name] for name in ("Endpoint", "WebUrl") if name in outputs},
        keeper=stack.report(),
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
