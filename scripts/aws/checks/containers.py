"""What runs, and how: the cluster, the task definitions, the services."""

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.aws.checks.reading import (
    HEALTH,
    PORT,
    SERVICES,
    SUBNETS,
    Templates,
    at,
    by,
    container_of,
    differs,
    properties,
    sub,
)

# What webapp/settings.py asks for, so that people can sign in.
SIGN_IN = (
    *("OIDC_METADATA_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_REDIRECT_URI"),
    *("COOKIE_SECRET", "OPERATOR_CLAIM", "OPERATOR_VALUE"),
)
# As the engine mounts a tmpfs by itself; what Fargate does is written nowhere.
_MOUNTED = ["noexec", "nosuid", "nodev", "mode=1777"]


def the_cluster_offers_both_capacities_and_no_metrics_that_cost(
    templates: Templates,
) -> Iterator[str]:
    found = properties(templates.compute, "Cluster")
    settings = by("Name", "Value", found.pop("ClusterSettings"))
    yield from differs("the settings of Cluster", settings, {"containerInsights": "disabled"})
    wanted = {
        "ClusterName": sub("chartbuster-${Stage}"),
        "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
    }
    yield from differs("Cluster", found, wanted)


def tasks_run_the_image_given_on_its_processor_with_their_own_roles(
    templates: Templates,
) -> Iterator[str]:
    for (wishes, template), processor in zip(templates.both, ("X86_64", "ARM64"), strict=True):
        for service, name in SERVICES.items():
            task = properties(template, f"{name}Task")
            # Both are held to docker-compose.yml, and as a pair by cfn-lint.
            for key in ("Cpu", "Memory"):
                if not str(task.pop(key)).isdigit():
                    yield f"{name}Task.{key} is no number"
            if (storage := task.pop("EphemeralStorage", None)) is not None:
                size = int(at(storage, "SizeInGiB"))
                if not 21 <= size <= 200:
                    yield f"{name}Task.EphemeralStorage is {size} GiB; expected 21 to 200"
            del task["ContainerDefinitions"]
            wanted = {
                "Family": sub(f"chartbuster-${{Stage}}-{service}"),
                "RequiresCompatibilities": ["FARGATE"],
                "NetworkMode": "awsvpc",
                "RuntimePlatform": {
                    "OperatingSystemFamily": "LINUX",
                    "CpuArchitecture": processor,
                },
                "ExecutionRoleArn": {"GetAtt": f"{name}ExecutionRole.Arn"},
                "TaskRoleArn": {"Ref": f"{name}RoleArn"},
            }
            yield from differs(f"{name}Task {wishes}", task, wanted)
            container = container_of(template, service)
            image = {"Ref": f"{name}Image"}
            yield from differs(f"the image of {service}", container["Image"], image)


def containers_do_what_their_image_says_and_keep_to_themselves(
    templates: Templates,
) -> Iterator[str]:
    """No command, no entry point: those are the image's."""
    common = {
        *("Name", "Image", "Essential", "User", "ReadonlyRootFilesystem", "LinuxParameters"),
        *("Environment", "HealthCheck", "StopTimeout", "LogConfiguration"),
    }
    for wishes, template in templates.both:
        for service in SERVICES:
            container = container_of(template, service)
            what = f"{service}'s container {wishes}"
            wanted = common | ({"PortMappings"} if service == "webapp" else set())
            if service == "webapp" and template is templates.whole:
                wanted = wanted | {"Secrets"}
            yield from differs(f"{what}: what it says", sorted(container), sorted(wanted))
            yield from differs(f"{what}: Name", container["Name"], service)
            yield from differs(f"{what}: Essential", container["Essential"], True)
            read_only = container["ReadonlyRootFilesystem"]
            yield from differs(f"{what}: ReadonlyRootFilesystem", read_only, True)
            if str(container["User"]).partition(":")[0] in {"", "0", "root"}:
                yield f"{what} runs as {container['User']!r}; expected somebody without rights"
            yield from _linux(what, container["LinuxParameters"])
            if not 1 <= container["StopTimeout"] <= 120:
                yield f"{what}: StopTimeout is {container['StopTimeout']}; expected 1 to 120 s"


def _linux(what: str, found: Mapping[str, Any]) -> Iterator[str]:
    (place,) = at(found, "Tmpfs")
    wanted = {
        "InitProcessEnabled": True,
        "Capabilities": {"Drop": ["ALL"]},
        "Tmpfs": [{"ContainerPath": "/tmp", "MountOptions": _MOUNTED}],  # noqa: S108
    }
    without = {key: value for key, value in place.items() if key != "Size"}
    yield from differs(f"{what}: LinuxParameters", {**found, "Tmpfs": [without]}, wanted)
    if not 1 <= place["Size"] <= 2048:
        yield f"{what}: /tmp has {place['Size']} MiB; expected 1 to 2048, it is memory"


