"""Signing in with a real OpenID Connect provider, and what that opens."""

import re
from collections.abc import Callable, Iterator

import oidc_provider_mock
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import answer, running
from tests.chromium import Visit
from tests.emulator import free_port

type Open = Callable[..., Visit]

_PEOPLE = (
    oidc_provider_mock.User(
        sub="ada", claims={"name": "Ada", "groups": ["listeners", "operators"]}
    ),
    oidc_provider_mock.User(sub="bob", claims={"name": "Bob", "groups": ["listeners"]}),
)


@pytest.fixture(scope="module")
def app() -> Iterator[str]:
    """The address of an app whose people sign in."""
    port = free_port()
    with oidc_provider_mock.run_server_in_thread(user_claims=_PEOPLE) as provider:
        env = {
            "OMP_NUM_THREADS": "1",
            "OIDC_METADATA_URL": f"http://localhost:{provider.server_port}"
            "/.well-known/openid-configuration",
            "OIDC_CLIENT_ID": "chartbuster",
            "OIDC_CLIENT_SECRET": "not-a-secret",
            "OIDC_REDIRECT_URI": f"http://127.0.0.1:{port}/oauth2callback",
            "COOKIE_SECRET": "not-a-secret-either-but-long-enough",
            "OPERATOR_CLAIM": "groups",
            "OPERATOR_VALUE": "operators",
        }
        with running("tests.browser.serve", env=env, port=port) as (url, _):
            yield url


def signed_in(visit: Open, app: str, person: str) -> Visit:
    """The page Models after `person` signed in."""
    seen = visit(app)
    page = seen.page
    # The provider's own page would like a style sheet from elsewhere.
    page.route(
        lambda url: not re.match(r"https?://(localhost|127\.0\.0\.1)[:/]", url),
        lambda route: route.abort(),
    )
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name=f"Authorize as {person}").click()
    expect(page.get_by_text(f"Signed in as {person.title()}")).to_be_visible()
    page.get_by_role("link", name="Models").click()
    expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()
    return seen


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_an_operator_signs_in_promotes_and_is_named_in_the_history(app: str, visit: Open) -> None:
    seen = signed_in(visit, app, "ada")
    page = seen.page

    press(page, "Promote…")
    page.get_by_role("dialog").get_by_label("Reason").fill("heard it, likes it")
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()

    expect(page.get_by_role("status").filter(has_text="is the champion now")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    newest = page.locator(".cb-history li").first
    expect(newest).to_contain_text("by Ada")
    expect(newest).to_contain_text("heard it, likes it")
    assert not [said for said in seen.complaints if "Content Security Policy" in said]


def test_somebody_else_signs_in_and_is_told_who_may(app: str, visit: Open) -> None:
    page = signed_in(visit, app, "bob").page

    press(page, "Promote…")

    refusal = page.get_by_role("dialog").get_by_role("alert")
    expect(refusal).to_contain_text("'Bob' may not promote a model of dataset 'demo'")
    expect(refusal).to_contain_text("claim 'groups' is or holds 'operators'")
    expect(page.get_by_label("Reason")).to_have_count(0)


def test_who_is_not_signed_in_reads_everything_and_is_told_who_may(app: str, visit: Open) -> None:
    page = visit(f"{app}/models").page
    expect(page.get_by_role("heading", name="Leaderboard")).to_be_visible()

    press(page, "Promote…")

    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("not signed in may not")


def test_who_signs_out_is_nobody_again(app: str, visit: Open) -> None:
    page = signed_in(visit, app, "ada").page

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="End Session")).to_be_visible()
    page.goto(f"{app}/models")

    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    press(page, "Promote…")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("not signed in may not")


def test_a_cookie_that_nobody_signed_is_nobodys(app: str, visit: Open) -> None:
    seen = visit(app)
    forged = '{"is_logged_in": true, "name": "Eve", "groups": ["operators"]}'
    seen.page.context.add_cookies([{"name": "_streamlit_user", "value": forged, "url": app}])

    seen.page.goto(f"{app}/models")

    expect(seen.page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_policy_is_the_same_as_without_a_sign_in(
    app: str, app_in: Callable[[str], str]
) -> None:
    policies = [answer(url)[1]["Content-Security-Policy"] for url in (app, app_in("champion"))]

    assert policies[0] == policies[1]
