"""The running stack as the programs behind the Makefile see it: its outputs, and stores over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from chartbuster.aws import S3Store
from chartbuster.errors import NotFound
from chartbuster.ports import ObjectStore
from compose import embedded
from compose.composed import Composed
from compose.environment import local_aws, of_services
from compose.layout import Layout

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Running:
    """A stack that is up; `outputs` are those of `make outputs`."""

    outputs: Mapping[str, str]

    @property
    def raw(self) -> ObjectStore:
        return self._store("RawBucket")

    @property
    def ready(self) -> ObjectStore:
        return self._store("ReadyBucket")

    @property
    def artifacts(self) -> ObjectStore:
        return self._store("ArtifactsBucket")

    @property
    def web_url(self) -> str:
        return self.outputs["WebUrl"]

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find this stack, by the names the trainer and the app read."""
        return of_services(self.outputs["Endpoint"], self.outputs)

    @property
    def sqs(self) -> "SQSClient":
        """The queues of this stack."""
        return boto3.client("sqs", **self._access())

    @property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs, where the Lambda writes."""
        return boto3.client("logs", **self._access())

    def _store(self, output: str) -> ObjectStore:
        client = boto3.client(
            "s3",
            config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard"}),
            **self._access(),
        )
        return S3Store(client, self.outputs[output])

    def _access(self) -> dict[str, Any]:
        fake = local_aws(self.outputs["Endpoint"])
        return {
            "endpoint_url": self.outputs["Endpoint"],
            "region_name": fake["AWS_REGION"],
            "aws_access_key_id": fake["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": fake["AWS_SECRET_ACCESS_KEY"],
        }


def running_stack(root: Path = ROOT) -> Running:
    """The stack of the checkout at `root`, however it runs; raises `NotFound` when none is up."""
    try:
        return Running(embedded.outputs(Layout(root)))
    except NotFound:
        return Running(Composed.of(root).outputs())
