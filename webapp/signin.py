"""Who is at the other end, where people sign in with an OpenID Connect provider.

Pages can be read without signing in; what changes something for others needs an operator's claim,
which `Operations` checks. Streamlit and Authlib do the flow itself: its state, nonce and proof key,
the token's signature and its times. The claims have to be in the identity token.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from chartbuster.operators import Operators, Person
from webapp.settings import SignIn
from webapp.words import plain

_NAMES = ("name", "preferred_username", "email", "sub")


def secrets(sign_in: SignIn | None) -> dict[str, Any] | None:
    """What Streamlit has to know for the flow; kept in memory, so that no file holds secrets."""
    if sign_in is None:
        return None
    return {
        "auth": {
            "redirect_uri": sign_in.redirect_uri,
            "cookie_secret": sign_in.cookie_secret,
            "client_id": sign_in.client_id,
            "client_secret": sign_in.client_secret,
            "server_metadata_url": sign_in.metadata_url,
            "client_kwargs": {"scope": sign_in.scope, "prompt": "select_account"},
        }
    }


def environment(sign_in: SignIn | None) -> dict[str, str]:
    """What Streamlit takes from its environment alone, before it looks at `secrets`.

    The state of a flow is in a signed cookie too, and this signs it: without it, a flow could not
    end at another replica than the one where it began.
    """
    return {} if sign_in is None else {"STREAMLIT_SERVER_COOKIE_SECRET": sign_in.cookie_secret}


def person(operators: Operators) -> Person | None:
    """Whoever signed in; None for somebody who did not, or where nobody needs to."""
    return None if operators.everybody else signed_in(st.user.to_dict())


def signed_in(claims: Mapping[str, Any]) -> Person | None:
    """The person an identity token is about; None where it is nobody's.

    They are the claims of the moment of the sign-in. Its cookie lasts 30 days, and a page that is
    open keeps what it was opened with: somebody who stops being an operator stays one here until
    they sign in again, or everybody does because the cookie's secret is another.
    """
    if claims.get("is_logged_in") is not True:
        return None
    said = (claims.get(name) for name in _NAMES)
    name = next((text for text in said if isinstance(text, str) and text.strip()), "somebody")
    return Person(name.strip(), claims)


def control(operators: Operators) -> None:
    """The way in, or who is in and the way out; nothing where nobody signs in."""
    if operators.everybody:
        return
    found = person(operators)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="sign in"):
        if found is None:
            st.button("Sign in", icon=":material/login:", on_click=st.login)
        else:
            st.markdown(f"Signed in as **{plain(found.name)}**", width="content")
            st.button("Sign out", icon=":material/logout:", on_click=st.logout)
