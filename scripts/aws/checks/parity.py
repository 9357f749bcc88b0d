"""Whether trainer and app run on AWS by the settings they run by in docker-compose.yml.

A service of Compose is turned into the container definition that says the same, and held against
the one in `infra/compute.yaml`, resolved as if the stage were `local` in LocalStack's account. So
values are compared as they are, and a key that this module has never heard of is a difference.

What has no counterpart is listed with the reason, and with the value the reason was given for.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.aws.checks.resolving import REGION, Resolved

SERVICES = ("trainer", "webapp")
# What of a Compose service is compared with something of the task definition.
_COMPARED = {
    "image",
    "user",
    "read_only",
    "init",
    "cap_drop",
    "tmpfs",
    "environment",
    "healthcheck",
}
_COMPARED |= {"stop_grace_period", "ports", "cpus", "mem_limit"}
# The engine mounts a tmpfs with these unless told otherwise; what Fargate does is written nowhere.
_TMPFS_DEFAULTS = {"noexec": "exec", "nosuid": "suid", "nodev": "dev"}
_PROCESSORS = {"x86_64": "X86_64", "arm64": "ARM64"}
_FILLED = re.compile(r"\$\{(\w+):?-([^}]*)\}")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_BYTES = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@dataclass(frozen=True)
class Exempt:
    """Something that only one side has: why, and the `values` for which that was thought through.

    Without `values` any will do. One that is not `needed` may be left out.
    """

    reason: str
    values: tuple[Any, ...] = ()
    needed: bool = True

    def covers(self, value: Any) -> bool:
        """Whether the reason was given for `value` too."""
        return not self.values or value in self.values


LOCAL_VARIABLES: Mapping[str, Exempt] = {
    "AWS_ENDPOINT_URL": Exempt(
        "leads to LocalStack; on AWS the SDK knows where AWS is", ("http://keeper:4566",)
    ),
    "AWS_ACCESS_KEY_ID": Exempt("fake; on AWS a key would beat the task's role", ("test",)),
    "AWS_SECRET_ACCESS_KEY": Exempt("fake; on AWS a key would beat the task's role", ("test",)),
    "AWS_EC2_METADATA_DISABLED": Exempt(
        "keeps the SDK from looking for an EC2 machine's role; a task's role comes another way",
        ("true",),
    ),
}

LOCAL_KEYS: Mapping[str, Exempt] = {
    "security_opt": Exempt(
        "Fargate takes no security options; without capabilities and as a numeric user there are "
        "no privileges to gain",
        (["no-new-privileges:true"],),
    ),
    "pull_policy": Exempt(
        "local images are built here and never pulled; on AWS the digest says which one",
        ("never",),
    ),
    "restart": Exempt("an ECS service replaces whatever task has ended", ("unless-stopped",)),
    "networks": Exempt("on AWS the security groups say who may call whom", (["inside"],)),
    "dns": Exempt(
        "locally no name may be asked of anybody; on AWS the SDK has to find AWS", (["127.0.0.1"],)
    ),
    "logging": Exempt(
        "the engine keeps 15 MB here; on AWS the component's log group keeps them for 30 days",
        ({"driver": "json-file", "options": {"max-size": "5m", "max-file": "3"}},),
    ),
    "pids_limit": Exempt("a task definition for Fargate has no such limit", (256, 128)),
    "depends_on": Exempt(
        "on AWS the data stack is complete before the compute stack is begun",
        (
            {
                "deploy": {"condition": "service_completed_successfully"},
                "keeper": {"condition": "service_started"},
            },
        ),
    ),
}

LOCAL_PARTS: Mapping[str, Exempt] = {
    "healthcheck.start_interval": Exempt(
        "ECS knows one interval alone; here waiting for the stack should be short", ("0.5s",)
    ),
    "healthcheck.start_period": Exempt(
        "here everything starts at once on one machine; on AWS it is what the image says", ("120s",)
    ),
    "ports.published": Exempt(
        "here the app is for this machine alone; on AWS the load balancer says who reaches it",
        ("127.0.0.1:8501",),
    ),
}

CLOUD_KEYS: Mapping[str, Exempt] = {
    "Secrets": Exempt("sign-in, where it is asked for; the local stack has none", needed=False),
    "Essential": Exempt("the task is this one container", (True,)),
}

CLOUD_TASK_KEYS: Mapping[str, Exempt] = {
    "NetworkMode": Exempt("Fargate knows no other", ("awsvpc",)),
    "RequiresCompatibilities": Exempt("what runs containers on AWS", (["FARGATE"],)),
    "RuntimePlatform": Exempt(
        "here the engine's own; on AWS the processor the images were built for"
    ),
    "ExecutionRoleArn": Exempt("what ECS itself may do: fetch the image, write the log"),
    "TaskRoleArn": Exempt("here the credentials are fake and anything is allowed"),
    "Tags": Exempt("what things are counted and found by on AWS", needed=False),
}

EXCEPTIONS: Mapping[str, str] = {
    **{f"environment.{name}": exempt.reason for name, exempt in LOCAL_VARIABLES.items()},
    **{name: exempt.reason for name, exempt in {**LOCAL_KEYS, **LOCAL_PARTS}.items()},
    **{f"container.{name}": exempt.reason for name, exempt in CLOUD_KEYS.items()},
    **{f"task.{name}": exempt.reason for name, exempt in CLOUD_TASK_KEYS.items()},
}
"""Everything that only one side has, by name, with the reason."""


class _Different(ValueError):
    """A value of docker-compose.yml that cannot be read; says which would have been right."""


def findings(
    compose: Mapping[str, Any],
    *,
    compute: Mapping[str, Any],
    data: Mapping[str, Any],
    dockerfiles: Mapping[str, str],
) -> list[str]:
    """Each difference between the services and the task definitions as one line; none is right.

    `compose`, `compute` and `data` are the parsed files, `dockerfiles` the texts by service.
    """
    found = []
    for service in SERVICES:
        try:
            lines = list(_differences(service, compose, compute, data, dockerfiles[service]))
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            lines = [f"cannot be compared ({type(error).__name__}: {error})"]
        found += [f"{service}: {line}" for line in lines]
    return found


def filled_in(value: Any) -> Any:
    """`value` as Compose fills it in where no variable is set; raises `ValueError` elsewhere."""
    match value:
        case str():
            filled = _FILLED.sub(r"\2", value)
            if "$" in filled:
                raise _Different(f"{value!r}; expected variables as ${{NAME:-default}}")
            return filled
        case dict():
            return {key: filled_in(one) for key, one in value.items()}
        case list():
            return [filled_in(one) for one in value]
    return value


def _differences(
    service: str,
    compose: Mapping[str, Any],
    compute: Mapping[str, Any],
    data: Mapping[str, Any],
    dockerfile: str,
) -> Iterator[str]:
    title = service.capitalize()
    asked = compose["services"][service]
    local = filled_in(asked)
    if asked["image"] != (image := f"${{{service.upper()}_IMAGE:-chartbuster/{service}:local}}"):
        yield f"image is {asked['image']!r}; expected {image!r}"
    endpoint = local["environment"].get("AWS_ENDPOINT_URL", "")
    deployed = Resolved(data, {"Stage": "local"}, endpoint=endpoint)
    told = {
        name: value
        for name in data["Outputs"]
        if isinstance(value := deployed.output(name), str) and name in compute["Parameters"]
    }
    given = compute["Resources"][f"{title}Task"]["Properties"]
    task: dict[str, Any] = {}
    for architecture, processor in _PROCESSORS.items():
        parameters = {**told, "Stage": "local", "Architecture": architecture}
        task = Resolved(compute, parameters, endpoint=endpoint).value(given)
        platform = {"OperatingSystemFamily": "LINUX", "CpuArchitecture": processor}
        if task.get("RuntimePlatform") != platform:
            yield f"task.RuntimePlatform for {architecture} is {task.get('RuntimePlatform')}"
    containers = task.pop("ContainerDefinitions")
    if len(containers) != 1:
        yield f"the task has {len(containers)} containers; expected one, like the service"
        return
    container = containers[0]

    yield from _exempt("", local, LOCAL_KEYS)
    yield from _exempt("environment.", local["environment"], LOCAL_VARIABLES)
    yield from _exempt("container.", container, CLOUD_KEYS)
    yield from _exempt("task.", task, CLOUD_TASK_KEYS)
    yield from _of_the_image(local, dockerfile)
    for name in sorted(set(local) - set(LOCAL_KEYS) - _COMPARED):
        yield f"docker-compose.yml says {name}: {local[name]!r}, which has no known counterpart"
    logs = deployed.value({"Ref": f"{title}Logs"})
    wanted = _container(service, local, dockerfile, logs)
    yield from _unlike("container", wanted, _without(_as_values(container), CLOUD_KEYS))
    yield from _unlike("task", _task(service, local), _without(task, CLOUD_TASK_KEYS))


def _exempt(where: str, given: Mapping[str, Any], exempt: Mapping[str, Exempt]) -> Iterator[str]:
    for name, exception in exempt.items():
        if name not in given:
            if exception.needed:
                yield f"{where}{name} is missing; it has this reason: {exception.reason}"
        elif not exception.covers(given[name]):
            yield (
                f"{where}{name} is {given[name]!r}; there is a reason for "
                f"{', '.join(map(repr, exception.values))} alone: {exception.reason}"
            )


def _without(given: Mapping[str, Any], exempt: Mapping[str, Exempt]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in exempt}


def _container(
    service: str, local: Mapping[str, Any], dockerfile: str, logs: Any
) -> dict[str, Any]:
    """The container definition that says what the Compose service `local` says."""
    environment = _without(local["environment"], LOCAL_VARIABLES)
    wanted = {
        "Name": service,
        "Image": {"Ref": f"{service.capitalize()}Image"},
        "User": local["user"],
        "ReadonlyRootFilesystem": local["read_only"],
        "LinuxParameters": {
            "InitProcessEnabled": local["init"],
            "Capabilities": {"Drop": local["cap_drop"]},
            "Tmpfs": dict(map(_tmpfs, local["tmpfs"])),
        },
        "Environment": {name: str(value) for name, value in environment.items()},
        "HealthCheck": _health_check(dockerfile),
        "StopTimeout": _seconds(local["stop_grace_period"]),
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": logs,
                "awslogs-region": REGION,
                "awslogs-stream-prefix": service,
            },
        },
    }
    if "ports" in local:
        wanted["PortMappings"] = {_port(port): "tcp" for port in local["ports"]}
    return wanted


def _task(service: str, local: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Family": f"chartbuster-local-{service}",
        "Cpu": str(round(float(local["cpus"]) * 1024)),
        "Memory": str(_size(local["mem_limit"]) // 2**20),
    }


def _as_values(container: Mapping[str, Any]) -> dict[str, Any]:
    """The container definition with its lists of named things as mappings by name."""
    found = dict(container)
    if "Environment" in found:
        found["Environment"] = _by_name(found["Environment"], "Name", "Value")
    if "PortMappings" in found:
        for mapping in found["PortMappings"]:
            # On Fargate both ports are one.
            if mapping.get("HostPort", mapping["ContainerPort"]) != mapping["ContainerPort"]:
                raise _Different(f"port {mapping}; expected HostPort as ContainerPort, or none")
            if unknown := set(mapping) - {"ContainerPort", "HostPort", "Protocol"}:
                raise _Different(f"port {mapping}; {', '.join(sorted(unknown))} is not known")
        found["PortMappings"] = {
            mapping["ContainerPort"]: mapping.get("Protocol", "tcp")
            for mapping in found["PortMappings"]
        }
    if tmpfs := found.get("LinuxParameters", {}).get("Tmpfs"):
        by_path = {
            mount["ContainerPath"]: {
                **{key: value for key, value in mount.items() if key != "ContainerPath"},
                "MountOptions": sorted(mount.get("MountOptions", [])),
            }
            for mount in tmpfs
        }
        if len(by_path) != len(tmpfs):
            raise _Different("LinuxParameters.Tmpfs names a path twice")
        found["LinuxParameters"] = {**found["LinuxParameters"], "Tmpfs": by_path}
    return found


def _by_name(pairs: list[Mapping[str, Any]], key: str, value: str) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        if set(pair) != {key, value}:
            raise _Different(f"{pair}; expected {key} and {value}")
        if pair[key] in found:
            raise _Different(f"{pair[key]!r} is there twice")
        found[pair[key]] = pair[value]
    return found


def _health_check(dockerfile: str) -> dict[str, Any]:
    """The image's own health check, which ECS does not read, as ECS spells it."""
    found = re.findall(
        r"^HEALTHCHECK ((?:--[a-z-]+=\S+ )+)\\\n +CMD (\[.*\])$",
        _last_stage(dockerfile),
        re.MULTILINE,
    )
    if len(found) != 1:
        raise _Different(f"the Dockerfile has {len(found)} health checks; expected one of CMD […]")
    options = dict(option.removeprefix("--").split("=") for option in found[0][0].split())
    return {
        "Command": ["CMD", *json.loads(found[0][1])],
        "Interval": _seconds(options["interval"]),
        "Timeout": _seconds(options["timeout"]),
        "Retries": int(options["retries"]),
        "StartPeriod": _seconds(options["start-period"]),
    }


