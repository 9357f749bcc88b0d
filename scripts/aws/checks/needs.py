"""Which right an AWS call needs: the operations of the SDK as actions and resources of IAM.

IAM's names are not the operations': one that looks is a right to read, one that lists an object's
right on the bucket, and a batch needs what its single messages need.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_ON_OBJECTS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
}
_ON_BUCKETS = {"ListObjectsV2": "s3:ListBucket"}
_ON_QUEUES = {
    "ChangeMessageVisibility": "sqs:ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "DeleteMessage": "sqs:DeleteMessage",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
    "ReceiveMessage": "sqs:ReceiveMessage",
    "SendMessage": "sqs:SendMessage",
    "SendMessageBatch": "sqs:SendMessage",
}
_READS = frozenset({"GetObject", "HeadObject"})


@dataclass(frozen=True)
class Asked:
    """One call as it reached the service; `missing` where it was answered that nothing is there."""

    service: str
    operation: str
    parameters: Mapping[str, str]
    missing: bool = False


@dataclass(frozen=True, order=True)
class Need:
    """An action of IAM on a resource: an ARN, which ends in `*` where it stands for a folder."""

    action: str
    resource: str


def needs(asked: Asked, *, account: str, region: str) -> frozenset[Need]:
    """The rights `asked` takes to be answered as it was.

    Objects are told apart by the first folder of their keys. Raises `ValueError` for an operation
    nobody has thought about yet.
    """
    operation, given = asked.operation, asked.parameters
    match asked.service:
        case "s3" if operation in _ON_OBJECTS and not given.get("CopySource"):
            found = {_on_object(_ON_OBJECTS[operation], given)}
            if operation in _READS and asked.missing:
                # Without the right to list, S3 says "forbidden" of what is not there.
                found.add(_on_bucket("s3:ListBucket", given))
            if given.get("IfMatch"):
                # To be told what an object's ETag is not is to be told of the object.
                found.add(_on_object("s3:GetObject", given))
            return frozenset(found)
        case "s3" if operation in _ON_BUCKETS:
            return frozenset({_on_bucket(_ON_BUCKETS[operation], given)})
        case "sqs" if operation in _ON_QUEUES:
            name = given["QueueUrl"].rsplit("/", 1)[1]
            return frozenset(
                {Need(_ON_QUEUES[operation], f"arn:aws:sqs:{region}:{account}:{name}")}
            )
    known = ", ".join(sorted({*_ON_OBJECTS, *_ON_BUCKETS, *_ON_QUEUES}))
    raise ValueError(
        f"the operation {asked.service} {operation} of {dict(given)}; expected one of {known}. Say "
        "in scripts/aws/checks/needs.py which right it needs"
    )


def _on_object(action: str, given: Mapping[str, str]) -> Need:
    folder, slash, _ = given["Key"].partition("/")
    pattern = f"{folder}/*" if slash else folder
    return Need(action, f"arn:aws:s3:::{given['Bucket']}/{pattern}")


def _on_bucket(action: str, given: Mapping[str, str]) -> Need:
    return Need(action, f"arn:aws:s3:::{given['Bucket']}")
