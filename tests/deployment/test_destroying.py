"""Taking a stage down, on a LocalStack, which like AWS refuses to delete a bucket that is full."""

import io
import json
import uuid
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from chartbuster.errors import Misconfigured
from infra.data import deploy_data
from infra.stacks import DeploymentFailed, DeploymentSlow, apply, plan
from scripts.aws.account import Account, account_of
from scripts.aws.stage import stack_of
from scripts.aws.standin import StandIn
from scripts.aws.teardown import confirmed, destroy, empty_bucket, holdings, is_bucket_of
from scripts.destroy_aws import told
from scripts.steps import Steps
from tests.deployment import small_stage
from tests.deployment.fake_cloud import FakeCloud
from tests.emulator import Emulator
from tests.waiting import until

_HANDLER = b"def lambda_handler(event, context):\n    return event\n"
_VERSIONS = 3


class Seen(Steps):
    """Steps that are remembered, and interrupted as by a Ctrl-C before the step `stop_at`."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.output = io.StringIO()
        self.begun: list[str] = []
        self.stop_at = stop_at
        super().__init__(Console(file=self.output, width=200))

    def step(self, doing, done=None):
        if len(self.begun) == self.stop_at:
            raise KeyboardInterrupt
        self.begun.append(doing)
        return super().step(doing, done)


@pytest.fixture
def account(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Account:
    """A stage of its own on the session's LocalStack."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    stage = f"t{uuid.uuid4().hex[:8]}"
    return account_of(
        {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_REGION": "us-east-1",
            "STAGE": stage,
        }
    )


@pytest.fixture
def zip_path(tmp_path: Path) -> Path:
    path = tmp_path / "create_data.zip"
    with zipfile.ZipFile(path, "w") as code:
        code.writestr("lambdas/create_data/handler.py", _HANDLER)
    return path


def _deployed(account: Account, zip_path: Path) -> dict[str, str]:
    return deploy_data(account.session, stage=account.stage, zip_path=zip_path)


def _fill(account: Account, bucket: str) -> None:
    """Several versions of several objects, delete markers, and an upload that was left alone."""
    s3 = account.session.client("s3")
    for n in range(_VERSIONS):
        for name in ("kept.csv", "removed.csv", "with space & ünlaut.csv"):
            # Not under datasets/, where it would set the Lambda and the queue going.
            s3.put_object(Bucket=bucket, Key=f"trial/{name}", Body=f"{n}".encode())
    s3.delete_object(Bucket=bucket, Key="trial/removed.csv")
    s3.create_multipart_upload(Bucket=bucket, Key="trial/abandoned.csv")


def _deleted_without_help(account: Account, part: str) -> dict[str, str]:
    """The resources of a stack as CloudFormation alone could delete them, or not."""
    client = account.session.client("cloudformation")
    (stack,) = client.describe_stacks(StackName=account.stack(part))["Stacks"]
    client.delete_stack(StackName=stack["StackId"])
    until(lambda: stack_of(account, part) is None, seconds=30, what="the deletion")
    listed = client.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
    return {each["LogicalResourceId"]: each["ResourceStatus"] for each in listed}


@pytest.mark.integration
def test_a_stage_with_full_versioned_buckets_is_taken_down_with_nothing_left(account, zip_path):
    outputs = _deployed(account, zip_path)
    for output in ("RawBucket", "ReadyBucket", "ArtifactsBucket"):
        _fill(account, outputs[output])
    before = {bucket.name: bucket for bucket in holdings(account).buckets}
    steps = Seen()

    destroy(account, steps)

    raw = before[outputs["RawBucket"]]
    # Two objects are current, a third lies behind its delete marker, which is a version as well.
    assert (raw.objects, raw.versions) == (2, 3 * _VERSIONS + 1)
    left = holdings(account)
    assert left.nothing, told(left)
    assert f"bucket {raw.name} emptied: {raw.versions} versions" in steps.output.getvalue()
    assert "RawBucket deleted" in steps.output.getvalue()


