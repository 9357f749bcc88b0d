"""Whose account a program works on: settings that contradict one another are named."""

import pytest

from chartbuster.errors import Misconfigured
from scripts.aws.account import account_of, at_home
from scripts.aws.standin import StandIn

pytestmark = pytest.mark.integration


@pytest.fixture
def environ(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The stand-in's environment, which is also that of this process: the SDK reads it itself."""
    for name, value in standin.environ.items():
        monkeypatch.setenv(name, value)
    return dict(standin.environ)


def test_an_endpoint_that_the_sdk_ignores_is_no_stand_in(environ, monkeypatch):
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")

    with pytest.raises(Misconfigured, match="unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        account_of(environ)


def test_a_stand_in_for_one_service_alone_is_none(environ, monkeypatch):
    """Everything else would go to AWS, and be believed to go nowhere."""
    endpoint = environ.pop("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for name in ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, endpoint)
        with pytest.raises(Misconfigured, match="AWS_ENDPOINT_URL"):
            account_of({**environ, name: endpoint})
        monkeypatch.delenv(name)


def test_a_request_that_would_leave_all_the_same_is_not_sent(environ):
    """Whatever setting was overlooked: each request is looked at before it is sent."""
    account = account_of(environ)
    client = account.session.client("s3", endpoint_url="http://192.0.2.1:9")

    with pytest.raises(Misconfigured, match=r"a call would leave this machine for http://192"):
        client.list_buckets()

    account.session.client("s3").list_buckets()


def test_only_for_a_stand_in_is_the_environment_changed():
    led_away = {
        "https_proxy": "http://proxy.example.com",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/",
        "PATH": "/bin",
    }

    assert at_home(led_away) == led_away
    assert at_home({**led_away, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}) == {
        "PATH": "/bin",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
