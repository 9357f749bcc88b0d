"""The account, the region and the stage a program works on, known before anything is done.

Everything here goes through the SDK's own settings: a profile or keys, a region, and
`AWS_ENDPOINT_URL`, which nobody sets for AWS and a stand-in needs.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chartbuster.errors import Misconfigured

_STAGE = re.compile(r"[a-z][a-z0-9-]{0,15}")
_QUICKLY = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
_SIGN_IN = (
    "sign in first: AWS_PROFILE=name, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "and AWS_REGION=region"
)


@dataclass(frozen=True)
class Account:
    """Where a program works: the account `id`, its `region`, and the `stage` in it.

    `endpoint` is where the SDK sends its calls instead of to AWS, and empty for AWS itself.
    """

    id: str
    region: str
    stage: str
    endpoint: str
    session: boto3.Session = field(repr=False, compare=False)

    @property
    def is_stand_in(self) -> bool:
        """Whether this is an emulator on this machine, which nothing may leave for elsewhere."""
        return bool(self.endpoint)

    def stack(self, part: str) -> str:
        """The name of one of the stage's stacks: bootstrap, data, compute or scaling."""
        return f"chartbuster-{self.stage}-{part}"

    def repository(self, image: str) -> str:
        """The name of the ECR repository of an image: trainer or webapp."""
        return f"chartbuster-{self.stage}/{image}"

    def reachable(self, url: str) -> str:
        """`url`, when a program of this account may call it; raises `Misconfigured`."""
        if self.is_stand_in and not is_loopback(url):
            raise Misconfigured(
                f"AWS_ENDPOINT_URL is {self.endpoint}, so nothing may leave this machine, and "
                f"{url} is elsewhere; expected an address on 127.0.0.1"
            )
        return url


def account_of(environ: Mapping[str, str] = os.environ) -> Account:
    """Who is signed in, where, and for which STAGE (`dev` unless it is set); within 5 seconds.

    Raises `Misconfigured` that says what to set: without credentials or region, for an impossible
    stage, and for an endpoint that is neither AWS's nor on this machine.
    """
    stage = environ.get("STAGE") or "dev"
    if not _STAGE.fullmatch(stage):
        raise Misconfigured(
            f"STAGE is {stage!r}; expected 1 to 16 lower-case letters, digits or hyphens, "
            "beginning with a letter"
        )
    try:
        # The SDK for Python alone does not know AWS_REGION.
        session = boto3.Session(region_name=environ.get("AWS_REGION") or None)
        if session.region_name is None:
            raise Misconfigured(f"no region is set, like AWS_REGION=us-east-1; {_SIGN_IN}")
        client = session.client("sts", config=_QUICKLY)
        endpoint = _endpoint(client.meta.endpoint_url, environ)
        found = client.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise Misconfigured(f"no AWS account answers ({error}); {_SIGN_IN}") from error
    return Account(found, session.region_name, stage, endpoint, session)


def is_loopback(url: str) -> bool:
    """Whether `url` names this machine by an address that never leaves it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _endpoint(url: str, environ: Mapping[str, str]) -> str:
    if (urlsplit(url).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return ""
    if not is_loopback(url):
        raise Misconfigured(
            f"AWS_ENDPOINT_URL is {url}; expected it unset for AWS, or an address on 127.0.0.1"
        )
    others = {
        name: value
        for name, value in environ.items()
        if name.startswith("AWS_ENDPOINT_URL_") and not is_loopback(value)
    }
    if others:
        raise Misconfigured(
            f"{', '.join(sorted(others))} would leave this machine while AWS_ENDPOINT_URL is "
            f"{url}; unset it"
        )
    return url