@pytest.mark.integration
@pytest.mark.parametrize("marker_only", [False, True], ids=["versions", "a delete marker"])
def test_without_being_emptied_a_bucket_outlives_its_stack(account, zip_path, marker_only):
    """What the test above stands on: here a false green would show."""
    bucket = _deployed(account, zip_path)["RawBucket"]
    s3 = account.session.client("s3")
    if marker_only:
        s3.delete_object(Bucket=bucket, Key="trial/never-there.csv")
        assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    else:
        _fill(account, bucket)

    resources = _deleted_without_help(account, "data")

    assert resources["RawBucket"] == "DELETE_FAILED"
    assert bucket in {each.name for each in holdings(account).buckets}
    # What such a deletion by hand leaves is taken down as well.
    destroy(account, Seen())
    assert holdings(account).nothing


@pytest.mark.integration
def test_repositories_are_emptied_of_tagged_and_untagged_images(standin: StandIn, tmp_path: Path):
    account = standin.account(f"r{uuid.uuid4().hex[:8]}")
    small_stage.deploy(account, tmp_path)
    ecr = account.session.client("ecr")
    for n in range(3):
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"digest": f"sha256:{n:064}", "size": 1},
            "layers": [],
        }
        tag = {"imageTag": f"tag{n}"} if n else {}
        ecr.put_image(
            repositoryName=account.repository("trainer"),
            imageManifest=json.dumps(manifest),
            **tag,
        )
    steps = Seen()

    destroy(account, steps)

    assert f"repository {account.repository('trainer')}: 3 images" in steps.output.getvalue()
    assert holdings(account).nothing


@pytest.mark.integration
def test_stopped_before_any_of_its_steps_it_goes_on_when_it_is_run_again(account, zip_path):
    """What an earlier round did, a later one finds done, or does again: either way it goes on."""
    outputs = _deployed(account, zip_path)
    for output in ("RawBucket", "ArtifactsBucket"):
        _fill(account, outputs[output])
    account.session.client("logs").create_log_group(
        logGroupName=f"/aws/lambda/chartbuster-{account.stage}-create-data"
    )
    interrupted = []
    for stop_at in range(20):
        try:
            destroy(account, Seen(stop_at))
        except KeyboardInterrupt:
            interrupted.append(stop_at)
            continue
        break

    assert holdings(account).nothing
    # Before three buckets were emptied, before their stack, before the code bucket was emptied.
    assert len(interrupted) >= 5


@pytest.mark.integration
def test_more_than_a_thousand_versions_go_in_several_calls(account):
    s3, bucket = account.session.client("s3"), f"full-{account.stage}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(1005):
        s3.put_object(Bucket=bucket, Key="one", Body=b"")
    calls: list[int] = []
    s3.meta.events.register(
        "before-parameter-build.s3.DeleteObjects",
        lambda params, **_: calls.append(len(params["Delete"]["Objects"])),
    )
    steps = Seen()

    empty_bucket(s3, bucket, steps)

    assert calls == [1000, 5]
    assert f"bucket {bucket} emptied: 1,005 versions" in steps.output.getvalue()
    s3.delete_bucket(Bucket=bucket)
    empty_bucket(s3, bucket, steps)  # one that is gone is empty


