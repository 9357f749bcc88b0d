"""Who may change what others use: a pure rule over what a sign-in says of a person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chartbuster.errors import NotAllowed


@dataclass(frozen=True)
class Person:
    """Somebody who signed in: the name to show, and the claims of the identity token."""

    name: str
    claims: Mapping[str, Any]


@dataclass(frozen=True)
class Operators:
    """Who may promote, roll back, redrive and upload.

    Everybody where there is no sign-in; else those whose claim `claim` is the text `value`, or a
    list that holds it. A claim within another is named with dots, like `realm_access.roles`; one
    whose own name has dots is found too. The claim `email` counts only where `email_verified` is
    true, because some providers let people write there what they like.
    """

    claim: str = ""
    value: str = ""

    def __post_init__(self) -> None:
        if bool(self.claim) != bool(self.value):
            raise ValueError(
                f"operators by claim {self.claim!r} and value {self.value!r}; "
                "expected both, or neither for everybody"
            )

    @property
    def everybody(self) -> bool:
        """Whether nobody needs to sign in."""
        return not self.claim

    def check(self, person: Person | None, action: str) -> None:
        """Raise `NotAllowed` unless `person` may `action`, words that follow "may not"."""
        if self.everybody or (person is not None and self._include(person)):
            return
        who = "somebody who is not signed in" if person is None else repr(person.name)
        raise NotAllowed(
            f"{who} may not {action}; expected somebody whose claim {self.claim!r} is or holds "
            f"{self.value!r}"
        )

    def _include(self, person: Person) -> bool:
        if self.claim == "email" and person.claims.get("email_verified") is not True:
            return False
        found = _claim(person.claims, self.claim)
        return found == self.value or (
            isinstance(found, Iterable)
            and not isinstance(found, str | bytes | Mapping)
            and self.value in found
        )


EVERYBODY = Operators()


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim `name`, which may lie within others; None where there is none."""
    if name in claims:
        return claims[name]
    within: Any = claims
    for part in name.split("."):
        if not isinstance(within, Mapping) or part not in within:
            return None
        within = within[part]
    return within