def containers_are_told_what_they_work_on_and_no_keys(templates: Templates) -> Iterator[str]:
    """No keys and no endpoint: both would beat the task's role."""
    wanted = {
        "AWS_REGION": {"Ref": "AWS::Region"},
        "AWS_DEFAULT_REGION": {"Ref": "AWS::Region"},
        "RAW_BUCKET": {"Ref": "RawBucket"},
        "READY_BUCKET": {"Ref": "ReadyBucket"},
        "ARTIFACTS_BUCKET": {"Ref": "ArtifactsBucket"},
        "TRAIN_QUEUE_URL": {"Ref": "QueueUrl"},
        "TRAIN_DEAD_LETTER_QUEUE_URL": {"Ref": "TrainDeadLetterQueueUrl"},
        "LAMBDA_DEAD_LETTER_QUEUE_URL": {"Ref": "LambdaDeadLetterQueueUrl"},
    }
    for service in SERVICES:
        environment = by("Name", "Value", container_of(templates.whole, service)["Environment"])
        yield from differs(f"the environment of {service}", environment, wanted)


def secrets_come_from_the_secret_by_their_own_names(templates: Templates) -> Iterator[str]:
    found = by("Name", "ValueFrom", container_of(templates.whole, "webapp")["Secrets"])
    wanted = {name: sub(f"${{SignInSecretArn}}:{name}::") for name in SIGN_IN}
    yield from differs("the secrets of webapp", found, wanted)


def logs_go_to_the_group_of_the_data_stack(templates: Templates) -> Iterator[str]:
    for service, name in SERVICES.items():
        found = container_of(templates.compute, service)["LogConfiguration"]
        wanted = {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": properties(templates.data, f"{name}Logs")["LogGroupName"],
                "awslogs-region": {"Ref": "AWS::Region"},
                "awslogs-stream-prefix": service,
            },
        }
        yield from differs(f"the logs of {service}", found, wanted)


def containers_are_asked_whether_they_are_well(templates: Templates) -> Iterator[str]:
    """What is asked, and how often, is held to the Dockerfiles; here only that it can work."""
    for service in SERVICES:
        found = container_of(templates.compute, service)["HealthCheck"]
        numbers = {key: value for key, value in found.items() if key != "Command"}
        keys = ["Interval", "Retries", "StartPeriod", "Timeout"]
        yield from differs(f"the health check of {service}", sorted(numbers), keys)
        if not 2 <= numbers["Timeout"] <= numbers["Interval"] <= 30 or numbers["Retries"] != 3:
            yield f"the health check of {service} has {numbers}; expected it to find faults soon"
        if not 10 <= numbers["StartPeriod"] <= 300:
            yield f"the health check of {service} begins after {numbers['StartPeriod']} s"
    asked = container_of(templates.compute, "webapp")["HealthCheck"]["Command"][-1]
    yield from differs("where webapp is asked", asked, f"http://127.0.0.1:{PORT}{HEALTH}")


def services_roll_back_by_themselves_and_keep_their_count(templates: Templates) -> Iterator[str]:
    """No count: an update would set it back. No names: a service made anew would meet itself."""
    for service, name in SERVICES.items():
        wanted = {
            "Cluster": {"Ref": "Cluster"},
            "TaskDefinition": {"Ref": f"{name}Task"},
            "CapacityProviderStrategy": [
                {
                    "CapacityProvider": {"Ref": "TrainerCapacity"}
                    if service == "trainer"
                    else "FARGATE",
                    "Weight": 1,
                }
            ],
            "DeploymentConfiguration": {
                "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                "MinimumHealthyPercent": 100,
                "MaximumPercent": 200,
            },
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {
                    # Without one a task in a public subnet reaches nothing.
                    "AssignPublicIp": "ENABLED",
                    "Subnets": SUBNETS,
                    "SecurityGroups": [{"Ref": f"{name}Security"}],
                }
            },
            "EnableECSManagedTags": True,
            "PropagateTags": "SERVICE",
        }
        if service == "webapp":
            wanted["HealthCheckGracePeriodSeconds"] = 60
            wanted["LoadBalancers"] = [
                {
                    "ContainerName": "webapp",
                    "ContainerPort": PORT,
                    "TargetGroupArn": {"Ref": "WebTargetGroup"},
                }
            ]
        yield from differs(
            f"{name}Service", properties(templates.compute, f"{name}Service"), wanted
        )
    mapped = container_of(templates.compute, "webapp")["PortMappings"]
    yield from differs("the ports of webapp", mapped, [{"ContainerPort": PORT, "Protocol": "tcp"}])
