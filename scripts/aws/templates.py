"""The four templates of a deployment as values: what each asks for, what it gives and holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from chartbuster.errors import Misconfigured
from scripts.aws.parameters import Parameter

PARTS = ("bootstrap", "data", "compute", "scaling")
"""The parts of a deployment in the order they are applied; each has a template and a stack."""

LONGEST_SENT = 51_200
"""How many bytes of template CloudFormation takes with a call; a longer one has to be in S3."""


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as the functions they are short for."""


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    match node:
        case yaml.ScalarNode():
            said: Any = loader.construct_scalar(node)
            return {name: said.split(".", 1) if tag == "GetAtt" else said}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case yaml.MappingNode():
            return {name: loader.construct_mapping(node, deep=True)}
    raise Misconfigured(f"the template has something other than a value behind !{tag}")


_Loader.add_multi_constructor("!", _function)


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

    @property
    def is_long(self) -> bool:
        """Whether it is too long to be sent with a call."""
        return len(self.text.encode()) > LONGEST_SENT


def read(part: str, text: str) -> Template:
    """What the template of `part` says; raises `Misconfigured` when it is none."""
    try:
        # The loader is a safe one: it makes dictionaries, lists and plain values only.
        document = yaml.load(text, _Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise Misconfigured(f"{part}.yaml cannot be read: {error}") from error
    if not isinstance(document, dict) or "Resources" not in document:
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
