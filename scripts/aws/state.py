"""How a deployed stage is: read from the account in one look, and what of it is not well.

`faults` decides over values; everything else here reads. Nothing is changed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chartbuster.aws import S3Store, SqsPostbox
from chartbuster.errors import ChartBusterError
from chartbuster.ports import Depth
from compose.status import Served, served
from scripts.aws.account import Account, is_loopback
from scripts.aws.smoke import Answer
from scripts.aws.stage import Stack, is_not_offered, outputs_of, stacks_of
from scripts.aws.templates import PARTS
from scripts.aws.verification import running_digests

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import ServiceTypeDef

SERVICES = ("trainer", "webapp")

_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
_ALARM = "AWS::CloudWatch::Alarm"
_MOST_ALARMS = 100
_QUEUES = {
    "train": "QueueUrl",
    "train dead letters": "TrainDeadLetterQueueUrl",
    "create_data dead letters": "LambdaDeadLetterQueueUrl",
}


@dataclass(frozen=True)
class Service:
    """One ECS service. `digests` are those its running tasks show; `wanted` is to be run."""

    name: str
    desired: int
    running: int
    pending: int
    rollout: str
    why: str
    wanted: str
    digests: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether what runs is what is wanted."""
        return self.rollout == "COMPLETED" and self.running == self.desired and not self.pending


@dataclass(frozen=True)
class Alarm:
    """One alarm that is going off, and what CloudWatch says of it."""

    name: str
    about: str
    why: str


@dataclass(frozen=True)
class State:
    """A stage. `app` is what its address answered, None where it was not asked."""

    stacks: Mapping[str, str]
    services: tuple[Service, ...] = ()
    queues: Mapping[str, Depth] | None = None
    alarms: tuple[Alarm, ...] = ()
    champions: tuple[Served, ...] = ()
    address: str = ""
    app: Answer | None = None
    signs_in_before: bool = False
    unread: tuple[str, ...] = ()
    without_scaling: bool = False


def faults(state: State) -> tuple[str, ...]:
    """What is not well, in words; nothing when all is."""
    if not state.stacks:
        return ("nothing of this stage is deployed; `make deploy-aws` deploys it",)
    missing = [
        part
        for part in PARTS
        if part not in state.stacks and not (part == "scaling" and state.without_scaling)
    ]
    return (
        *(f"stack {part} is not there; `make deploy-aws` deploys it" for part in missing),
        *(
            f"stack {part} is {status}"
            for part, status in state.stacks.items()
            if status not in _GOOD
        ),
        *_missing_services(state),
        *(fault for service in state.services for fault in _faults_of(service)),
        *_unattended(state),
        *(f"alarm {each.name}: {each.about or each.why}" for each in state.alarms),
        *_faults_of_app(state),
        *state.unread,
    )


def look(account: Account, *, address: str, ask: Callable[[str], Answer]) -> State:
    """The stage as it is now; `address` is where the app is asked instead of at its WebUrl.

    What cannot be read becomes a fault and not an error. Raises `Misconfigured` for an `address`
    that is not on this machine while the account is a stand-in.
    """
    found = stacks_of(account)
    outputs = outputs_of(found)
    where = account.reachable(address) if address else outputs.get("WebUrl", "")
    # A stand-in's load balancer has the name it would have on AWS, which leads elsewhere.
    may_ask = bool(where) and (not account.is_stand_in or is_loopback(where))
    unread: list[str] = []
    queues: dict[str, Depth] = {}
    champions: tuple[Served, ...] = ()
    try:
        queues = _queues(account, outputs)
        champions = _champions(account, outputs)
    except ChartBusterError as error:
        unread.append(str(error))
    return State(
        stacks={each.part: each.status for each in found},
        services=_services(account, outputs),
        queues=queues,
        alarms=_alarms(account, found),
        champions=champions,
        address=where,
        app=ask(f"{where}/_stcore/health") if may_ask else None,
        signs_in_before=any(stack.parameters.get("OidcIssuer") for stack in found),
        unread=tuple(unread),
        without_scaling=account.is_stand_in,
    )


