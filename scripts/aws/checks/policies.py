"""What IAM makes of a policy: which statement allows an action on a resource, and how widely."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from os.path import commonpath
from typing import Any

VERSION = "2012-10-17"
_KEYS = {"Sid", "Effect", "Action", "Resource"}


@dataclass(frozen=True)
class Grant:
    """One action on one resource, given by the statement `sid`; both may hold wildcards."""

    sid: str
    action: str
    resource: str

    def allows(self, action: str, resource: str) -> bool:
        """Whether `action` is allowed on all of `resource`, which may itself end in a wildcard."""
        return _matches(self.action.lower(), action.lower()) and _matches(self.resource, resource)


class NotUnderstood(ValueError):
    """Something in a policy that would make it mean other than this module thinks."""


def grants(document: Any) -> list[Grant]:
    """What a resolved policy document gives; raises `NotUnderstood` unless it only allows."""
    match document:
        case {"Version": str(version), "Statement": list(statements), **rest} if not rest:
            if version != VERSION:
                raise NotUnderstood(f"Version is {version!r}; expected {VERSION!r}")
            return [grant for statement in statements for grant in _of_statement(statement)]
    raise NotUnderstood(f"the policy is {document!r}; expected Version and Statement, a list")


def _of_statement(statement: Any) -> Iterator[Grant]:
    if not isinstance(statement, Mapping) or set(statement) != _KEYS:
        raise NotUnderstood(f"statement {statement!r}; expected exactly {', '.join(sorted(_KEYS))}")
    sid = str(statement["Sid"])
    if statement["Effect"] != "Allow":
        raise NotUnderstood(f"{sid}: Effect is {statement['Effect']!r}; expected 'Allow'")
    for action in _texts(sid, statement["Action"]):
        for resource in _texts(sid, statement["Resource"]):
            yield Grant(sid, action, resource)


def _texts(sid: str, said: Any) -> list[str]:
    found = said if isinstance(said, list) else [said]
    for each in found:
        if not isinstance(each, str) or not each or "${" in each:
            raise NotUnderstood(f"{sid}: {each!r} is not known before a deployment")
    return found


def narrowest(resources: Iterable[str]) -> str:
    """The narrowest pattern over all of `resources`: the one there is, or the folder of them all.

    Empty where they have no folder in common, so that no pattern is narrow enough.
    """
    found = set(resources)
    if len(found) == 1:
        return found.pop()
    folder = commonpath(found)
    return f"{folder}/*" if folder else ""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    # What is asked about may be a folder, `runs/*`: only a star holds all of a star.
    parts = {"*": ".*", "?": "[^*]"}
    return re.compile("".join(parts.get(letter) or re.escape(letter) for letter in text), re.DOTALL)


def _matches(pattern: str, text: str) -> bool:
    return _pattern(pattern).fullmatch(text) is not None
