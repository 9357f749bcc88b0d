"""Who may operate: everybody where nobody signs in, else those with the claim, and nobody else."""

from typing import Any

import pytest

from chartbuster.errors import NotAllowed
from chartbuster.operators import EVERYBODY, Operators, Person

BY_GROUP = Operators("groups", "chartbuster-operators")


def allowed(operators: Operators, claims: dict[str, Any]) -> bool:
    try:
        operators.check(Person("Ada", claims), "promote")
    except NotAllowed:
        return False
    return True


def test_everybody_may_where_there_is_no_sign_in() -> None:
    EVERYBODY.check(None, "promote")
    EVERYBODY.check(Person("Ada", {}), "promote")
    assert EVERYBODY.everybody
    assert not BY_GROUP.everybody


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": "chartbuster-operators"},
        {"groups": ["listeners", "chartbuster-operators"]},
        {"groups": ("chartbuster-operators",)},
    ],
)
def test_a_claim_that_is_the_value_or_holds_it_makes_an_operator(claims: dict[str, Any]) -> None:
    assert allowed(BY_GROUP, claims)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"groups": None},
        {"groups": True},
        {"groups": 7},
        {"groups": []},
        {"groups": "no-chartbuster-operators-here"},
        {"groups": "listeners chartbuster-operators"},
        {"groups": ["Chartbuster-Operators", ["chartbuster-operators"]]},
        {"groups": {"chartbuster-operators": True}},
        {"group": "chartbuster-operators"},
    ],
)
def test_anything_else_makes_none(claims: dict[str, Any]) -> None:
    assert not allowed(BY_GROUP, claims)


def test_a_claim_within_others_is_named_with_dots_and_one_whose_name_has_dots_is_found_too() -> (
    None
):
    nested = Operators("realm_access.roles", "operator")
    named = Operators("https://example.com/roles", "operator")

    assert allowed(nested, {"realm_access": {"roles": ["operator"]}})
    assert not allowed(nested, {"realm_access": ["roles", "operator"]})
    assert not allowed(nested, {"realm_access": {"role": ["operator"]}})
    assert allowed(named, {"https://example.com/roles": "operator"})
    assert not allowed(named, {"https://example": {"com/roles": "listener"}})


def test_an_address_counts_only_once_its_provider_has_verified_it() -> None:
    by_address = Operators("email", "ada@example.com")

    assert allowed(by_address, {"email": "ada@example.com", "email_verified": True})
    assert not allowed(by_address, {"email": "ada@example.com", "email_verified": False})
    assert not allowed(by_address, {"email": "ada@example.com", "email_verified": "false"})
    assert not allowed(by_address, {"email": "ada@example.com"})


def test_a_refusal_says_who_tried_what_and_which_claim_is_needed() -> None:
    with pytest.raises(NotAllowed, match=r"not signed in may not promote.*'groups' is or holds"):
        BY_GROUP.check(None, "promote")
    with pytest.raises(NotAllowed, match=r"'Ada' may not redrive 3 uploads.*chartbuster-operators"):
        BY_GROUP.check(Person("Ada", {}), "redrive 3 uploads")


@pytest.mark.parametrize(("claim", "value"), [("groups", ""), ("", "chartbuster-operators")])
def test_half_a_rule_is_no_rule(claim: str, value: str) -> None:
    with pytest.raises(ValueError, match="expected both, or neither"):
        Operators(claim, value)
