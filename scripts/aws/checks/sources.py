"""The files the checks hold against one another, read once and then only values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

COMPOSE = "docker-compose.yml"
CALLS = Path("tests", "deployment", "calls.json")
"""What the components were seen asking of AWS, from the root of a checkout; see `rights`."""


@dataclass(frozen=True)
class Sources:
    """The parsed files by name: docker-compose.yml and the templates; Dockerfiles by service.

    `calls` are those of CALLS.
    """

    documents: Mapping[str, Mapping[str, Any]]
    dockerfiles: Mapping[str, str]
    calls: Mapping[str, Any] = field(default_factory=dict)

    def with_document(self, name: str, document: Mapping[str, Any]) -> "Sources":
        """The same, with another `document` in the place of the one of that name."""
        return replace(self, documents={**self.documents, name: document})


class _Loader(yaml.CSafeLoader):
    """Reads CloudFormation's short tags as the functions' long names."""


def _function(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    match node:
        case yaml.ScalarNode() if tag == "GetAtt":
            return {name: loader.construct_scalar(node).split(".", 1)}
        case yaml.ScalarNode():
            return {name: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case yaml.MappingNode():
            return {name: loader.construct_mapping(node, deep=True)}
    raise TypeError(f"{node!r} behind !{tag}; expected a scalar, a sequence or a mapping")


_Loader.add_multi_constructor("!", _function)


def parsed(text: str) -> dict[str, Any]:
    """A template, or a Compose file with what it shares merged in, as values."""
    found: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader with more tags
    return found


def short(node: Any) -> Any:
    """`node` with every function by the short name that templates are written with.

    So `{"Fn::GetAtt": ["Queue", "Arn"]}` is `{"GetAtt": "Queue.Arn"}`.
    """
    match node:
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return {"GetAtt": f"{name}.{attribute}"}
        case dict():
            return {key.removeprefix("Fn::"): short(value) for key, value in node.items()}
        case list():
            return [short(value) for value in node]
    return node


def read(root: Path) -> Sources:
    """The files of the checkout at `root`."""
    paths = [root / COMPOSE, *sorted((root / "infra").glob("*.yaml"))]
    return Sources(
        {path.name: parsed(path.read_text(encoding="utf-8")) for path in paths},
        {
            service: (root / service / "Dockerfile").read_text(encoding="utf-8")
            for service in ("trainer", "webapp")
        },
        json.loads((root / CALLS).read_text(encoding="utf-8")),
    )
