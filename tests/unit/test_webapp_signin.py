"""Sign-in is off until all of its settings are there, and its secrets show nowhere."""

import pytest
from streamlit.testing.v1 import AppTest

from chartbuster.errors import Misconfigured
from chartbuster.memory import InMemoryStore
from chartbuster.operators import EVERYBODY, Operators
from tests.unit.test_webapp_models import ADA, OPERATORS, opened
from tests.unit.test_webapp_page import said
from tests.unit.webapp_store import published
from webapp import edges, signin
from webapp.server import application
from webapp.settings import Settings, SignIn

BUCKETS = {
    "RAW_BUCKET": "raw",
    "READY_BUCKET": "ready",
    "ARTIFACTS_BUCKET": "artifacts",
    "TRAIN_QUEUE_URL": "train",
    "TRAIN_DEAD_LETTER_QUEUE_URL": "dead trainings",
    "LAMBDA_DEAD_LETTER_QUEUE_URL": "dead uploads",
}
SIGN_IN = {
    "OIDC_METADATA_URL": "https://id.example.com/.well-known/openid-configuration",
    "OIDC_CLIENT_ID": "chartbuster",
    "OIDC_CLIENT_SECRET": "not-a-secret",
    "OIDC_REDIRECT_URI": "https://chartbuster.example.com/oauth2callback",
    "COOKIE_SECRET": "not-a-secret-either-but-long-enough",
    "OPERATOR_CLAIM": "groups",
    "OPERATOR_VALUE": "operators",
}


def signing(**changes: str) -> SignIn:
    found = Settings.from_env(BUCKETS | SIGN_IN | changes).sign_in
    assert found is not None
    return found


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.parametrize("blank", [{}, dict.fromkeys(SIGN_IN, ""), {"OIDC_SCOPE": "openid"}])
def test_without_its_settings_nobody_signs_in_and_everybody_operates(
    blank: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    over = edges.from_env(BUCKETS | blank)

    assert Settings.from_env(BUCKETS | blank).sign_in is None
    assert over.operators == EVERYBODY
    assert signin.secrets(over.sign_in) is None
    assert signin.environment(over.sign_in) == {}


def test_with_them_operators_are_those_with_the_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    over = edges.from_env(BUCKETS | SIGN_IN)

    assert over.operators == Operators("groups", "operators")
    assert over.sign_in == signing()
    assert signing().scope == "openid email profile"
    assert signing(OIDC_SCOPE="openid groups").scope == "openid groups"


@pytest.mark.parametrize("name", SIGN_IN)
def test_half_a_sign_in_is_refused_and_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"{name} is not set; expected ") as caught:
        signing(**{name: "  "})

    assert "without any of them there is none" in str(caught.value)


def test_everything_that_is_missing_is_named_at_once() -> None:
    only = {name: "" for name in SIGN_IN if name != "OIDC_CLIENT_ID"}

    with pytest.raises(Misconfigured) as caught:
        signing(**only)

    assert all(f"{name} is not set" in str(caught.value) for name in only)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("OIDC_METADATA_URL", "http://id.example.com/config", "https://"),
        ("OIDC_METADATA_URL", "id.example.com", "https://"),
        ("OIDC_METADATA_URL", "https://[broken", "https://"),
        ("OIDC_REDIRECT_URI", "http://chartbuster.example.com/oauth2callback", "https://"),
        ("OIDC_REDIRECT_URI", "/oauth2callback", "https://"),
        ("OIDC_REDIRECT_URI", "https://chartbuster.example.com/", "oauth2callback"),
        ("COOKIE_SECRET", "short", "5 characters; expected 32"),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, value: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=why) as caught:
        signing(**{name: value})

    assert name in str(caught.value)


def test_on_this_machine_the_provider_may_answer_without_tls() -> None:
    here = signing(
        OIDC_METADATA_URL="http://localhost:9/config",
        OIDC_REDIRECT_URI="http://127.0.0.1:8501/oauth2callback",
    )

    assert here.redirect_uri == "http://127.0.0.1:8501/oauth2callback"


def test_secrets_are_in_no_message() -> None:
    secrets = (SIGN_IN["OIDC_CLIENT_SECRET"], SIGN_IN["COOKIE_SECRET"])
    found = signing()
    told = signin.secrets(found)
    assert told is not None
    assert told["auth"]["client_secret"] == secrets[0]
    assert told["auth"]["cookie_secret"] == secrets[1]

    with pytest.raises(Misconfigured) as caught:
        signing(COOKIE_SECRET=SIGN_IN["COOKIE_SECRET"][:20], OIDC_CLIENT_ID="")

    assert not any(secret[:20] in repr(found) + str(caught.value) for secret in secrets)


def test_streamlit_takes_what_it_is_told() -> None:
    store = InMemoryStore()
    _, over = opened(store)

    assert application(over)


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": " Ada ", "sub": "1"}, "Ada"),
        ({"name": "", "preferred_username": "ada", "sub": "1"}, "ada"),
        ({"email": "ada@example.com", "sub": "1"}, "ada@example.com"),
        ({"sub": "1"}, "1"),
        ({"name": ["Ada"]}, "somebody"),
    ],
)
def test_a_person_goes_by_the_first_name_their_token_has(
    claims: dict[str, object], name: str
) -> None:
    found = signin.signed_in({"is_logged_in": True, **claims})

    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("flag", [False, None, "true", 1])
def test_a_token_of_somebody_who_is_not_signed_in_is_nobodys(flag: object) -> None:
    assert signin.signed_in({"is_logged_in": flag, "name": "Ada"}) is None
    assert signin.signed_in({}) is None


def test_the_way_in_shows_only_where_people_sign_in() -> None:
    store = InMemoryStore()
    published(store)

    without, _ = opened(store)
    outside, _ = opened(store, operators=OPERATORS)
    inside, _ = opened(store, operators=OPERATORS, user=ADA | {"name": "Ada *[x](y)*"})

    assert not {"Sign in", "Sign out"} & set(labels(without))
    assert "Sign in" in labels(outside)
    assert "Sign out" in labels(inside)
    assert r"Signed in as **Ada \*\[x\]\(y\)\***" in said(inside)
