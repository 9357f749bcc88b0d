"""The account, the region and the stage a program works on, known before anything is done.

Everything here goes through the SDK's own settings: a profile or keys, a region, and
`AWS_ENDPOINT_URL`, which nobody sets for AWS and a stand-in needs. With a stand-in, nothing leaves
this machine: `at_home` says what of the environment would, and the SDK's requests are looked at.
"""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound
from botocore.session import Session as CoreSession

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
        endpoint = _endpoint(session, environ)
        if endpoint:
            _check_engine(environ)
            session.events.register_first("before-send", _stays_here)
        found = session.client("sts", config=_QUICKLY).get_caller_identity()["Account"]
    except ProfileNotFound as error:
        known = " or ".join(CoreSession().available_profiles) or "no profile, since there is none"
        raise Misconfigured(f"{error}; expected AWS_PROFILE to name {known}") from error
    except (BotoCoreError, ClientError) as error:
        raise Misconfigured(f"no AWS account answers ({error}); {_SIGN_IN}") from error
    return Account(found, session.region_name, stage, endpoint, session)


def at_home(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for a program that works on a stand-in: without what would lead elsewhere.

    Those are proxies, which the SDK and others would send even calls to this machine through, and
    the places on the network where credentials are looked for. Without AWS_ENDPOINT_URL nothing
    changes: for AWS they are the person's own affair.
    """
    if not environ.get("AWS_ENDPOINT_URL"):
        return dict(environ)
    return {
        name: value
        for name, value in environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("AWS_CONTAINER_CREDENTIALS_")
    } | {"AWS_EC2_METADATA_DISABLED": "true"}


def is_loopback(url: str) -> bool:
    """Whether `url` names this machine by an address that never leaves it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _endpoint(session: boto3.Session, environ: Mapping[str, str]) -> str:
    """Where the SDK would send its calls, or "" for AWS; asks nobody, for credentials neither."""
    nobody = "nobody"
    client = session.client("sts", aws_access_key_id=nobody, aws_secret_access_key=nobody)
    url = client.meta.endpoint_url
    others = {
        name: value
        for name, value in environ.items()
        if name.startswith("AWS_ENDPOINT_URL_") and value
    }
    if _is_of_aws(url):
        if said := environ.get("AWS_ENDPOINT_URL"):
            raise Misconfigured(
                f"AWS_ENDPOINT_URL is {said}, but the SDK would call {url}; unset "
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS and AWS_ENDPOINT_URL_STS"
            )
        strange = {name for name, value in others.items() if not _is_of_aws(value)}
    elif not is_loopback(url):
        raise Misconfigured(
            f"the SDK would call {url}; expected AWS_ENDPOINT_URL unset for AWS, or an address on "
            "127.0.0.1"
        )
    elif not environ.get("AWS_ENDPOINT_URL"):
        raise Misconfigured(
            f"a part of the SDK's settings says {url}; say it for all services: "
            f"AWS_ENDPOINT_URL={url}"
        )
    else:
        strange = {name for name, value in others.items() if not is_loopback(value)}
    if strange:
        raise Misconfigured(
            f"{', '.join(sorted(strange))} would lead elsewhere than {url}, where all other calls "
            "go; unset it"
        )
    return "" if _is_of_aws(url) else url


def _check_engine(environ: Mapping[str, str]) -> None:
    """The engine that pushes images to a stand-in is on this machine, or they would leave it."""
    engine = environ.get("DOCKER_HOST", "")
    if engine and urlsplit(engine).hostname and not is_loopback(engine):
        raise Misconfigured(
            f"DOCKER_HOST is {engine}, so images would leave this machine while AWS_ENDPOINT_URL "
            "is an address on it; unset it"
        )


def _is_of_aws(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _stays_here(request: AWSPreparedRequest, **_kwargs: object) -> None:
    """The last look at a request of a stand-in's session, whatever setting was overlooked."""
    if not is_loopback(request.url):
        raise Misconfigured(
            f"a call would leave this machine for {request.url} while AWS_ENDPOINT_URL is an "
            "address on it"
        )