def _local_health_check(local: Mapping[str, Any], image: Mapping[str, Any]) -> Iterator[str]:
    """What Compose says over the image's health check, and has no reason to."""
    own = {name.removeprefix("healthcheck."): one for name, one in LOCAL_PARTS.items()}
    yield from _exempt(
        "healthcheck.", local, {name: own[name] for name in ("start_interval", "start_period")}
    )
    said: dict[str, Any] = {
        name: value if name == "retries" else _seconds(value)
        for name, value in local.items()
        if name not in own
    }
    wanted = {name.lower(): image[name] for name in ("Interval", "Timeout", "Retries")}
    for name in sorted({*said, *wanted}):
        if said.get(name) != wanted.get(name):
            yield f"healthcheck.{name} is {said.get(name)}; the image says {wanted.get(name)}"


def _last_stage(dockerfile: str) -> str:
    return dockerfile.rsplit("\nFROM ", 1)[-1]


def _of_the_image(local: Mapping[str, Any], dockerfile: str) -> Iterator[str]:
    """What the image says by itself and the task definition takes from it."""
    stage = _last_stage(dockerfile)
    yield from _local_health_check(local["healthcheck"], _health_check(dockerfile))
    users = re.findall(r"^USER (.*)$", stage, re.MULTILINE)
    if users != [local["user"]]:
        yield f"the Dockerfile's USER is {users}; expected [{local['user']!r}]"
    exposed = re.findall(r"^EXPOSE (.*)$", stage, re.MULTILINE)
    if exposed != (ports := [str(_port(port)) for port in local.get("ports", ())]):
        yield f"the Dockerfile's EXPOSE is {exposed}; expected {ports}"


