"""How an account is found that is to be verified, with a LocalStack in the account's place."""

import time
import uuid
import zipfile
from pathlib import Path

import pytest

from infra.data import deploy_data
from tests.acceptance.targets.aws import Aws
from tests.acceptance.targets.target import NotOffered
from tests.emulator import Emulator

pytestmark = pytest.mark.integration


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return emulator.endpoint


def test_without_an_account_it_says_within_seconds_what_to_do(monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    began = time.monotonic()

    said = Aws({}).missing()

    assert said is not None
    assert "AWS_PROFILE=name" in said
    assert "make verify TARGET=aws STAGE=stage" in said
    assert time.monotonic() - began < 5


def test_an_account_without_the_stage_is_told_from_one_that_does_not_answer(account: str):
    said = Aws({"STAGE": "nowhere"}).missing()

    assert said is not None
    assert "has no stack chartbuster-nowhere-data" in said


def test_a_deployed_stage_needs_but_the_apps_address(
    account: str, emulator: Emulator, tmp_path: Path
):
    stage, code = f"t{uuid.uuid4().hex[:8]}", tmp_path / "create_data.zip"
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("lambdas/create_data/handler.py", b"")
    deployed = deploy_data(emulator.session, stage=stage, zip_path=code)

    without = Aws({"STAGE": stage}).missing()
    told = Aws({"STAGE": stage, "WEB_URL": "https://app.example"})

    assert without is not None
    assert "WEB_URL" in without
    assert told.missing() is None
    with told.up(tmp_path) as running:
        assert running.outputs == {**deployed, "WebUrl": "https://app.example"}
        with pytest.raises(NotOffered):
            running.restart()
