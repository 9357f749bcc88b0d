"""Buckets, queues and stacks of a probe's own, removed when it is done."""

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from infra import stacks
from infra.stacks import DeploymentFailed
from tests.acceptance.stack import Stack

_SETTLED = ("COMPLETE", "FAILED")


@dataclass(frozen=True)
class Laboratory:
    """Where a probe works: the services of a stack's emulator, and none of the stack's own things.

    What it makes has a name nobody has used, and is gone afterwards as far as the emulator lets go.
    """

    stack: Stack
    _afterwards: ExitStack = field(default_factory=ExitStack)

    def bucket(self, *, announcing: str = "") -> "Bucket":
        """A bucket, whose events go to the queue with the URL `announcing` where there is one."""
        s3, name = self.stack.client("s3"), _name()
        s3.create_bucket(Bucket=name)
        made = Bucket(s3, name)
        self._afterwards.callback(made.remove)
        if announcing:
            s3.put_bucket_notification_configuration(
                Bucket=name,
                NotificationConfiguration={
                    "QueueConfigurations": [
                        {"QueueArn": self._arn(announcing), "Events": ["s3:ObjectCreated:*"]}
                    ]
                },
            )
        return made

    def queue(self) -> "Queue":
        """A queue that S3 may send to."""
        sqs = self.stack.sqs
        url = sqs.create_queue(QueueName=_name())["QueueUrl"]
        self._afterwards.callback(sqs.delete_queue, QueueUrl=url)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self._arn(url),
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return Queue(sqs, url)

    def cloudformation(self) -> "Cloudformation":
        """CloudFormation, with one stack that is there only once it is applied."""
        made = Cloudformation(self.stack.client("cloudformation"), _name())
        self._afterwards.callback(made.remove)
        return made

    def s3_client(self) -> Any:
        """S3 without anything of its own."""
        return self.stack.client("s3")

    def _arn(self, url: str) -> str:
        found = self.stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return found["Attributes"]["QueueArn"]


@contextmanager
def laboratory(stack: Stack) -> Iterator[Laboratory]:
    """A laboratory that is cleared on leaving."""
    made = Laboratory(stack)
    with made._afterwards:
        yield made


@dataclass(frozen=True)
class Bucket:
    """A probe's bucket."""

    s3: Any
    name: str

    def put(self, key: str, body: bytes = b"x", **more: str) -> str:
        """Write an object; returns its ETag."""
        etag: str = self.s3.put_object(Bucket=self.name, Key=key, Body=body, **more)["ETag"]
        return etag

    def remove(self) -> None:
        """Remove the bucket with everything in it; one that is gone is fine."""
        with contextlib.suppress(ClientError):
            for item in self.s3.list_objects_v2(Bucket=self.name).get("Contents", []):
                self.s3.delete_object(Bucket=self.name, Key=item["Key"])
            self.s3.delete_bucket(Bucket=self.name)


@dataclass(frozen=True)
class Queue:
    """A probe's queue."""

    sqs: Any
    url: str

    def send(self, body: str = "x", **more: Any) -> None:
        """Send a message."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **more)

    def receive(self, *, wait: int = 0, hidden: int = 30) -> dict[str, Any] | None:
        """One message that is there within `wait` seconds, hidden from then on."""
        answer = self.sqs.receive_message(
            QueueUrl=self.url, WaitTimeSeconds=wait, VisibilityTimeout=hidden
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found[0] if found else None

    def bodies(self, *, wait: int = 2) -> list[dict[str, Any]]:
        """Every message as JSON, until none has come for `wait` seconds; they are removed."""
        found = list[dict[str, Any]]()
        while (message := self.receive(wait=wait)) is not None:
            found.append(json.loads(message["Body"]))
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return found


@dataclass(frozen=True)
class Cloudformation:
    """A probe's CloudFormation stack."""

    client: Any
    stack: str

    def apply(
        self, resources: Mapping[str, Any], outputs: Mapping[str, Any] = MappingProxyType({})
    ) -> dict[str, str]:
        """Make the stack consist of these; returns its outputs. Raises `DeploymentFailed`."""
        body = json.dumps({"Resources": resources, "Outputs": dict(outputs)})
        return stacks.apply(self.client, stacks.plan(self.client, self.stack, body, {}))

    def unchanged(self, resources: Mapping[str, Any]) -> str:
        """What is said of a change set that changes nothing."""
        body = json.dumps({"Resources": resources, "Outputs": {}})
        self.client.create_change_set(
            StackName=self.stack, ChangeSetName="nothing", ChangeSetType="UPDATE", TemplateBody=body
        )
        while True:
            answer = self.client.describe_change_set(StackName=self.stack, ChangeSetName="nothing")
            if answer["Status"] in {"FAILED", "CREATE_COMPLETE"}:
                return f"{answer['Status']}: {answer.get('StatusReason', 'no reason')}"
            time.sleep(0.2)

    def remove(self) -> str:
        """Delete the stack; returns the status that ends in, empty when it is gone."""
        with contextlib.suppress(ClientError):
            self.client.delete_stack(StackName=self.stack)
            for _ in range(100):
                (found,) = self.client.describe_stacks(StackName=self.stack)["Stacks"]
                status: str = found["StackStatus"]
                if status.endswith(_SETTLED):
                    return "" if status == "DELETE_COMPLETE" else status
                time.sleep(0.2)
        return ""


def answer(call: Callable[[], object]) -> str:
    """How a call is answered: `ok`, or the status and code of the error."""
    try:
        call()
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return f"{status} {error.response['Error']['Code']}"
    except DeploymentFailed:
        return "refused"
    return "ok"


def _name() -> str:
    return f"chartbuster-probe-{uuid.uuid4().hex[:12]}"
