"""The stack in a real account; only ever asked for by name: `make verify TARGET=aws`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.data import stack_name
from infra.stacks import outputs
from tests.acceptance.targets.target import NotOffered, Running

_QUICKLY = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
_HOW = (
    "sign in (AWS_PROFILE=name, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), then "
    "AWS_REGION=region make verify TARGET=aws STAGE=stage"
)


@dataclass(frozen=True)
class Aws:
    """The stage that STAGE names, in the account of whoever runs this.

    Session and outputs are those of the moment `missing` is first asked: before the tests put the
    person's credentials out of everybody's sight. Nothing is brought up or taken down.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    name: str = "aws"
    about: str = "an AWS account"
    emulator: str = ""
    known_differences: Mapping[str, str] = field(default_factory=dict)
    # The first message after a quiet night wakes the trainer within 15 minutes.
    patience: float = 1_500.0

    def missing(self) -> str | None:
        try:
            self._session.client("sts", config=_QUICKLY).get_caller_identity()
            found = self._outputs
        except (BotoCoreError, ClientError) as error:
            return f"no AWS account answers ({error}); {_HOW}"
        if "RawBucket" not in found:
            return f"the account has no stack {stack_name(self._stage)}; {_HOW}"
        if "WebUrl" not in found:
            return f"no stack says where the app is; {_HOW} WEB_URL=https://..."
        return None

    @contextmanager
    def up(self, folder: Path) -> Iterator[Running]:
        yield Running(self._outputs, self._session, restart)

    @cached_property
    def _session(self) -> boto3.Session:
        """With credentials already found, so that it needs nothing of the environment later."""
        # The SDK for Python alone does not know AWS_REGION.
        session = boto3.Session(region_name=self.environ.get("AWS_REGION"))
        session.get_credentials()
        return session

    @cached_property
    def _stage(self) -> str:
        return self.environ.get("STAGE") or "dev"

    @cached_property
    def _outputs(self) -> dict[str, str]:
        client = self._session.client("cloudformation", config=_QUICKLY)
        said = {"Endpoint": "AWS_ENDPOINT_URL", "WebUrl": "WEB_URL"}
        return {
            **outputs(client, stack_name(self._stage)),
            **outputs(client, f"chartbuster-{self._stage}-compute"),
            **{name: self.environ[key] for name, key in said.items() if self.environ.get(key)},
        }


def restart() -> None:
    """Not of an account: that would be a deployment."""
    raise NotOffered("restarting the services of an AWS account is not offered yet")
