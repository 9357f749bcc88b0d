"""The stack in a real account; only ever asked for by name: `make verify TARGET=aws`."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.data import stack_name
from infra.stacks import outputs
from tests.acceptance.targets.target import NotOffered, Running

_QUICKLY = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
_HOW = (
    "to verify a stack on AWS, sign in (AWS_PROFILE=name, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY) and say which: AWS_REGION=region make verify TARGET=aws STAGE=stage"
)


@dataclass(frozen=True)
class Aws:
    """The CloudFormation stacks of the stage that STAGE names, in the person's own account.

    The session is taken when `missing` is first asked, before the tests put the person's
    credentials out of everybody's sight.
    """

    name: str = "aws"
    about: str = "an AWS account"
    emulator: str = ""
    known_differences: Mapping[str, str] = field(default_factory=dict)
    # The first message after a quiet night wakes the trainer within 15 minutes.
    patience: float = 1_500.0

    def missing(self) -> str | None:
        try:
            _person().client("sts", config=_QUICKLY).get_caller_identity()
            found = _outputs()
        except (BotoCoreError, ClientError) as error:
            return f"no AWS account answers ({error}); {_HOW}"
        if "RawBucket" not in found:
            return f"the account has no stack {stack_name(_stage())!r}; {_HOW}"
        if "WebUrl" not in found:
            return f"nobody says where the app is: set WEB_URL=https://...; {_HOW}"
        return None

    @contextmanager
    def up(self, folder: Path) -> Iterator[Running]:
        def restart() -> None:
            raise NotOffered("restarting the services of an AWS account is not offered yet")

        yield Running(_outputs(), _person(), restart)


@cache
def _person() -> boto3.Session:
    """The account of whoever runs this, with credentials already found."""
    session = boto3.Session()
    session.get_credentials()
    return session


@cache
def _stage() -> str:
    return os.environ.get("STAGE") or "dev"


@cache
def _outputs() -> dict[str, str]:
    client = _person().client("cloudformation", config=_QUICKLY)
    stage = _stage()
    web = {"WebUrl": os.environ["WEB_URL"]} if os.environ.get("WEB_URL") else {}
    return {**outputs(client, stack_name(stage)), **outputs(client, _compute(stage)), **web}


def _compute(stage: str) -> str:
    return f"chartbuster-{stage}-compute"