@pytest.mark.integration
def test_buckets_of_other_stages_and_regions_are_left_alone(account):
    s3 = account.session.client("s3")
    here = f"chartbuster-{account.stage}-{account.id}-code"
    there = f"chartbuster-{account.stage}-{account.id}-raw"
    other = f"chartbuster-{account.stage}x-{account.id}-code"
    s3.create_bucket(Bucket=here)
    s3.create_bucket(Bucket=other)
    s3.create_bucket(Bucket=there, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    found = holdings(account)
    destroy(account, Seen())

    assert [bucket.name for bucket in found.buckets] == [here]
    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    assert names & {here, there, other} == {there, other}
    for bucket in (there, other):
        s3.delete_bucket(Bucket=bucket)


def _cloud(**given) -> FakeCloud:
    return FakeCloud("chartbuster-dev-data", "chartbuster-dev-123456789012-raw", ["a"], **given)


def test_what_somebody_writes_meanwhile_is_deleted_in_another_try():
    def once(cloud: FakeCloud) -> None:
        if cloud.deletions == 1:
            cloud.versions.append("late")

    cloud, steps = _cloud(late=once), Seen()

    destroy(cloud.account(), steps)

    assert not cloud.there
    assert cloud.deletions == 2
    assert "something was written into a bucket" in steps.output.getvalue()


def test_a_bucket_that_fills_again_and_again_is_named_with_what_to_do():
    cloud = _cloud(late=lambda cloud: cloud.versions.append("late"))

    with pytest.raises(DeploymentFailed) as failed:
        destroy(cloud.account(), Seen())

    assert cloud.deletions == 3
    for words in ("chartbuster-dev-data", cloud.bucket, "is not empty", "run it again"):
        assert words in str(failed.value)


def test_a_version_that_cannot_be_deleted_is_named():
    cloud = _cloud()
    cloud.versions = ["locked.csv"]

    with pytest.raises(DeploymentFailed, match=r"locked\.csv \(AccessDenied: no\)"):
        destroy(cloud.account(), Seen())

    assert cloud.deletions == 0


def test_a_deployment_that_goes_on_by_itself_is_waited_for():
    cloud = _cloud(status="UPDATE_IN_PROGRESS", busy_looks=1)

    destroy(cloud.account(), Seen())

    assert not cloud.there


def test_a_deletion_that_was_left_alone_is_taken_up_again():
    cloud = _cloud(status="DELETE_IN_PROGRESS", busy_looks=3)
    cloud.versions = []

    destroy(cloud.account(), Seen())

    assert not cloud.there
    assert cloud.deletions == 0


def test_a_stack_whose_last_deletion_failed_is_emptied_and_deleted():
    cloud = _cloud(status="DELETE_FAILED")

    destroy(cloud.account(), Seen())

    assert not cloud.there


def test_a_protected_stack_says_how_to_take_the_protection_off():
    with pytest.raises(DeploymentFailed, match="--no-enable-termination-protection"):
        destroy(_cloud(protected=True).account(), Seen())


@pytest.mark.integration
def test_a_stage_of_which_there_is_nothing_is_nothing(account):
    steps = Seen()

    destroy(account, steps)

    assert holdings(account).nothing
    assert steps.begun == []


@pytest.mark.integration
def test_stacks_go_in_the_reverse_order_of_deploying(account):
    body = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
    client = account.session.client("cloudformation")
    for part in ("bootstrap", "compute", "data", "scaling"):
        apply(client, plan(client, account.stack(part), body, {}))
    steps = Seen()

    destroy(account, steps)

    assert [each.rpartition("-")[2] for each in steps.begun] == [
        *("scaling", "compute", "data", "bootstrap")
    ]


@pytest.mark.integration
def test_patience_that_runs_out_says_that_it_goes_on(account, zip_path):
    _deployed(account, zip_path)

    with pytest.raises(DeploymentSlow, match="run it again, which goes on from there"):
        destroy(account, Seen(), patience=-1.0)

    destroy(account, Seen())
    assert holdings(account).nothing


def test_only_the_name_of_the_stage_confirms():
    def never(_question: str) -> str:
        raise AssertionError("it asked although it was told")

    assert confirmed("chartbuster-dev", "", lambda question: "chartbuster-dev\n")
    assert not confirmed("chartbuster-dev", "", lambda question: "yes")
    assert not confirmed("chartbuster-dev", "", lambda question: "")
    assert confirmed("chartbuster-dev", "chartbuster-dev", never)
    with pytest.raises(Misconfigured, match="CONFIRM is 'yes'; expected 'chartbuster-dev'"):
        confirmed("chartbuster-dev", "yes", never)
    with pytest.raises(Misconfigured, match="CONFIRM=chartbuster-dev"):
        confirmed("chartbuster-dev", "", None)


def test_a_stage_whose_name_holds_an_account_does_not_take_anothers_buckets(account):
    dev = Account("123456789012", "us-east-1", "dev", "", account.session)

    assert is_bucket_of(dev, "chartbuster-dev-123456789012-raw")
    # The stage is called dev-123456789012.
    assert not is_bucket_of(dev, "chartbuster-dev-123456789012-123456789012-raw")
    assert not is_bucket_of(dev, "chartbuster-dev2-123456789012-raw")
    assert not is_bucket_of(dev, "chartbuster-dev-999999999999-raw")
