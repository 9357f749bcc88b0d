"""What a template says once its parameters are known: intrinsics become the values they stand for.

Templates are the parsed documents with CloudFormation's functions in their long form, like
`{"Fn::Sub": "chartbuster-${Stage}"}`. What only a deployment can know, an ARN for one, stays the
function it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACCOUNT = "000000000000"
REGION = "us-east-1"
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
_GONE = object()
# What a Ref to a resource of this type is worth: the name it was given by this property.
_NAME_OF = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::Lambda::Function": "FunctionName",
}


@dataclass(frozen=True)
class Resolved:
    """A template with `parameters`; one that is not among them has the template's default.

    `endpoint` is where queues have their addresses, as URL without a slash at the end.
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, str]
    account: str = ACCOUNT
    region: str = REGION
    endpoint: str = ""

    def value(self, node: Any) -> Any:
        """`node` with every function resolved whose value is known; None for `AWS::NoValue`."""
        found = self._value(node)
        return None if found is _GONE else found

    def output(self, name: str) -> Any:
        """The value of the output `name`, or None where the template has no such output."""
        return self.value(self.template.get("Outputs", {}).get(name, {}).get("Value"))

    def resources(self) -> dict[str, Any]:
        """Every resource whose condition holds, by name, resolved."""
        return {
            name: self.value(resource)
            for name, resource in self.template.get("Resources", {}).items()
            if "Condition" not in resource or self.holds(resource["Condition"])
        }

    def holds(self, condition: str) -> bool:
        """Whether the condition of that name holds; raises `KeyError` for an unknown one."""
        return self._holds(self.template["Conditions"][condition])

    def _value(self, node: Any) -> Any:
        match node:
            case {"Ref": str(name), **rest} if not rest:
                return self._named(name, node)
            case {"Fn::Sub": str(text), **rest} if not rest:
                return self._filled(text, {})
            case {"Fn::Sub": [str(text), dict(given)], **rest} if not rest:
                return self._filled(text, {name: self._value(one) for name, one in given.items()})
            case {"Fn::If": [str(condition), yes, no], **rest} if not rest:
                return self._value(yes if self.holds(condition) else no)
            case {"Fn::FindInMap": [str(name), first, second], **rest} if not rest:
                return self.template["Mappings"][name][self._value(first)][self._value(second)]
            case {"Fn::Join": [str(between), list(parts)], **rest} if not rest:
                values = [self._value(part) for part in parts]
                known = all(isinstance(part, str) for part in values)
                return between.join(values) if known else {"Fn::Join": [between, values]}
            case {"Fn::Split": [str(between), text], **rest} if not rest:
                value = self._value(text)
                return value.split(between) if isinstance(value, str) else node
            case {"Fn::Select": [int(index), parts], **rest} if not rest:
                value = self._value(parts)
                known = isinstance(value, list) and 0 <= index < len(value)
                return value[index] if known else {"Fn::Select": [index, value]}
            case {"Fn::GetAtt": [str(name), "Arn"], **rest} if not rest:
                return self._arn(name) or node
            case dict():
                pairs = {key: self._value(one) for key, one in node.items()}
                return {key: one for key, one in pairs.items() if one is not _GONE}
            case list():
                return [one for each in node if (one := self._value(each)) is not _GONE]
        return node

    def _named(self, name: str, node: Any) -> Any:
        pseudo = {
            "AWS::AccountId": self.account,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": _GONE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        if "Default" in self.template.get("Parameters", {}).get(name, {}):
            return str(self.template["Parameters"][name]["Default"])
        resource = self.template.get("Resources", {}).get(name, {})
        properties = resource.get("Properties", {})
        match resource.get("Type"):
            case "AWS::SQS::Queue" if "QueueName" in properties:
                return f"{self.endpoint}/{self.account}/{self._value(properties['QueueName'])}"
            case str(kind) if (key := _NAME_OF.get(kind)) and key in properties:
                return self._value(properties[key])
        return node

    def _arn(self, name: str) -> str:
        """The ARN of a resource that says its own name; empty for another."""
        resource = self.template.get("Resources", {}).get(name, {})
        kind, properties = resource.get("Type"), resource.get("Properties", {})
        here = f"{self.region}:{self.account}"
        match kind:
            case "AWS::S3::Bucket" if "BucketName" in properties:
                return f"arn:aws:s3:::{self._value(properties['BucketName'])}"
            case "AWS::SQS::Queue" if "QueueName" in properties:
                return f"arn:aws:sqs:{here}:{self._value(properties['QueueName'])}"
            case "AWS::Logs::LogGroup" if "LogGroupName" in properties:
                return f"arn:aws:logs:{here}:log-group:{self._value(properties['LogGroupName'])}:*"
        return ""

    def _filled(self, text: str, given: Mapping[str, Any]) -> Any:
        """`text` filled in; a name whose value is not known keeps its `${…}`."""

        def replaced(match: re.Match[str]) -> str:
            name = match[1]
            if name in given:
                found = given[name]
            elif name.endswith(".Arn"):
                found = self._arn(name.removesuffix(".Arn")) or None
            else:
                found = self._named(name, None)
            return found if isinstance(found, str) else match[0]

        return _VARIABLE.sub(replaced, text).replace("${!", "${")

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Fn::Equals": [one, other]}:
                return bool(self._value(one) == self._value(other))
            case {"Fn::Not": [one]}:
                return not self._holds(one)
            case {"Fn::And": list(parts)}:
                return all(self._holds(part) for part in parts)
            case {"Fn::Or": list(parts)}:
                return any(self._holds(part) for part in parts)
            case {"Condition": str(name)}:
                return self.holds(name)
        raise KeyError(f"condition {condition!r}; expected Fn::Equals, Fn::Not, Fn::And or Fn::Or")
