"""Deployments on the stand-in, step by step: repeated, interrupted, failed, and rolled back.

The programs as a whole, with the real images, are rehearsed by `scripts.rehearse_aws`; here is what
that cannot look into.
"""

import io
import signal
from collections.abc import Iterator

import docker
import pytest

from chartbuster.errors import NotFound, Unreachable
from infra.stacks import DeploymentFailed
from scripts.aws.deployment import STEPS
from scripts.aws.preflight import Built
from scripts.aws.smoke import Answer, Smoke
from scripts.aws.standin import StandIn
from scripts.command import ended
from tests.deployment.small_images import Builder
from tests.deployment.stages import ALLOWED, Stage, small_build, with_resource

pytestmark = pytest.mark.integration

COMPLETE = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
OTHERS = "203.0.113.8/32"


@pytest.fixture(scope="module")
def images_here(engine: docker.DockerClient) -> Iterator[Builder]:
    """Builds small images, which are gone after the last test here."""
    fresh = Builder(engine)
    yield fresh
    fresh.remove()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, images_here: Builder) -> Built:
    return small_build(tmp_path_factory.mktemp("built"), images_here)


@pytest.fixture(scope="module")
def built_next(tmp_path_factory: pytest.TempPathFactory, images_here: Builder) -> Built:
    return small_build(tmp_path_factory.mktemp("next"), images_here, seed="next")


@pytest.fixture(scope="module")
def shared(standin: StandIn, built: Built) -> Stage:
    """One stage that was deployed once, and that no test leaves without it being whole again."""
    stage = Stage.fresh(standin, built)
    stage.deploy(AllowedCidr=ALLOWED)
    return stage


@pytest.fixture
def stage(shared: Stage) -> Stage:
    """The shared stage with what was built first, however the test before left it."""
    shared.deploy(AllowedCidr=ALLOWED)
    return shared


@pytest.fixture
def fresh(standin: StandIn, built: Built) -> Stage:
    return Stage.fresh(standin, built)


