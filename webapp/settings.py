"""What the app is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from chartbuster.errors import Misconfigured
from chartbuster.operators import Operators

_NAMES = {
    "RAW_BUCKET": "the bucket uploads go to, like 'chartbuster-local-000000000000-raw'",
    "READY_BUCKET": "the bucket of prepared data, like 'chartbuster-local-000000000000-ready'",
    "ARTIFACTS_BUCKET": "the bucket with runs and champions, like "
    "'chartbuster-local-000000000000-artifacts'",
    "TRAIN_QUEUE_URL": "the URL of the queue of trainings, as `make status` gives it",
    "TRAIN_DEAD_LETTER_QUEUE_URL": "the URL of the queue of trainings that failed",
    "LAMBDA_DEAD_LETTER_QUEUE_URL": "the URL of the queue of uploads that create_data failed on",
}

_CALLBACK = "/oauth2callback"
_SHORTEST_SECRET = 32
_SIGN_IN = {
    "OIDC_METADATA_URL": "where the OpenID Connect provider describes itself, like "
    "'https://id.example.com/.well-known/openid-configuration'",
    "OIDC_CLIENT_ID": "the id the provider knows this app by",
    "OIDC_CLIENT_SECRET": "the secret that goes with OIDC_CLIENT_ID",
    "OIDC_REDIRECT_URI": f"the app's own address and {_CALLBACK}, like "
    f"'https://chartbuster.example.com{_CALLBACK}'",
    "COOKIE_SECRET": f"{_SHORTEST_SECRET} or more random characters, the same in every replica",
    "OPERATOR_CLAIM": "the claim that makes somebody an operator, like 'groups'",
    "OPERATOR_VALUE": "what that claim must be or hold, like 'chartbuster-operators'",
}
_SCOPE = "openid email profile"
# Tokens that travel in the open are anybody's, except where they never leave the machine.
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class SignIn:
    """People sign in with an OpenID Connect provider; who may operate is told by a claim.

    `cookie_secret` signs the cookie that says who somebody is, so every replica needs the same.
    """

    metadata_url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    cookie_secret: str = field(repr=False)
    operators: Operators
    scope: str = _SCOPE

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self | None:
        """The sign-in that `env` asks for, or None where it mentions none.

        Raises `Misconfigured` naming everything that is missing or makes no sense; a secret's
        value is never named.
        """
        given = {name: env.get(name, "").strip() for name in _SIGN_IN}
        if not any(given.values()):
            return None
        faults = [
            f"{name} is not set; expected {_SIGN_IN[name]}" for name in given if not given[name]
        ]
        faults += [
            f"{name} is {given[name]!r}; expected an address with https://, or http:// on this "
            f"machine alone: {_SIGN_IN[name]}"
            for name in ("OIDC_METADATA_URL", "OIDC_REDIRECT_URI")
            if given[name] and not _safe(given[name])
        ]
        redirect, secret = given["OIDC_REDIRECT_URI"], given["COOKIE_SECRET"]
        if redirect and _safe(redirect) and not redirect.endswith(_CALLBACK):
            faults.append(
                f"OIDC_REDIRECT_URI is {redirect!r}; expected {_SIGN_IN['OIDC_REDIRECT_URI']}"
            )
        if secret and len(secret) < _SHORTEST_SECRET:
            faults.append(
                f"COOKIE_SECRET has {len(secret)} characters; expected {_SIGN_IN['COOKIE_SECRET']}"
            )
        if faults:
            raise Misconfigured(
                ". ".join(faults)
                + ". Sign-in needs all of these; without any of them there is none"
            )
        return cls(
            metadata_url=given["OIDC_METADATA_URL"],
            client_id=given["OIDC_CLIENT_ID"],
            client_secret=given["OIDC_CLIENT_SECRET"],
            redirect_uri=redirect,
            cookie_secret=secret,
            operators=Operators(given["OPERATOR_CLAIM"], given["OPERATOR_VALUE"]),
            scope=env.get("OIDC_SCOPE", "").strip() or _SCOPE,
        )


def _safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _HERE))


@dataclass(frozen=True)
class Settings:
    """The three buckets and three queues; where S3 is, the AWS SDK finds out by itself.

    Sign-in is optional.
    """

    raw_bucket: str
    ready_bucket: str
    artifacts_bucket: str
    train_queue: str
    train_dead_letters: str
    lambda_dead_letters: str
    sign_in: SignIn | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The settings in `env`; raises `Misconfigured` naming everything that is missing."""
        given = {name: env.get(name, "").strip() for name in _NAMES}
        missing = [
            f"{name} is not set; expected {_NAMES[name]}" for name in _NAMES if not given[name]
        ]
        if missing:
            raise Misconfigured(". ".join(missing))
        return cls(
            given["RAW_BUCKET"],
            given["READY_BUCKET"],
            given["ARTIFACTS_BUCKET"],
            given["TRAIN_QUEUE_URL"],
            given["TRAIN_DEAD_LETTER_QUEUE_URL"],
            given["LAMBDA_DEAD_LETTER_QUEUE_URL"],
            SignIn.from_env(env),
        )
