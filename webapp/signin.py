"""Who is at the other end, where people sign in."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from chartbuster.operators import Operators, Person

_NAMES = ("name", "preferred_username", "email", "sub")


def person(operators: Operators) -> Person | None:
    """Whoever signed in; None for somebody who did not, or where nobody needs to."""
    return None if operators.everybody else signed_in(st.user.to_dict())


def signed_in(claims: Mapping[str, Any]) -> Person | None:
    """The person an identity token is about; None where it is nobody's.

    They are the claims of the moment of the sign-in. Its cookie lasts 30 days, and somebody who
    stops being an operator stays one here until they sign in again.
    """
    if claims.get("is_logged_in") is not True:
        return None
    said = (claims.get(name) for name in _NAMES)
    name = next((text for text in said if isinstance(text, str) and text.strip()), "somebody")
    return Person(name.strip(), claims)
