"""What a stage consists of, as CloudFormation knows it: its stacks and their resources."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from chartbuster.aws import S3Store
from chartbuster.errors import NotFound
from compose.announcing import Buckets
from scripts.aws.account import Account
from scripts.aws.templates import PARTS

_NOT_OFFERED = {
    *("InternalFailure", "NotImplemented", "NotImplementedException"),
    *("InvalidAction", "UnknownOperationException", "UnsupportedOperation"),
}


@dataclass(frozen=True)
class Resource:
    """One resource of a stack; `id` is its name or ARN, `type` like AWS::S3::Bucket."""

    name: str
    id: str
    type: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Stack:
    """One deployed stack of a stage; `part` is one of PARTS."""

    part: str
    name: str
    status: str
    parameters: dict[str, str]
    outputs: dict[str, str]
    resources: tuple[Resource, ...]

    def ids(self, type_: str) -> tuple[str, ...]:
        """The names or ARNs of its resources of one type."""
        return tuple(each.id for each in self.resources if each.type == type_ and each.id)


def stack_of(account: Account, part: str) -> Stack | None:
    """One stack of the stage, or None where it does not exist (any more)."""
    client, name = account.session.client("cloudformation"), account.stack(part)
    try:
        (found,) = client.describe_stacks(StackName=name)["Stacks"]
        listed = client.describe_stack_resources(StackName=name)["StackResources"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if found["StackStatus"] == "DELETE_COMPLETE":
        return None
    return Stack(
        part=part,
        name=name,
        status=found["StackStatus"],
        parameters={
            each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])
        },
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])},
        resources=tuple(
            Resource(
                name=each["LogicalResourceId"],
                id=each.get("PhysicalResourceId", ""),
                type=each["ResourceType"],
                status=each["ResourceStatus"],
                reason=each.get("ResourceStatusReason", ""),
            )
            for each in listed
            if each["ResourceStatus"] != "DELETE_COMPLETE"
        ),
    )


def stacks_of(account: Account) -> tuple[Stack, ...]:
    """The stacks of the stage that exist, in the order of PARTS."""
    found = (stack_of(account, part) for part in PARTS)
    return tuple(stack for stack in found if stack is not None)


def outputs_of(stacks: Iterable[Stack]) -> dict[str, str]:
    """The outputs of all `stacks` together; of two with one name, the later stack's."""
    return {name: value for stack in stacks for name, value in stack.outputs.items()}


def is_not_offered(account: Account, error: ClientError) -> bool:
    """Whether `error` says that the stand-in lacks the service or the call; never so on AWS."""
    answer = error.response
    return account.is_stand_in and (
        answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 501
        or answer.get("Error", {}).get("Code") in _NOT_OFFERED
    )


def buckets_of(account: Account, outputs: Mapping[str, str]) -> Buckets:
    """The stage's three buckets; raises `NotFound` where it has none."""
    names = ("RawBucket", "ReadyBucket", "ArtifactsBucket")
    if not outputs.keys() >= set(names):
        raise NotFound(
            f"{account.stack('data')} is not deployed in account {account.id}, {account.region}; "
            f"`make deploy-aws STAGE={account.stage}` deploys it"
        )
    client = account.session.client("s3")
    raw, ready, artifacts = (S3Store(client, outputs[name]) for name in names)
    return Buckets(raw, ready, artifacts)
