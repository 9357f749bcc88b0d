"""CloudFormation templates as plain values, and what is left of one for given parameters."""

from collections.abc import Mapping
from typing import Any

import yaml

from chartbuster.errors import Permanent
from infra.stacks import template

Template = Mapping[str, Any]

_NO_VALUE = {"Ref": "AWS::NoValue"}


class TemplateUnreadable(Permanent):
    """Something in a template that is not there, or that nothing here can work out."""


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short tags as {tag: value}."""


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    raise TemplateUnreadable(f"!{tag} holds a mapping{node.start_mark}; expected a value or a list")


_Loader.add_multi_constructor("!", _tagged)


def parsed(text: str) -> dict[str, Any]:
    """A template's text as plain values; `!Ref Stage` is `{"Ref": "Stage"}`, and so on.

    Raises `TemplateUnreadable` when it is no template.
    """
    try:
        found = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader that knows tags
    except yaml.YAMLError as error:
        raise TemplateUnreadable(f"the template is no YAML: {error}") from error
    if not isinstance(found, dict) or "Resources" not in found:
        raise TemplateUnreadable(
            "the template has no Resources; expected a CloudFormation template"
        )
    return found


def load(name: str) -> dict[str, Any]:
    """One of the templates of `infra/`, like `compute.yaml`, as plain values."""
    return parsed(template(name))


def chosen(whole: Template, parameters: Mapping[str, str]) -> dict[str, Any]:
    """What CloudFormation makes of `whole` with `parameters`, defaults filled in.

    Resources and outputs whose condition does not hold are gone, every `If` is decided and every
    AWS::NoValue left out. References and texts stay as they are. Raises `TemplateUnreadable`.
    """
    values = filled_in(whole, parameters)
    conditions = {
        name: holds(condition, values) for name, condition in whole.get("Conditions", {}).items()
    }
    return {
        section: {
            name: _decided(part, conditions)
            for name, part in whole.get(section, {}).items()
            if "Condition" not in part or _known(conditions, part["Condition"])
        }
        for section in ("Resources", "Outputs")
    }


def refused(whole: Template, parameters: Mapping[str, str]) -> list[str]:
    """The names of the rules of `whole` that forbid these parameters, defaults filled in."""
    values = filled_in(whole, parameters)
    return [
        name
        for name, rule in whole.get("Rules", {}).items()
        if ("RuleCondition" not in rule or holds(rule["RuleCondition"], values))
        and not all(holds(assertion["Assert"], values) for assertion in rule["Assertions"])
    ]


def filled_in(whole: Template, parameters: Mapping[str, str]) -> dict[str, str]:
    """`parameters` with the template's defaults for those that are not given."""
    defaults = {
        name: str(about["Default"])
        for name, about in whole.get("Parameters", {}).items()
        if "Default" in about
    }
    return {**defaults, **parameters}


def holds(condition: Any, values: Mapping[str, str]) -> bool:
    """Whether a condition holds with these parameters; raises `TemplateUnreadable`."""
    match condition:
        case {"Equals": [one, other]}:
            return _value(one, values) == _value(other, values)
        case {"Not": [inner]}:
            return not holds(inner, values)
        case {"And": [*inner]}:
            return all(holds(each, values) for each in inner)
        case {"Or": [*inner]}:
            return any(holds(each, values) for each in inner)
    raise TemplateUnreadable(f"the condition {condition!r}; expected Equals, Not, And or Or")


def _value(value: Any, values: Mapping[str, str]) -> str:
    match value:
        case str():
            return value
        case {"Ref": str(name)} if name in values:
            return values[name]
    raise TemplateUnreadable(
        f"{value!r} in a condition; expected a text or a parameter with a value"
    )


def _decided(value: Any, conditions: Mapping[str, bool]) -> Any:
    match value:
        case {"If": [str(name), yes, no]}:
            return _decided(yes if _known(conditions, name) else no, conditions)
        case Mapping():
            parts = {name: _decided(part, conditions) for name, part in value.items()}
            return {name: part for name, part in parts.items() if part != _NO_VALUE}
        case list():
            return [part for each in value if (part := _decided(each, conditions)) != _NO_VALUE]
    return value


def _known(conditions: Mapping[str, bool], name: str) -> bool:
    if name not in conditions:
        raise TemplateUnreadable(f"no condition {name!r}; expected one of {sorted(conditions)}")
    return conditions[name]
