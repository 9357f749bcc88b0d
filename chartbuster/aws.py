"""The ports over S3 and SQS: the only module that imports boto3, and translates its errors.

boto3 reads the region, the credentials and `AWS_ENDPOINT_URL` from the environment by itself, so
nothing here knows whether it talks to AWS or to LocalStack.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chartbuster.errors import ChartBusterError, Conflict, NotFound, Unreachable
from chartbuster.ports import Delivery, Depth, Letter, ObjectInfo, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_MISSING = {
    "404",
    "NoSuchKey",
    "NoSuchBucket",
    "NotFound",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
}
_CONFLICT = {"409", "412", "ConditionalRequestConflict", "PreconditionFailed"}
_LONGEST_REASON = 1_000
_MOST_AT_ONCE = 10

# A long poll holds the connection for 20 s, so the read timeout must outlast it.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 4},
    # Path style reaches buckets through any endpoint, without a name of their own in the DNS.
    s3={"addressing_style": "path"},
)


def s3_store(bucket: str) -> "S3Store":
    """The store over `bucket`, with the SDK's own settings."""
    return S3Store(boto3.client("s3", config=_CONFIG), bucket)


def sqs_queue(url: str, *, dead_letters: str) -> "SqsQueue":
    """The queue at `url`; what is set aside goes to the queue at `dead_letters`."""
    return SqsQueue(boto3.client("sqs", config=_CONFIG), url, dead_letters=dead_letters)


def sqs_postbox(url: str) -> "SqsPostbox":
    """The queue at `url`, to put messages in."""
    return SqsPostbox(boto3.client("sqs", config=_CONFIG), url)


def sqs_dead_letters(url: str) -> "SqsDeadLetters":
    """The dead-letter queue at `url`."""
    return SqsDeadLetters(boto3.client("sqs", config=_CONFIG), url)


class S3Store:
    """An `ObjectStore` over one S3 bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str) -> StoredObject:
        with self._translated("read", key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return StoredObject(answer["Body"].read(), answer["ETag"])

    def etag(self, key: str) -> str | None:
        try:
            with self._translated("look at", key):
                return self._client.head_object(Bucket=self._bucket, Key=key)["ETag"]
        except NotFound:
            return None

    def write(self, key: str, body: bytes) -> str:
        with self._translated("write", key):
            return self._client.put_object(Bucket=self._bucket, Key=key, Body=body)["ETag"]

    def create(self, key: str, body: bytes) -> str:
        with self._translated("create", key):
            return self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*"
            )["ETag"]

    def replace(self, key: str, body: bytes, *, etag: str) -> str:
        try:
            with self._translated("replace", key):
                return self._client.put_object(
                    Bucket=self._bucket, Key=key, Body=body, IfMatch=etag
                )["ETag"]
        except NotFound as error:
            raise Conflict(str(error)) from error

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        with self._translated("list", prefix):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield ObjectInfo(
                        item["Key"],
                        item["ETag"],
                        item["Size"],
                        item["LastModified"].astimezone(UTC),
                    )

    def delete(self, key: str) -> None:
        with self._translated("delete", key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    @contextmanager
    def _translated(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            raise _translated(error, f"could not {verb} s3://{self._bucket}/{key}") from error


class SqsQueue:
    """A `Queue` over SQS. How often a message comes back is the queue's redrive policy."""

    def __init__(self, client: "SQSClient", url: str, *, dead_letters: str) -> None:
        self._client = client
        self._url = url
        self._dead_letters = dead_letters

    def receive(self, *, limit: int, wait: float) -> list[Delivery]:
        with self._translated("receive from"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=limit,
                WaitTimeSeconds=round(wait),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
        return [
            Delivery(
                body=message["Body"],
                receipt=message["ReceiptHandle"],
                attempt=int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for message in answer.get("Messages", [])
        ]

    def done(self, delivery: Delivery) -> None:
        with self._translated("delete from"):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=delivery.receipt)

    def extend(self, delivery: Delivery, *, seconds: int) -> None:
        with self._translated("extend a message of"):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=delivery.receipt, VisibilityTimeout=seconds
            )

    def give_back(self, delivery: Delivery) -> None:
        self.extend(delivery, seconds=0)

    def set_aside(self, delivery: Delivery, *, reason: str) -> None:
        with self._translated("set aside a message of"):
            self._client.send_message(
                QueueUrl=self._dead_letters,
                MessageBody=delivery.body,
                MessageAttributes={
                    "reason": {"DataType": "String", "StringValue": reason[:_LONGEST_REASON]}
                },
            )
        self.done(delivery)

    @contextmanager
    def _translated(self, verb: str) -> Iterator[None]:
        with _about(verb, self._url):
            yield


