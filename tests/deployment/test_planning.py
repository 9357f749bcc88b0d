"""What a plan says of stages that are not there yet, not whole, or deployed; and that it leaves
nothing behind.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from chartbuster.errors import Misconfigured
from compose.manifest import Manifest
from infra.stacks import DeploymentFailed
from scripts.aws.images import Push, plan_pushes
from scripts.aws.planning import Found, Part, Prepared, Preview, checked, planned, preview, said
from scripts.aws.preflight import Built
from scripts.aws.standin import StandIn
from tests.deployment.small_images import manifest_of
from tests.deployment.stages import ALLOWED, Stage, small_zip, with_resource

pytestmark = pytest.mark.integration

IDS = (f"sha256:{'a1' * 32}", f"sha256:{'b2' * 32}")


class Unsent:
    """Images that are in no repository and are never sent."""

    def __init__(self, stage: Stage, manifest: Manifest) -> None:
        self.stage, self.manifest = stage, manifest

    def pushes(self) -> tuple[Push, ...]:
        return plan_pushes(self.stage.account, self.manifest, environ=self.stage.environ)

    def push(self, pushes: Iterable[Push], progress: object) -> dict[str, str]:
        assert not [each for each in pushes if each.needed], "a plan sends nothing"
        return {}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return small_zip(tmp_path_factory.mktemp("built"), manifest_of(*IDS))


@pytest.fixture
def stage(standin: StandIn, built: Built) -> Iterator[Stage]:
    fresh = Stage.fresh(standin, built)
    yield fresh
    for part in reversed([part for part, state in fresh.states().items() if state]):
        fresh.cloudformation.delete_stack(StackName=fresh.account.stack(part))


def a_plan(stage: Stage, built: Built | None = None, **given: str) -> Preview:
    what = built or stage.built
    return preview(stage.account, what, given, Unsent(stage, what.manifest), pause=0.02)


def ends(part: Part) -> set[str]:
    return {change.action for change in part.changes}


def names(stage: Stage) -> set[str]:
    """Everything of the stage that the account lists."""
    session: Any = stage.account.session
    buckets = session.client("s3").list_buckets()["Buckets"]
    repositories = session.client("ecr").describe_repositories()["repositories"]
    found = [each["Name"] for each in buckets] + [each["repositoryName"] for each in repositories]
    return {name for name in found if stage.account.stage in name}


def planned_anew(stage: Stage, **given: str) -> set[str]:
    text = stage.built.templates["compute"]
    parameters = {each.name: each.default or "" for each in text.parameters} | given
    part = planned(
        stage.cloudformation,
        stage.account,
        "compute",
        Prepared(text, parameters),
        Found("ROLLBACK_COMPLETE", {}, {}),
        pause=0.02,
    )
    return {change.name for change in part.changes}


def test_a_stage_that_is_not_there_is_planned_whole_and_nothing_is_left(stage: Stage):
    found = a_plan(stage, AllowedCidr=ALLOWED)

    assert [(part.part, part.exists) for part in found.parts] == [
        ("bootstrap", False),
        ("data", False),
        ("compute", False),
    ]
    assert all(ends(part) == {"Add"} for part in found.parts)
    assert found.sends_zip
    assert [push.needed for push in found.pushes] == [True, True]
    assert found.changes
    assert stage.states() == {"bootstrap": None, "data": None, "compute": None}
    assert names(stage) == set()


def test_a_plan_in_words_says_where_what_and_what_it_costs_and_that_it_is_no_aws(stage: Stage):
    lines = said(a_plan(stage, AllowedCidr=ALLOWED), stage.account)

    text = "\n".join(lines)
    assert lines[0] == (
        f"account {stage.account.id}, region us-east-1, stage {stage.account.stage}"
    )
    assert "a stand-in at http://127.0.0.1:" in lines[1]
    assert f"stack {stage.account.stack('compute')} (new): " in text
    assert "  new       WebappService (AWS::ECS::Service)" in lines
    # Only the data stack will say how its roles are called.
    (assumed,) = (line for line in lines if line.startswith("  planned with examples for "))
    assert "TrainerRoleArn, WebappRoleArn" in assumed
    assert f"image trainer {'a1' * 6}: pushed to " in text
    assert "zip of create_data: uploaded" in lines
    assert "a month" in text


def test_what_is_missing_or_makes_no_sense_is_said_before_anything_is_built(stage: Stage):
    with pytest.raises(Misconfigured, match=r"not set: AllowedCidr .*SET='AllowedCidr=203\.0"):
        checked(stage.account, [], scaling=False)
    with pytest.raises(Misconfigured, match="AllowedCidr is 'all'"):
        checked(stage.account, ["AllowedCidr=all"], scaling=False)
    with pytest.raises(Misconfigured, match="TrainerRoleArn is filled in by the program"):
        checked(stage.account, ["TrainerRoleArn=mine"], scaling=False)
    with pytest.raises(Misconfigured, match="no template has a parameter 'MostTrainers'"):
        checked(stage.account, ["MostTrainers=2"], scaling=False)

    wanted, given = checked(stage.account, [f"AllowedCidr={ALLOWED}"], scaling=False)

    assert list(wanted) == ["bootstrap", "data", "compute"]
    assert given == {"AllowedCidr": ALLOWED}
    assert stage.states() == {"bootstrap": None, "data": None, "compute": None}


def test_a_stack_that_failed_at_first_is_planned_as_what_will_really_be_made(stage: Stage):
    lost = "{ PolicyName: x, Roles: [lost], PolicyDocument: { Version: '2012-10-17' } }"
    bad = with_resource(
        stage.built, "bootstrap", "Lost", f"{{ Type: AWS::IAM::Policy, Properties: {lost} }}"
    )
    with pytest.raises(DeploymentFailed, match="ROLLBACK_COMPLETE"):
        stage.deploy(built=bad, until="bootstrap")

    (bootstrap, *_others) = a_plan(stage, AllowedCidr=ALLOWED).parts

    assert not bootstrap.exists
    assert {change.name for change in bootstrap.changes} == set(
        stage.built.templates["bootstrap"].resources
    )
    assert "deleted, and it is made anew" in bootstrap.note
    assert stage.states()["bootstrap"] == "ROLLBACK_COMPLETE"


def test_of_a_stack_that_will_be_made_anew_only_what_its_conditions_let_be_is_planned(
    stage: Stage,
):
    plain, mailed = planned_anew(stage), planned_anew(stage, AlarmEmail="ops@example.com")

    assert "HttpListener" in plain
    assert "HttpsListener" not in plain
    assert mailed - plain == {"AlarmTopic", "AlarmMail"}
