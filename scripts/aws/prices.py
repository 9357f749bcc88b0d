"""What a deployment costs by list prices: each month while nobody uses it, and per training hour.

The amounts follow from the templates: how many addresses, load balancers, alarms and dashboards
there are, and the processors and memory of the tasks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.aws.checks.resolving import Resolved

DATE = "March 2026"
"""When the prices below were the list's; AWS's own pages have today's."""
REGION = "us-east-1"
HOURS = 730
"""Of an average month."""

VCPU_HOUR = {"X86_64": 0.04048, "ARM64": 0.03238}
GB_HOUR = {"X86_64": 0.004445, "ARM64": 0.00356}
SPOT_FACTOR = 0.3
"""What Fargate Spot costs of the list price, about; it changes with demand."""
LOAD_BALANCER_HOUR = 0.0225
CAPACITY_UNIT_HOUR = 0.008
ADDRESS_HOUR = 0.005
ALARM_METRIC_MONTH = 0.10
DASHBOARD_MONTH = 3.00


@dataclass(frozen=True)
class Line:
    """One line of a bill: what, and US dollars."""

    what: str
    dollars: float


@dataclass(frozen=True)
class Task:
    """What one task of a service takes."""

    vcpu: float
    gigabytes: float
    processor: str
    spot: bool
    addresses: int

    @property
    def hour(self) -> float:
        """Dollars per hour it runs, its public addresses included."""
        power = self.vcpu * VCPU_HOUR[self.processor] + self.gigabytes * GB_HOUR[self.processor]
        return power * (SPOT_FACTOR if self.spot else 1.0) + self.addresses * ADDRESS_HOUR

    def __str__(self) -> str:
        spot = ", Spot" if self.spot else ""
        return f"{self.vcpu:g} vCPU, {self.gigabytes:g} GB{spot}"


@dataclass(frozen=True)
class Cost:
    """A deployment's cost: the lines of an idle month, and dollars per hour of training."""

    idle: tuple[Line, ...]
    training_hour: float
    trainer: Task

    @property
    def month(self) -> float:
        """Dollars of an idle month."""
        return sum(line.dollars for line in self.idle)


def cost(stacks: Mapping[str, Resolved]) -> Cost:
    """What the stacks cost, each by its part as its template with its parameters.

    Without the scaling stack nobody takes the trainer away, so it costs also while idle.
    """
    compute = stacks["compute"]
    trainer, webapp = _task(compute, "Trainer"), _task(compute, "Webapp")
    balancers = _of_type(compute, "AWS::ElasticLoadBalancingV2::LoadBalancer")
    addresses = sum(len(each["Subnets"]) for each in balancers)
    metrics = sum(
        # A metric-math alarm costs what the metrics in it do.
        sum("MetricStat" in metric for metric in alarm.get("Metrics", ())) or 1
        for stack in stacks.values()
        for alarm in _of_type(stack, "AWS::CloudWatch::Alarm")
    )
    dashboards = len(_of_type(compute, "AWS::CloudWatch::Dashboard"))
    idle = [
        Line("load balancer", len(balancers) * LOAD_BALANCER_HOUR * HOURS),
        Line(f"its {addresses} public addresses", addresses * ADDRESS_HOUR * HOURS),
        Line(f"one web app ({webapp}, its address)", webapp.hour * HOURS),
        Line(f"alarms ({metrics} metrics)", metrics * ALARM_METRIC_MONTH),
        Line("dashboard", dashboards * DASHBOARD_MONTH),
    ]
    if "scaling" not in stacks:
        idle.append(Line(f"one trainer, never stopped ({trainer})", trainer.hour * HOURS))
    return Cost(tuple(idle), trainer.hour, trainer)


def told(found: Cost, *, region: str) -> list[str]:
    """The cost in words, line by line."""
    elsewhere = "" if region == REGION else f"; {region} differs by some"
    unit = f"${CAPACITY_UNIT_HOUR:g} for each hour of a capacity unit"
    return [
        f"cost by list prices of {REGION} as of {DATE}, before taxes and free tiers{elsewhere}",
        *(f"  {line.what:<46} ${line.dollars:8.2f} a month" for line in found.idle),
        f"  {'idle':<46} ${found.month:8.2f} a month",
        f"  {f'training ({found.trainer}, its address)':<46} ${found.training_hour:8.3f} an hour",
        f"  and by use: the load balancer's traffic ({unit}),",
        "  logs, S3, SQS, Lambda and the images, which are cents for a few uploads a day",
    ]


def _of_type(stack: Resolved, kind: str) -> list[Mapping[str, Any]]:
    """The properties of the resources of type `kind` that the conditions let be."""
    return [
        stack.value(resource.get("Properties", {}))
        for resource in stack.template["Resources"].values()
        if resource["Type"] == kind
        and ("Condition" not in resource or stack.holds(resource["Condition"]))
    ]


def _task(stack: Resolved, name: str) -> Task:
    """What one task of the service `name` takes."""
    definition = stack.value(stack.template["Resources"][f"{name}Task"]["Properties"])
    service = stack.value(stack.template["Resources"][f"{name}Service"]["Properties"])
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    (provider,) = service["CapacityProviderStrategy"]
    return Task(
        vcpu=int(definition["Cpu"]) / 1024,
        gigabytes=int(definition["Memory"]) / 1024,
        processor=definition["RuntimePlatform"]["CpuArchitecture"],
        spot=provider["CapacityProvider"] == "FARGATE_SPOT",
        addresses=int(network.get("AssignPublicIp") == "ENABLED"),
    )