class SqsPostbox:
    """A `Postbox` over one SQS queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def depth(self) -> Depth:
        return _depth(self._client, self._url)

    def send(self, body: str) -> None:
        with _about("send to", self._url):
            self._client.send_message(QueueUrl=self._url, MessageBody=body)


class SqsDeadLetters:
    """A `DeadLetters` over one SQS queue."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def depth(self) -> Depth:
        return _depth(self._client, self._url)

    def take(self, *, limit: int, seconds: int) -> list[Letter]:
        taken: dict[str, Letter] = {}
        while len(taken) < limit and (more := self._receive(limit - len(taken), seconds)):
            # A queue may deliver twice; the later receipt is the one that counts.
            taken |= {letter.id: letter for letter in more}
        return sorted(taken.values(), key=lambda letter: (letter.sent, letter.id))

    def give_back(self, letters: Iterable[Letter]) -> None:
        for some in batched(letters, _MOST_AT_ONCE, strict=False):
            with _about("give back messages of", self._url):
                self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(n), "ReceiptHandle": letter.receipt, "VisibilityTimeout": 0}
                        for n, letter in enumerate(some)
                    ],
                )

    def remove(self, letter: Letter) -> None:
        with _about("delete from", self._url):
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def _receive(self, most: int, seconds: int) -> list[Letter]:
        with _about("receive from", self._url):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(most, _MOST_AT_ONCE),
                VisibilityTimeout=seconds,
                # A short wait asks all of SQS's servers; without one a letter may be missed.
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["reason"],
            )
        return [_letter(message) for message in answer.get("Messages", [])]


def _letter(message: "MessageTypeDef") -> Letter:
    attributes = message.get("MessageAttributes") or {}
    milliseconds = int(message["Attributes"]["SentTimestamp"])
    return Letter(
        id=message["MessageId"],
        body=message["Body"],
        reason=attributes["reason"].get("StringValue", "") if "reason" in attributes else "",
        sent=datetime.fromtimestamp(milliseconds / 1000, UTC),
        receipt=message["ReceiptHandle"],
    )


def _depth(client: "SQSClient", url: str) -> Depth:
    with _about("ask for the depth of", url):
        found = client.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesDelayed",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
    waiting = int(found.get("ApproximateNumberOfMessages", 0))
    delayed = int(found.get("ApproximateNumberOfMessagesDelayed", 0))
    hidden = int(found.get("ApproximateNumberOfMessagesNotVisible", 0))
    return Depth(waiting=waiting, in_hand=delayed + hidden)


@contextmanager
def _about(verb: str, url: str) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise _translated(error, f"could not {verb} {url}") from error


def _translated(error: BotoCoreError | ClientError, what: str) -> ChartBusterError:
    """The error of our tree that says the same as the SDK's."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING:
            return NotFound(f"{what}: it is not there ({code})")
        if code in _CONFLICT:
            return Conflict(f"{what}: somebody else's version is there ({code})")
        return Unreachable(f"{what}: {error}")
    return Unreachable(f"{what}: {error}")