class StopsAt(io.StringIO):
    """Sends us a Ctrl-C as soon as `words` are said."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.words and self.words in self.getvalue():
            self.words = ""
            signal.raise_signal(signal.SIGINT)
        return written


# --- first, again, and with something else ----------------------------------------------------


def test_a_first_deployment_makes_each_stack_pushes_by_digest_and_is_on_record(fresh: Stage):
    state = fresh.deploy(AllowedCidr=ALLOWED)

    assert state.changed
    assert set(fresh.states().values()) == {"CREATE_COMPLETE"}
    deployed = fresh.parameters("compute")
    for name, digests in fresh.pushed().items():
        assert [deployed[f"{name.title()}Image"].partition("@")[2]] == digests
    (name,) = fresh.records()
    record = fresh.site.records().read(name)
    assert record.stacks["compute"].parameters == deployed
    assert record.manifest["revision"] == fresh.built.manifest.revision
    assert fresh.unfinished() is None
    assert fresh.plans() == []


def test_a_second_deployment_changes_nothing_and_writes_no_record(stage: Stage):
    before = stage.events(), stage.records(), stage.pushed()

    state = stage.deploy()

    assert not state.changed
    assert (stage.events(), stage.records(), stage.pushed()) == before
    assert stage.said.count("nothing changed") == 3


def test_a_value_set_once_stays_and_setting_another_makes_a_record(stage: Stage):
    before = stage.events(), stage.records()

    stage.deploy(AllowedCidr=OTHERS)

    assert stage.parameters("compute")["AllowedCidr"] == OTHERS
    assert len(stage.records()) == len(before[1]) + 1
    now = stage.events()
    assert {part for part in now if now[part] != before[0][part]} == {"compute"}
    stage.deploy()
    assert stage.parameters("compute")["AllowedCidr"] == OTHERS
    assert len(stage.records()) == len(before[1]) + 1


# --- stopped, and gone on with ----------------------------------------------------------------


def test_stopped_after_any_step_only_the_steps_up_to_it_are_done(fresh: Stage):
    there = dict[str, tuple[object, ...]]()
    for last in STEPS:
        fresh.deploy(until=last, AllowedCidr=ALLOWED)
        there[last] = (
            {part for part, state in fresh.states().items() if state},
            all(fresh.pushed().values()),
            fresh.unfinished() is not None,
            len(fresh.records()),
        )

    one, two, three = {"bootstrap"}, {"bootstrap", "data"}, {"bootstrap", "data", "compute"}
    assert there == {
        "bootstrap": (one, False, False, 0),
        "images": (one, True, True, 0),
        "code": (one, True, True, 0),
        "data": (two, True, True, 0),
        "run": (two, True, True, 0),
        "compute": (three, True, True, 0),
        "scaling": (three, True, True, 0),
        "record": (three, True, False, 1),
        # Each begins again from the first step, and so it is noted until it is on record.
        "smoke": (three, True, False, 1),
    }
    assert not fresh.deploy().changed


@pytest.mark.parametrize("words", ["RawBucket: CREATE", "WebTargetGroup: CREATE"])
def test_a_deployment_interrupted_in_the_middle_of_a_stack_is_completed_by_the_next(
    fresh: Stage, words: str
):
    with pytest.raises(KeyboardInterrupt):
        fresh.deploy(output=StopsAt(words), AllowedCidr=ALLOWED)
    assert fresh.records() == ()
    note = fresh.unfinished()
    assert note is not None
    assert note.towards == fresh.built.manifest.revision

    fresh.deploy(AllowedCidr=ALLOWED)

    assert set(fresh.states().values()) <= COMPLETE
    assert fresh.unfinished() is None
    assert len(fresh.records()) == 1
    assert fresh.plans() == []
    assert not fresh.deploy().changed


# --- failed, and mended -----------------------------------------------------------------------


def test_a_failed_update_says_why_what_stands_and_what_to_do_and_the_next_good_one_comes_through(
    stage: Stage, capsys: pytest.CaptureFixture[str]
):
    # Found out only when it is made, after others were changed.
    document = "{ Version: '2012-10-17', Statement: [] }"
    lost = f"{{ PolicyName: lost, Roles: [lost], PolicyDocument: {document} }}"
    policy = f"{{ Type: AWS::IAM::Policy, Properties: {lost} }}"
    bad = with_resource(stage.built, "compute", "Lost", policy)
    records, allowed = stage.records(), stage.parameters("compute")["AllowedCidr"]

    def deploy_badly() -> int:
        stage.deploy(built=bad, AllowedCidr=OTHERS)
        return 0

    assert ended(deploy_badly, interrupted="") == 1

    said = capsys.readouterr().err
    assert "Lost: " in said
    assert "compute UPDATE_ROLLBACK_COMPLETE" in said
    assert f"make deploy-aws STAGE={stage.account.stage}" in said
    assert f"make rollback-aws STAGE={stage.account.stage}" in said
    assert stage.parameters("compute")["AllowedCidr"] == allowed
    assert stage.records() == records
    assert stage.unfinished() is not None
    # While it is unfinished, the last that came through is the one to go back to.
    assert stage.rollback().name == records[-1]

    stage.deploy(AllowedCidr=OTHERS)

    assert stage.parameters("compute")["AllowedCidr"] == OTHERS
    assert stage.states()["compute"] == "UPDATE_COMPLETE"
    assert stage.unfinished() is None


def test_a_first_deployment_that_fails_names_the_way_out_that_there_is(fresh: Stage):
    s3 = fresh.account.session.client("s3")
    name = f"chartbuster-{fresh.account.stage}-{fresh.account.id}-raw"
    s3.create_bucket(Bucket=name)

    with pytest.raises(DeploymentFailed) as caught:
        fresh.deploy(AllowedCidr=ALLOWED)

    said = str(caught.value)
    # CloudFormation looks at names before it begins, and tells what it found by another call.
    assert "RawBucket: " in said
    assert f"'{name}' already exists" in said
    assert "compute not there" in said
    # Nothing came through yet that could be gone back to.
    assert "rollback-aws" not in said
    assert f"make destroy-aws STAGE={fresh.account.stage}" in said
    s3.delete_bucket(Bucket=name)
    fresh.deploy(AllowedCidr=ALLOWED)
    assert set(fresh.states().values()) == {"CREATE_COMPLETE"}


def test_what_cloudformation_refuses_to_plan_leaves_the_stack_as_it_is(stage: Stage):
    before = stage.states(), stage.resources("compute")

    with pytest.raises(DeploymentFailed, match="AllowedCidr"):
        stage.deploy(AllowedCidr="everybody")

    assert (stage.states(), stage.resources("compute")) == before
    assert stage.plans() == []


# --- back -------------------------------------------------------------------------------------


def test_a_rollback_brings_images_zip_and_parameters_back_the_data_before_the_containers(
    stage: Stage, built_next: Built
):
    before = {part: stage.parameters(part) for part in ("data", "compute")}
    stage.deploy(built=built_next, AllowedCidr=OTHERS)
    pushed, there = stage.pushed(), stage.records()
    assert stage.parameters("data") != before["data"]

    rollback = stage.rollback()
    changes = {part.part: {each.name for each in part.changes} for part in rollback.preview()}
    heard = io.StringIO()
    rollback = type(rollback)(stage._site(heard), rollback.name, rollback.record)
    rollback.carry_out()

    assert changes["bootstrap"] == set()
    assert "CreateData" in changes["data"]
    assert {"TrainerTask", "WebappTask"} <= changes["compute"]
    assert {part: stage.parameters(part) for part in ("data", "compute")} == before
    assert stage.pushed() == pushed
    said = heard.getvalue()
    order = [said.index(stage.account.stack(part)) for part in ("bootstrap", "data", "compute")]
    assert order == sorted(order)
    *old, newest = stage.records()
    assert tuple(old) == there
    assert stage.site.records().read(newest).back_to == rollback.name
    assert stage.unfinished() is None


def test_a_rollback_to_what_is_not_there_any_more_is_refused_and_names_it(
    fresh: Stage, built_next: Built
):
    first = fresh.deploy(AllowedCidr=ALLOWED)
    fresh.deploy(built=built_next)
    gone = first.references["trainer"]
    fresh.account.session.client("ecr").batch_delete_image(
        repositoryName=fresh.account.repository("trainer"),
        imageIds=[{"imageDigest": gone.partition("@")[2]}],
    )
    data = first.stacks["data"].parameters
    fresh.account.session.client("s3").delete_object(Bucket=data["CodeBucket"], Key=data["CodeKey"])
    before = fresh.events(), fresh.records()

    with pytest.raises(NotFound) as caught:
        fresh.rollback().preview()

    said = str(caught.value)
    assert gone in said
    assert data["CodeKey"] in said
    assert first.references["webapp"] not in said
    assert (fresh.events(), fresh.records()) == before


def test_where_nothing_was_deployed_there_is_nothing_to_go_back_to(fresh: Stage):
    with pytest.raises(NotFound, match=f"make deploy-aws STAGE={fresh.account.stage}"):
        fresh.rollback()


# --- the app is asked at the end --------------------------------------------------------------


def test_an_app_that_does_not_answer_fails_a_deployment_that_is_on_record(stage: Stage):
    clock = iter(range(0, 10_000, 100))
    stage.smoke = Smoke(
        ask=lambda _url: Answer(502, ""), monotonic=lambda: next(clock), rest=lambda _s: None
    )
    try:
        with pytest.raises(Unreachable, match="Everything is deployed") as caught:
            stage.deploy(AllowedCidr=OTHERS, web_url="http://127.0.0.1:1")
    finally:
        stage.smoke = Smoke()

    assert OTHERS in str(caught.value)
    assert f"make logs-aws STAGE={stage.account.stage}" in str(caught.value)
    assert stage.unfinished() is None
    newest = stage.site.records().read(stage.records()[-1])
    assert newest.stacks["compute"].parameters["AllowedCidr"] == OTHERS