def _tmpfs(mount: str) -> tuple[str, dict[str, Any]]:
    path, _, given = mount.partition(":")
    options = given.split(",")
    sizes = [option for option in options if option.startswith("size=")]
    if len(sizes) != 1:
        raise _Different(f"tmpfs {mount!r}; expected one size, like /tmp:size=1g,mode=1777")
    rest = [option for option in options if option not in sizes]
    size = _size(sizes[0].removeprefix("size=")) // 2**20
    return path, {"Size": size, "MountOptions": _options(rest)}


def _options(given: list[str]) -> list[str]:
    """What a tmpfs of the engine is mounted with when it is `given` these, in order."""
    return sorted({*given, *(one for one, no in _TMPFS_DEFAULTS.items() if no not in given)})


def _port(port: str) -> int:
    published, _, inside = port.rpartition(":")
    exempt = LOCAL_PARTS["ports.published"]
    if not exempt.covers(published) or not inside.isdecimal():
        raise _Different(f"port {port!r}; expected {exempt.values[0]} before the container's")
    return int(inside)


def _seconds(duration: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h)", str(duration))
    if match is None:
        raise _Different(f"duration {duration!r}; expected one like 15s")
    seconds = float(match[1]) * _SECONDS[match[2]]
    return int(seconds) if seconds.is_integer() else seconds


def _size(size: str) -> int:
    match = re.fullmatch(r"(\d+)([bkmg])", str(size))
    if match is None:
        raise _Different(f"size {size!r}; expected one like 256m")
    return int(match[1]) * _BYTES[match[2]]


def _unlike(where: str, local: Any, cloud: Any) -> Iterator[str]:
    if isinstance(local, dict) and isinstance(cloud, dict):
        for key in [*local, *(key for key in cloud if key not in local)]:
            if key not in cloud:
                yield f"{where}.{key} is missing; locally it is {local[key]!r}"
            elif key not in local:
                yield f"{where}.{key} is {cloud[key]!r}; locally there is none"
            else:
                yield from _unlike(f"{where}.{key}", local[key], cloud[key])
    elif local != cloud or isinstance(local, bool) != isinstance(cloud, bool):
        yield f"{where} is {cloud!r}; locally it is {local!r}"
