"""What an account shows of a stage, read back from its own services and not from what was sent.

`shown` is for holding two moments against each other, `wiring` for holding the stage against what
it has to be. A stand-in shows all of this; `scripts.aws.rehearsal` lists what it cannot.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from scripts.aws.account import Account

PARTS = ("bootstrap", "data", "compute", "scaling")
SERVICES = ("trainer", "webapp")
NOTHING = "nothing"
"""What is shown of a thing that is not there."""

_ABSENT = {
    *("ValidationError", "RepositoryNotFoundException", "NoSuchBucket", "ClusterNotFoundException"),
    *("ResourceNotFoundException", "404", "LoadBalancerNotFound"),
}


@dataclass(frozen=True)
class Fact:
    """One thing that has to be so: `what` it is about, and what was `expected` and `found`."""

    what: str
    expected: object
    found: object

    @property
    def holds(self) -> bool:
        return self.expected == self.found

    def __str__(self) -> str:
        return f"{self.what}: expected {self.expected!r}, found {self.found!r}"


def shown(account: Account) -> dict[str, str]:
    """A stage as its account shows it now, thing by thing; what is not there is `NOTHING`.

    Two that are equal differ in nothing that a deployment changes: not in a stack's last change,
    a service's revision, an image, the Lambda's code or the records.
    """
    found = {f"stack {part}": stack_state(account, part) for part in PARTS}
    for service in SERVICES:
        found |= _service(account, service)
        found[f"{service} pushed"] = _or_nothing(_pushed, account, service)
    found["create_data"] = _or_nothing(_code, account)
    found["records"] = _or_nothing(_records, account)
    return found


def stack_state(account: Account, part: str) -> str:
    """A stack's status and when it last changed, or `NOTHING`."""
    return _or_nothing(_stack, account, part)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """The names of the things that differ."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def records(account: Account) -> tuple[str, ...]:
    """The keys of the stage's records of deployments, oldest first."""
    s3 = account.session.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=code_bucket(account), Prefix="deployments/"
    )
    return tuple(sorted(each["Key"] for page in pages for each in page.get("Contents", [])))


def buckets(account: Account) -> tuple[str, ...]:
    """The names of the stage's buckets that are there."""
    own = f"chartbuster-{account.stage}-{account.id}-"
    listed = account.session.client("s3").list_buckets()["Buckets"]
    return tuple(sorted(each["Name"] for each in listed if each["Name"].startswith(own)))


def code_bucket(account: Account) -> str:
    """The name of the bucket of zips and records."""
    return f"chartbuster-{account.stage}-{account.id}-code"


