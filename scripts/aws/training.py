"""Starting a trainer by hand, and waiting until it runs or it is known what keeps it from that.

Scaling starts one by itself, but the queue's first metrics after six quiet hours take up to 15
minutes.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chartbuster.errors import NotFound
from infra.stacks import DeploymentFailed, DeploymentSlow
from scripts.aws.calls import asking

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef

_POLL_SECONDS = 2.0
_MOST_TASKS = 100
# One may be bad luck, like a spot task that was taken away; the second is no chance.
_ENOUGH = 2


@dataclass(frozen=True)
class Seen:
    """One look at the service: tasks wanted and running, what ECS said, and why tasks ended.

    `events` are pairs of an id and its words, the oldest first; `ended` pairs of a task and why.
    """

    desired: int
    running: int
    events: tuple[tuple[str, str], ...]
    ended: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Trainers:
    """The trainer's service of one stage."""

    client: "ECSClient"
    cluster: str
    service: str

    def start_one(self) -> None:
        """Want one task from now on, until scaling or somebody wants another number."""
        with asking(f"start a task of {self.service}"):
            self.client.update_service(cluster=self.cluster, service=self.service, desiredCount=1)

    def seen(self) -> Seen:
        """The service as it is."""
        with asking(f"ask ECS for {self.service}"):
            found = self.client.describe_services(cluster=self.cluster, services=[self.service])[
                "services"
            ]
            if not found or found[0]["status"] == "INACTIVE":
                raise NotFound(
                    f"service {self.service} is not in cluster {self.cluster}; `make deploy-aws` "
                    "deploys it"
                )
            service = found[0]
            arns = self.client.list_tasks(
                cluster=self.cluster,
                serviceName=self.service,
                desiredStatus="STOPPED",
                maxResults=_MOST_TASKS,
            )["taskArns"]
            tasks = (
                self.client.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"]
                if arns
                else []
            )
        return Seen(
            desired=service["desiredCount"],
            running=service["runningCount"],
            events=tuple(
                (each["id"], each["message"]) for each in reversed(service.get("events", []))
            ),
            ended=tuple((each["taskArn"], why_ended(each)) for each in tasks),
        )


def why_ended(task: "TaskTypeDef") -> str:
    """Why a task ended, in ECS's words and those of its containers."""
    containers = (
        f"{each.get('name')}: "
        + ", ".join(
            part
            for part in (
                each.get("reason", ""),
                f"exit code {each['exitCode']}" if "exitCode" in each else "",
            )
            if part
        )
        for each in task.get("containers", [])
        if each.get("reason") or each.get("exitCode")
    )
    return "; ".join((task.get("stoppedReason") or "no reason given", *containers))


def await_running(
    look: Callable[[], Seen],
    *,
    before: Seen,
    progress: Callable[[str], None] = lambda _line: None,
    patience: float = 600.0,
    rest: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> int:
    """Wait until a task runs, and return how many do; `progress` gets what ECS says meanwhile.

    What was said `before` is not told again. Raises `DeploymentFailed` when tasks end before they
    run, or nobody wants one any more, and `DeploymentSlow` when `patience` seconds were too short.
    """
    told = {id_ for id_, _ in (*before.events, *before.ended)}
    deadline = monotonic() + patience
    ended: dict[str, str] = {}
    last = "ECS said nothing"
    while True:
        now = look()
        for _, words in _new(now.events, told):
            last = words
            progress(words)
        for id_, why in _new(now.ended, told):
            ended[id_] = why
            progress(f"a task ended before it ran: {why}")
        if now.running:
            return now.running
        if now.desired == 0:
            raise DeploymentFailed(
                "scaling set the trainer back to none before it ran, since nothing waits; announce "
                "a dataset along with it: make train-now DATASET=name"
            )
        if len(ended) >= _ENOUGH:
            raise DeploymentFailed(
                "tasks of the trainer end before they run: "
                f"{'; '.join(sorted(set(ended.values())))}"
            )
        if monotonic() > deadline:
            raise DeploymentSlow(
                f"no trainer runs after {patience:.0f} s; the last that ECS said: {last}"
            )
        rest(_POLL_SECONDS)


def returning(*, scaling: bool, waiting: int, cluster: str, service: str) -> str:
    """When the trainer goes again, in words; `waiting` counts trainings that are in hand, too."""
    if not scaling:
        return (
            "it runs, and costs, until you end it, since there is no stack scaling: aws ecs "
            f"update-service --cluster {cluster} --service {service} --desired-count 0"
        )
    if waiting:
        return "scaling ends it once nothing has waited or been in hand for 5 minutes"
    return (
        "nothing waits, so scaling ends it within 5 minutes, or 20 after a quiet night; "
        "DATASET=name announces a dataset"
    )


def _new(said: Iterable[tuple[str, str]], told: set[str]) -> list[tuple[str, str]]:
    new = [(id_, words) for id_, words in said if id_ not in told]
    told |= {id_ for id_, _ in new}
    return new
