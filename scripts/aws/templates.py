"""The four templates of a deployment as values: what each asks for, what it gives and holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from chartbuster.errors import Misconfigured
from scripts.aws.account import Account
from scripts.aws.checks.resolving import Resolved
from scripts.aws.checks.sources import parsed
from scripts.aws.parameters import Parameter

PARTS = ("bootstrap", "data", "compute", "scaling")
"""The parts of a deployment in the order they are applied; each has a template and a stack."""

LONGEST_SENT = 51_200
"""How many bytes of template CloudFormation takes with a call; a longer one has to be in S3."""


@dataclass(frozen=True)
class Template:
    """One template: its `part`, its text to the byte, and what the text says.

    `document` has every function in its long form; `outputs` are their names.
    """

    part: str
    text: str
    document: Mapping[str, Any] = field(repr=False)
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]

    @property
    def resources(self) -> Mapping[str, Any]:
        """The resources by name."""
        found: Mapping[str, Any] = self.document.get("Resources", {})
        return found

    def resolved(self, parameters: Mapping[str, str], account: Account) -> Resolved:
        """What it says with `parameters` in `account`, as far as that is known beforehand."""
        return Resolved(
            self.document,
            parameters,
            account=account.id,
            region=account.region,
            endpoint=account.endpoint or f"https://sqs.{account.region}.amazonaws.com",
        )

    @property
    def is_long(self) -> bool:
        """Whether it is too long to be sent with a call."""
        return len(self.text.encode()) > LONGEST_SENT


def read(part: str, text: str) -> Template:
    """What the template of `part` says; raises `Misconfigured` when it is none."""
    try:
        document = parsed(text)
    except yaml.YAMLError as error:
        raise Misconfigured(f"{part}.yaml cannot be read: {error}") from error
    if "Resources" not in (document or {}):
        raise Misconfigured(f"{part}.yaml has no Resources; expected a CloudFormation template")
    return Template(
        part=part,
        text=text,
        document=document,
        parameters=tuple(
            _parameter(name, said) for name, said in document.get("Parameters", {}).items()
        ),
        outputs=tuple(document.get("Outputs", {})),
    )


def _parameter(name: str, said: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        description=" ".join(str(said.get("Description", "")).split()),
        default=_spelt(said["Default"]) if "Default" in said else None,
        pattern=str(said.get("AllowedPattern", "")),
        allowed=tuple(_spelt(value) for value in said.get("AllowedValues", ())),
        expected=str(said.get("ConstraintDescription", "")),
    )


def _spelt(value: object) -> str:
    """A value as CloudFormation takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