def services_of(outputs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """The cluster and the name of each service that is deployed, by trainer and webapp."""
    named = {"trainer": "TrainerService", "webapp": "WebappService"}
    return {
        name: (outputs["Cluster"], outputs[output])
        for name, output in named.items()
        if "Cluster" in outputs and output in outputs
    }


def _faults_of(service: Service) -> Iterable[str]:
    who = service.name
    if service.rollout == "FAILED":
        yield f"{who}: the deployment failed: {service.why}"
    elif service.rollout != "COMPLETED":
        yield f"{who}: the deployment is {service.rollout.lower().replace('_', ' ')}: {service.why}"
    if service.running != service.desired or service.pending:
        yield (
            f"{who}: {service.running} of {service.desired} tasks run, {service.pending} are "
            "pending; `make logs-aws` may say why"
        )
    if who == "webapp" and service.desired == 0:
        yield "webapp: none is wanted, so the app is off"
    wrong = {digest for digest in service.digests if digest and digest != service.wanted}
    if service.wanted and wrong:
        yield f"{who}: a task runs {', '.join(sorted(wrong))} and not {service.wanted}"


def _missing_services(state: State) -> Iterable[str]:
    if "compute" in state.stacks:
        there = {each.name for each in state.services}
        for name in SERVICES:
            if name not in there:
                yield f"{name}: its service is not there; `make drift-aws` shows what else is not"


def _unattended(state: State) -> Iterable[str]:
    """Trainings that wait with nobody to start a trainer."""
    waiting = (state.queues or {}).get("train", Depth(0, 0)).waiting
    trainer = next((each for each in state.services if each.name == "trainer"), None)
    if waiting and trainer and trainer.desired == 0 and "scaling" not in state.stacks:
        yield (
            f"{waiting} trainings wait, no trainer runs, and without the stack scaling nothing "
            "starts one; `make train-now` does"
        )


def _faults_of_app(state: State) -> Iterable[str]:
    answer = state.app
    if answer is None or answer.status == 200:
        return
    if state.signs_in_before and answer.leads_away(state.address):
        return
    said = f"HTTP {answer.status} {answer.said}".strip() if answer.status else answer.said
    yield (
        f"the app does not answer at {state.address} ({said}); is this machine's address within "
        "AllowedCidr?"
    )


def _services(account: Account, outputs: Mapping[str, str]) -> tuple[Service, ...]:
    client: ECSClient = account.session.client("ecs")
    found = []
    for name, (cluster, service) in services_of(outputs).items():
        described = client.describe_services(cluster=cluster, services=[service])["services"]
        if described and described[0]["status"] != "INACTIVE":
            digests = running_digests(client, cluster, service, name)
            found.append(_service(client, name, described[0], digests))
    return tuple(found)


def _service(
    client: "ECSClient", name: str, said: "ServiceTypeDef", digests: tuple[str, ...]
) -> Service:
    primary = next((each for each in said["deployments"] if each["status"] == "PRIMARY"), None)
    task = client.describe_task_definition(taskDefinition=said["taskDefinition"])["taskDefinition"]
    images = {each["name"]: each["image"] for each in task["containerDefinitions"]}
    return Service(
        name=name,
        desired=said["desiredCount"],
        running=said["runningCount"],
        pending=said["pendingCount"],
        # A service of one deployment that never was another's has no state of its own everywhere.
        rollout=primary.get("rolloutState", "COMPLETED") if primary else "COMPLETED",
        why=primary.get("rolloutStateReason", "no reason given") if primary else "",
        wanted=images.get(name, "").partition("@")[2],
        digests=digests,
    )


def _queues(account: Account, outputs: Mapping[str, str]) -> dict[str, Depth]:
    client = account.session.client("sqs")
    return {
        name: SqsPostbox(client, outputs[output]).depth()
        for name, output in _QUEUES.items()
        if output in outputs
    }


def _champions(account: Account, outputs: Mapping[str, str]) -> tuple[Served, ...]:
    bucket = outputs.get("ArtifactsBucket")
    return tuple(served(S3Store(account.session.client("s3"), bucket))) if bucket else ()


def _alarms(account: Account, stacks: Iterable[Stack]) -> tuple[Alarm, ...]:
    """The stage's alarms that go off, without those that only start and stop tasks."""
    client = account.session.client("cloudwatch")
    names = [name for stack in stacks for name in stack.ids(_ALARM)]
    try:
        found = [
            alarm
            for some in batched(names, _MOST_ALARMS, strict=False)
            for alarm in client.describe_alarms(AlarmNames=list(some), StateValue="ALARM")[
                "MetricAlarms"
            ]
        ]
    except ClientError as error:
        if is_not_offered(account, error):
            return ()
        raise
    return tuple(
        Alarm(alarm["AlarmName"], alarm.get("AlarmDescription", ""), alarm.get("StateReason", ""))
        for alarm in found
        # "Nothing to do" is how it is most of the time.
        if not any(":autoscaling:" in action for action in alarm.get("AlarmActions", []))
    )
