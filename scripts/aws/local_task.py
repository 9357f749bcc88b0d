"""A container run on this machine as its task definition says, over a stand-in.

What is different from a task on AWS: it shares this machine's network, since a stand-in listens on
127.0.0.1 alone; the app listens there too, on a free port; and the endpoint and fake credentials
are in its environment, where on AWS the task's role is.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import docker
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from requests.exceptions import RequestException

from chartbuster.errors import TryAgain

LABEL = "chartbuster.rehearsal"
"""On every container of a rehearsal, with the rehearsal's registry as its value."""


class TaskFailed(TryAgain):
    """A container that did not start or did not become well; holds the last of its log."""


def options(
    container: Mapping[str, Any], template: Mapping[str, Any], *, environ: Mapping[str, str]
) -> dict[str, Any]:
    """How the engine has to run a container to have it as ECS would.

    `container` is what ECS has of it; `template` the same container in the deployed template, which
    also says what a stand-in forgets: the Linux parameters. `environ` comes on top.
    """
    linux = template.get("LinuxParameters", {})
    return {
        "environment": {each["name"]: each["value"] for each in container["environment"]}
        | dict(environ),
        "user": container["user"],
        "read_only": container["readonlyRootFilesystem"],
        "init": linux.get("InitProcessEnabled", False),
        "cap_drop": list(linux.get("Capabilities", {}).get("Drop", [])),
        "tmpfs": {
            each["ContainerPath"]: ",".join(
                [f"size={each['Size']}m", *each.get("MountOptions", [])]
            )
            for each in linux.get("Tmpfs", [])
        },
        # The units of ECS: 1024 shares of a processor, and MiB.
        "nano_cpus": int(container["cpu"]) * 1_000_000_000 // 1024,
        "mem_limit": f"{container['memory']}m",
        "network_mode": "host",
    }


def health_command(template: Mapping[str, Any]) -> list[str]:
    """The program the container's health check runs, from its template."""
    kind, *command = template["HealthCheck"]["Command"]
    if kind != "CMD":
        raise TaskFailed(f"the health check begins with {kind!r}; expected CMD and a program")
    return [str(part) for part in command]


def pulled(client: docker.DockerClient, reference: str) -> str:
    """The local id of the image the engine gets for `reference`, a name with a digest.

    Raises `TaskFailed`. A stand-in's registry lets everybody read.
    """
    try:
        for event in client.api.pull(reference, stream=True, decode=True):
            if fault := event.get("error"):
                raise TaskFailed(f"{reference} could not be pulled: {fault}")
        return str(client.api.inspect_image(reference)["Id"])
    except (DockerException, RequestException) as error:
        raise TaskFailed(f"{reference} could not be pulled: {error}") from error


@contextmanager
def running(
    client: docker.DockerClient,
    image: str,
    how: Mapping[str, Any],
    *,
    command: list[str] | None = None,
    label: str = "",
) -> Iterator[Container]:
    """A container of `image`, gone when the block ends, however it ends; raises `TaskFailed`."""
    try:
        made = client.containers.create(
            image,
            command,
            labels={LABEL: label},
            security_opt=["no-new-privileges:true"],
            **how,
        )
    except (DockerException, RequestException) as error:
        raise TaskFailed(f"a container of {image} could not be made: {error}") from error
    try:
        made.start()
        yield made
    except (DockerException, RequestException) as error:
        raise TaskFailed(f"the container of {image} failed: {error}") from error
    finally:
        with suppress(NotFound):
            made.remove(force=True, v=True)


def succeeds(container: Container, command: list[str]) -> bool:
    """Whether `command` ends with 0 in the container; it does not in one that has ended."""
    try:
        return bool(container.exec_run(command).exit_code == 0)
    except DockerException:
        return False


def await_well(
    container: Container, is_well: Callable[[], bool], *, patience: float = 60.0
) -> float:
    """Wait until `is_well()`, and return the seconds; raises `TaskFailed` with the log's end."""
    started = time.monotonic()
    while time.monotonic() - started < patience:
        if is_well():
            return time.monotonic() - started
        container.reload()
        if container.status not in {"created", "running"}:
            break
        time.sleep(0.2)
    log = container.logs(tail=15).decode(errors="replace").strip()
    raise TaskFailed(
        f"the container was not well after {time.monotonic() - started:.0f} s "
        f"({container.status}); it said:\n{log}"
    )


def forget(client: docker.DockerClient, registry: str, *, keep: Collection[str]) -> None:
    """Take away what a rehearsal leaves in the engine: containers, and its names of images.

    An image that has no other name goes too, unless its id is one to `keep`.
    """
    for container in client.containers.list(
        all=True, filters={"label": f"{LABEL}={registry}"}, ignore_removed=True
    ):
        with suppress(DockerException):
            container.remove(force=True, v=True)
    for image in client.api.images():
        names = {*(image.get("RepoTags") or ()), *(image.get("RepoDigests") or ())}
        ours = {name for name in names if name.startswith(f"{registry}/")}
        if image["Id"] in keep and not names - ours:
            continue
        for name in sorted(ours):
            with suppress(DockerException):
                client.api.remove_image(name, noprune=True)