def outputs(account: Account) -> dict[str, str]:
    """The outputs of all the stage's stacks by name."""
    client = account.session.client("cloudformation")
    found: dict[str, str] = {}
    for part in PARTS:
        try:
            (stack,) = client.describe_stacks(StackName=account.stack(part))["Stacks"]
        except ClientError as error:
            if _absent(error):
                continue
            raise
        found |= {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    return found


def resources(account: Account, part: str) -> dict[str, str]:
    """The names or ARNs of a stack's resources, by their names in the template."""
    client = account.session.client("cloudformation")
    listed = client.describe_stack_resources(StackName=account.stack(part))["StackResources"]
    return {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in listed}


def container(account: Account, service: str) -> dict[str, Any]:
    """The container that the service's tasks are made of now, as ECS has it, with its task's roles.

    `taskRoleArn`, `executionRoleArn`, `cpu` and `memory` stand beside what the container says.
    """
    ecs = account.session.client("ecs")
    task = ecs.describe_task_definition(taskDefinition=_revision(account, service))
    definition = task["taskDefinition"]
    (made,) = definition["containerDefinitions"]
    beside = ("taskRoleArn", "executionRoleArn", "cpu", "memory", "networkMode")
    return {**made, **{name: definition.get(name) for name in beside}}


def wiring(account: Account, *, allowed: str) -> list[Fact]:
    """What must be so between the parts of a deployed stage, each beside what was found.

    `allowed` are the addresses that may open the app.
    """
    out = outputs(account)
    return [
        *(fact for service in SERVICES for fact in _containers(account, service, out)),
        *_load_balancing(account, out),
        *_security(account, allowed),
        *_roles(account, out),
        *_events(account, out),
    ]


def _containers(account: Account, service: str, out: Mapping[str, str]) -> list[Fact]:
    made = container(account, service)
    environment = {each["name"]: each["value"] for each in made["environment"]}
    expected = {
        "AWS_REGION": account.region,
        "AWS_DEFAULT_REGION": account.region,
        "RAW_BUCKET": out["RawBucket"],
        "READY_BUCKET": out["ReadyBucket"],
        "ARTIFACTS_BUCKET": out["ArtifactsBucket"],
        "TRAIN_QUEUE_URL": out["QueueUrl"],
        "TRAIN_DEAD_LETTER_QUEUE_URL": out["TrainDeadLetterQueueUrl"],
        "LAMBDA_DEAD_LETTER_QUEUE_URL": out["LambdaDeadLetterQueueUrl"],
    }
    return [
        Fact(f"{service}: environment", expected, environment),
        Fact(f"{service}: user", "10001:10001", made.get("user")),
        Fact(f"{service}: root is read-only", True, made.get("readonlyRootFilesystem")),
        Fact(f"{service}: network", "awsvpc", made["networkMode"]),
        Fact(f"{service}: log group", f"/chartbuster/{account.stage}/{service}", _logs(made)),
    ]


def _logs(made: Mapping[str, Any]) -> object:
    return made.get("logConfiguration", {}).get("options", {}).get("awslogs-group")


def _load_balancing(account: Account, out: Mapping[str, str]) -> list[Fact]:
    elb = account.session.client("elbv2")
    ids = resources(account, "compute")
    target = ids["WebTargetGroup"]
    (group,) = elb.describe_target_groups(TargetGroupArns=[target])["TargetGroups"]
    attributes = {
        each["Key"]: each["Value"]
        for each in elb.describe_target_group_attributes(TargetGroupArn=target)["Attributes"]
    }
    listeners = elb.describe_listeners(LoadBalancerArn=ids["LoadBalancer"])["Listeners"]
    forwards = [
        (each["Port"], [action.get("TargetGroupArn") for action in each["DefaultActions"]])
        for each in listeners
    ]
    served = _described(account, "webapp").get("loadBalancers", [])
    return [
        Fact("web: health is asked at", "/_stcore/health", group.get("HealthCheckPath")),
        Fact("web: targets are", ("ip", 8501), (group.get("TargetType"), group.get("Port"))),
        Fact("web: stickiness", ("true", "lb_cookie"), _of(attributes, "stickiness.", _STICKY)),
        Fact("web: listeners forward to the target group", [(80, [target])], forwards),
        Fact(
            "web: the service is behind the target group",
            [{"targetGroupArn": target, "containerName": "webapp", "containerPort": 8501}],
            served,
        ),
        Fact(
            "web: the address is the load balancer's",
            f"http://{_dns(elb, ids['LoadBalancer'])}",
            out["WebUrl"],
        ),
    ]


_STICKY = ("enabled", "type")


def _of(attributes: Mapping[str, str], prefix: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(attributes.get(f"{prefix}{name}", NOTHING) for name in names)


def _dns(elb: Any, arn: str) -> str:
    return str(elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["DNSName"])


def _security(account: Account, allowed: str) -> list[Fact]:
    """Who may call whom: into the load balancer the allowed, into the app it alone, else nobody."""
    ec2 = account.session.client("ec2")
    ids = resources(account, "compute")
    names = {"LoadBalancerSecurity": "load balancer", "WebappSecurity": "webapp"}
    names["TrainerSecurity"] = "trainer"
    groups = ec2.describe_security_groups(GroupIds=[ids[name] for name in names])["SecurityGroups"]
    by_id = {group["GroupId"]: group for group in groups}
    expected = {
        "load balancer": {(port, allowed) for port in (80, 443)},
        "webapp": {(8501, ids["LoadBalancerSecurity"])},
        "trainer": set(),
    }
    running = {
        service: _described(account, service)["networkConfiguration"]["awsvpcConfiguration"]
        for service in SERVICES
    }
    return [
        *(
            Fact(f"{title}: may be called from", expected[title], _callers(by_id[ids[name]]))
            for name, title in names.items()
        ),
        Fact(
            "webapp: runs in its group",
            [ids["WebappSecurity"]],
            running["webapp"]["securityGroups"],
        ),
        Fact(
            "trainer: runs in its group",
            [ids["TrainerSecurity"]],
            running["trainer"]["securityGroups"],
        ),
    ]


def _callers(group: Mapping[str, Any]) -> set[tuple[object, str]]:
    return {
        (rule.get("FromPort"), who)
        for rule in group["IpPermissions"]
        for who in (
            *(each["CidrIp"] for each in rule["IpRanges"]),
            *(each["CidrIpv6"] for each in rule["Ipv6Ranges"]),
            *(each["GroupId"] for each in rule["UserIdGroupPairs"]),
        )
    }


def _roles(account: Account, out: Mapping[str, str]) -> list[Fact]:
    iam = account.session.client("iam")
    expected = {"trainer": out["TrainerRoleArn"], "webapp": out["WebappRoleArn"]}
    facts = []
    for service in SERVICES:
        made = container(account, service)
        facts.append(Fact(f"{service}: runs as", expected[service], made["taskRoleArn"]))
        for kind in ("taskRoleArn", "executionRoleArn"):
            role = iam.get_role(RoleName=str(made[kind]).rpartition("/")[2])["Role"]
            # The SDK decodes the document, whatever its types say.
            document: Any = role["AssumeRolePolicyDocument"]
            trusted = [each["Principal"] for each in document["Statement"]]
            who = [{"Service": "ecs-tasks.amazonaws.com"}]
            facts.append(Fact(f"{service}: its {kind.removesuffix('Arn')} is for", who, trusted))
    used = {container(account, service)["taskRoleArn"] for service in SERVICES}
    facts.append(Fact("trainer and webapp have roles of their own", 2, len(used)))
    return facts


def _events(account: Account, out: Mapping[str, str]) -> list[Fact]:
    """From an upload to the Lambda, from prepared data to the queue, from failures to the rest."""
    s3, sqs = account.session.client("s3"), account.session.client("sqs")
    function = account.session.client("lambda")
    here = f"{account.region}:{account.id}"
    raw = s3.get_bucket_notification_configuration(Bucket=out["RawBucket"])
    ready = s3.get_bucket_notification_configuration(Bucket=out["ReadyBucket"])
    queue = sqs.get_queue_attributes(QueueUrl=out["QueueUrl"], AttributeNames=["All"])["Attributes"]
    failed = function.get_function_event_invoke_config(
        FunctionName=out["FunctionName"], Qualifier="$LATEST"
    )
    redrive = json.loads(queue.get("RedrivePolicy", "{}"))
    train = f"arn:aws:sqs:{here}:chartbuster-{account.stage}-train"
    return [
        Fact(
            "uploads call the Lambda",
            [f"arn:aws:lambda:{here}:function:{out['FunctionName']}"],
            [each["LambdaFunctionArn"] for each in raw.get("LambdaFunctionConfigurations", [])],
        ),
        Fact(
            "prepared data goes to the queue",
            [train],
            [each["QueueArn"] for each in ready.get("QueueConfigurations", [])],
        ),
        Fact("failed trainings go to", f"{train}-dead-letters", redrive.get("deadLetterTargetArn")),
        Fact(
            "failed uploads go to",
            f"arn:aws:sqs:{here}:chartbuster-{account.stage}-create-data-dead-letters",
            failed.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
        ),
    ]


def _stack(account: Account, part: str) -> str:
    client = account.session.client("cloudformation")
    (stack,) = client.describe_stacks(StackName=account.stack(part))["Stacks"]
    if stack["StackStatus"] == "DELETE_COMPLETE":
        return NOTHING
    last = stack.get("LastUpdatedTime", stack["CreationTime"])
    return f"{stack['StackStatus']} {last.isoformat()}"


def _service(account: Account, service: str) -> dict[str, str]:
    return {
        f"{service} revision": _or_nothing(_revision, account, service),
        f"{service} image": _or_nothing(_image, account, service),
    }


def _described(account: Account, service: str) -> dict[str, Any]:
    ecs = account.session.client("ecs")
    out = outputs(account)
    name = out.get(f"{service.capitalize()}Service")
    if name is None:
        return {}
    services = ecs.describe_services(cluster=out["Cluster"], services=[name])["services"]
    return dict(services[0]) if services else {}


def _revision(account: Account, service: str) -> str:
    """The task definition the service itself runs, whatever the stack says of it."""
    return str(_described(account, service).get("taskDefinition", NOTHING))


def _image(account: Account, service: str) -> str:
    if _revision(account, service) == NOTHING:
        return NOTHING
    return str(container(account, service)["image"])


def _records(account: Account) -> str:
    return " ".join(records(account)) or NOTHING


def _pushed(account: Account, image: str) -> str:
    ecr = account.session.client("ecr")
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=account.repository(image))
    images = sorted(
        f"{tag}@{each['imageDigest']}"
        for page in pages
        for each in page["imageDetails"]
        for tag in each.get("imageTags", ["untagged"])
    )
    return " ".join(images) or NOTHING


def _code(account: Account) -> str:
    """The SHA-256 of the Lambda's code, in the digits `build/manifest.json` has it in."""
    name = f"chartbuster-{account.stage}-create-data"
    found = account.session.client("lambda").get_function(FunctionName=name)
    return base64.b64decode(found["Configuration"]["CodeSha256"]).hex()


def _or_nothing[**P](ask: Callable[P, str], *of: P.args, **more: P.kwargs) -> str:
    try:
        return ask(*of, **more)
    except ClientError as error:
        if _absent(error):
            return NOTHING
        raise


def _absent(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in _ABSENT
