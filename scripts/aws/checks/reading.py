"""The four templates as the checks read them: looked up, compared, with and without wishes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scripts.aws.checks.templates import Template, TemplateUnreadable, chosen

PORT = 8501
NETWORK = "10.0.0.0/16"
ANYWHERE = "0.0.0.0/0"
HEALTH = "/_stcore/health"
SERVICES = {"trainer": "Trainer", "webapp": "Webapp"}
# An image as it is pushed for a stage called dev.
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/chartbuster-dev/{}@sha256:" + "0a" * 32
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"
SIGN_IN_ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chartbuster-dev-1AbCdE"
GIVEN = {
    "Stage": "dev",
    "TrainerImage": IMAGE.format("trainer"),
    "WebappImage": IMAGE.format("webapp"),
    "AllowedCidr": "203.0.113.7/32",
}
HTTPS = {"CertificateArn": CERTIFICATE, "DomainName": "songs.example.com"}
OIDC = {
    "OidcIssuer": "https://id.example.com",
    "OidcAuthorizationEndpoint": "https://id.example.com/authorize",
    "OidcTokenEndpoint": "https://id.example.com/token",
    "OidcUserInfoEndpoint": "https://id.example.com/userinfo",
    "OidcClientId": "chartbuster-dev",
    "OidcSecretArn": SIGN_IN_ARN,
}
EVERYTHING = {
    **HTTPS,
    **OIDC,
    "SignInSecretArn": SIGN_IN_ARN,
    "AlarmEmail": "ops@example.com",
    "Architecture": "arm64",
}
SUBNETS = [{"Ref": "FirstSubnet"}, {"Ref": "SecondSubnet"}]


@dataclass(frozen=True)
class Templates:
    """The four templates as plain values."""

    compute: Template
    data: Template
    scaling: Template
    bootstrap: Template

    @cached_property
    def plain(self) -> Template:
        """compute.yaml as it is without any wish: HTTP, no sign-in, no mail."""
        return chosen(self.compute, GIVEN)

    @cached_property
    def whole(self) -> Template:
        """compute.yaml with every wish: HTTPS, both ways to sign in, mail, the other processor."""
        return chosen(self.compute, {**GIVEN, **EVERYTHING})

    @cached_property
    def scaled(self) -> Template:
        """scaling.yaml with a budget."""
        return chosen(self.scaling, {"Stage": "dev", "BudgetEmail": "ops@example.com"})

    @property
    def both(self) -> Iterator[tuple[str, Template]]:
        """compute.yaml without and with every wish, each with words for it."""
        yield "without wishes", self.plain
        yield "with every wish", self.whole


Check = Callable[[Templates], Iterator[str]]


def at(value: Any, *path: str | int) -> Any:
    """What is at `path` inside `value`; raises `TemplateUnreadable` naming what is missing."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError) as error:
            raise TemplateUnreadable(f"{'.'.join(map(str, path))} is not there") from error
    return value


def properties(template: Template, name: str) -> dict[str, Any]:
    """A resource's properties without its tags, which have a check of their own."""
    properties: Mapping[str, Any] = at(template, "Resources", name, "Properties")
    return {key: value for key, value in properties.items() if key != "Tags"}


def container_of(template: Template, service: str) -> dict[str, Any]:
    (container,) = properties(template, f"{SERVICES[service]}Task")["ContainerDefinitions"]
    return dict(container)


def differs(what: str, found: Any, wanted: Any) -> Iterator[str]:
    """One sentence for each place where `found` is not what is wanted."""
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        for key in [*wanted, *(key for key in found if key not in wanted)]:
            if key not in found:
                yield f"{what} lacks {key}; expected {wanted[key]!r}"
            elif key not in wanted:
                yield f"{what} has {key}, which is {found[key]!r}; expected none"
            else:
                yield from differs(f"{what}.{key}", found[key], wanted[key])
    elif isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        for number, pair in enumerate(zip(found, wanted, strict=True)):
            yield from differs(f"{what}.{number}", *pair)
    elif type(found) is not type(wanted) or found != wanted:
        yield f"{what} is {found!r}; expected {wanted!r}"


def by(key: str, value: str, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A list of name and value as a mapping; raises `ValueError` for a name that comes twice."""
    found = {entry[key]: entry[value] for entry in entries}
    if len(found) != len(entries) or any(set(entry) != {key, value} for entry in entries):
        raise ValueError(f"{list(entries)!r}; expected a {key} and a {value} each, no {key} twice")
    return found


def sub(text: str) -> dict[str, str]:
    return {"Sub": text}


def log_group(stage: str, service: str) -> str:
    return f"/chartbuster/{stage}/{service}"
