"""A running stack as anybody with its outputs sees it: buckets, queues, runs and champions."""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import boto3
from botocore.config import Config

from chartbuster import layout as keys
from chartbuster.aws import S3Store
from chartbuster.demo.catalogue import as_csv, generate
from chartbuster.errors import NotFound
from chartbuster.identity import dataset_version, upload_id
from chartbuster.registry import Registry, RunManifest
from tests.waiting import until

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_PATH_STYLE = Config(s3={"addressing_style": "path"})


@dataclass(frozen=True)
class Upload:
    """One file that was put into the raw bucket; `id` is its upload id."""

    key: keys.RawKey
    id: str

    @property
    def dataset(self) -> str:
        return self.key.dataset

    @property
    def ready(self) -> str:
        """The key of what is prepared from it for the trainer."""
        return str(keys.ReadyKey(self.key, self.id))


@dataclass(frozen=True)
class Stack:
    """A stack with these `outputs`; without an Endpoint among them it is on AWS.

    `patience` is how long, in seconds, an upload may take to its champion.
    """

    outputs: Mapping[str, str]
    session: boto3.Session
    patience: float

    def client(self, service: str) -> Any:
        """The SDK's client for one of AWS's services."""
        return self.session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.outputs.get("Endpoint"),
            config=_PATH_STYLE if service == "s3" else None,
        )

    @cached_property
    def raw(self) -> S3Store:
        return S3Store(self.client("s3"), self.outputs["RawBucket"])

    @cached_property
    def ready(self) -> S3Store:
        return S3Store(self.client("s3"), self.outputs["ReadyBucket"])

    @cached_property
    def artifacts(self) -> S3Store:
        return S3Store(self.client("s3"), self.outputs["ArtifactsBucket"])

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.artifacts)

    @cached_property
    def sqs(self) -> "SQSClient":
        found: SQSClient = self.client("sqs")
        return found

    def until(self, come: Callable[[], bool], what: str) -> None:
        """Wait for what the stack does by itself."""
        until(come, seconds=self.patience, what=what)

    def upload(self, dataset: str, body: bytes, *, file: str = "songs.csv") -> Upload:
        """Put a file, as a person would."""
        key = keys.RawKey(dataset, file)
        self.raw.write(str(key), body)
        return Upload(key, upload_id(body))

    def trained(self, dataset: str, body: bytes, *, file: str = "songs.csv") -> Upload:
        """Put a file, and wait until its run has met the champion and nothing is left to do."""
        upload = self.upload(dataset, body, file=file)
        self.until(lambda: self.decided(upload), f"a champion of {dataset}")
        self.until(self.is_idle, "the end of all work")
        return upload

    def report(self, upload: Upload) -> dict[str, Any] | None:
        """The Lambda's report of an upload, once there."""
        return _json(self.ready, upload.key.prepared(upload.id, keys.REPORT))

    def current(self, key: keys.RawKey) -> str | None:
        """The id of the upload that `current.json` names."""
        return (_json(self.ready, key.current) or {}).get("upload_id")

    def runs(self, dataset: str) -> list[RunManifest]:
        """The runs that were held against the champion of `dataset`, in the order they first were.

        Asked of the champion's history, so that it costs little however many runs there are.
        """
        champion = self.registry.champion(dataset)
        history = champion.history if champion else ()
        return [self.registry.manifest(run) for run in dict.fromkeys(d.run_id for d in history)]

    def decided(self, *uploads: Upload) -> bool:
        """Whether the run of these uploads of one dataset was held against the champion."""
        champion = self.registry.champion(uploads[0].dataset)
        if champion is None:
            return False
        version = dataset_version(upload.id for upload in uploads)
        runs = self.runs(uploads[0].dataset)
        return any(run.dataset_version == version and champion.has_met(run.run_id) for run in runs)

    def is_idle(self) -> bool:
        """Whether no message waits for the trainer, and none is in its hands."""
        waiting = self.sqs.get_queue_attributes(
            QueueUrl=self.outputs["QueueUrl"],
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return all(int(count) == 0 for count in waiting.values())

    def see_through_everything_so_far(self) -> None:
        """Wait until whatever was announced before now has been looked at.

        Another dataset's upload comes after it, so when that is done, so is what was before.
        """
        self.trained(fresh("afterwards"), songs())

    def of(self, dataset: str) -> dict[str, str]:
        """Every object prepared, trained or noted for `dataset`, with its ETag."""
        places = [
            (self.ready, keys.dataset_prefix(dataset)),
            (self.artifacts, keys.champion(dataset)),
            (self.artifacts, keys.progress(dataset)),
            *((self.artifacts, f"{keys.RUNS}{run.run_id}/") for run in self.runs(dataset)),
        ]
        return {item.key: item.etag for store, prefix in places for item in store.list(prefix)}

    def message(self, upload: Upload) -> str:
        """What S3 says to the train queue when an upload's ready data has arrived."""
        bucket = self.outputs["ReadyBucket"]
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "s3SchemaVersion": "1.0",
                "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
                "object": {
                    "key": quote_plus(upload.ready, safe="/"),
                    "eTag": str(self.ready.etag(upload.ready)).strip('"'),
                },
            },
        }
        return json.dumps({"Records": [record]})

    def take(self, queue: str, text: str) -> list[dict[str, Any]]:
        """Remove the messages with `text` in their body from a dead-letter queue; returns them."""
        url = self.outputs[queue]
        answer = self.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=1,
            VisibilityTimeout=5,
            MessageAttributeNames=["All"],
        )
        found: list[dict[str, Any]] = []
        for message in answer.get("Messages", []):
            if text in message["Body"]:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append({**message})
        return found


def fresh(name: str) -> str:
    """A dataset's name that no stack has seen."""
    return f"{name}-{uuid.uuid4().hex[:8]}"


def songs(count: int = 200, *, loved: str = "energy", hated: bool = False) -> bytes:
    """A catalogue no stack has seen, whose popularity follows one attribute from 0 to 1.

    So some model finds it out and beats the baseline, and one that learnt from songs whose
    attribute is `hated` is beaten by one that learnt from songs where it is loved.
    """
    table = generate(count, seed=uuid.uuid4().int % 2**32)
    liking = 1 - table[loved] if hated else table[loved]
    return as_csv(table.assign(popularity=(100 * liking).round().astype("int64")))


def _json(store: S3Store, key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(store.read(key).body)
    except NotFound:
        return None
    return found
