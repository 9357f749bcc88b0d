"""Planning and applying `infra/data.yaml` on a real LocalStack."""

import io
import json
import uuid
import zipfile

import pytest

from compose.layout import expected_outputs
from infra.data import architecture, deploy_data, plan_data, stack_name
from infra.stacks import DeploymentFailed, apply, discard, outputs, plan, template

pytestmark = pytest.mark.integration

_HANDLER = b"def lambda_handler(event, context):\n    return event\n"
_TINY = json.dumps(
    {"Resources": {"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}}}}
)


@pytest.fixture
def session(emulator, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.endpoint)
    return emulator.session


@pytest.fixture
def zip_path(tmp_path):
    path = tmp_path / "create_data.zip"
    with zipfile.ZipFile(path, "w") as code:
        code.writestr("lambdas/create_data/handler.py", _HANDLER)
    return path


@pytest.fixture
def cloudformation(session):
    return session.client("cloudformation")


def test_a_plan_changes_nothing_and_a_discarded_one_leaves_nothing(cloudformation, session):
    name = f"plan-{uuid.uuid4().hex[:8]}"

    wanted = plan(cloudformation, name, _TINY, {})
    discard(cloudformation, wanted)

    assert [(change.action, change.name) for change in wanted.changes] == [("Add", "Queue")]
    assert not [
        queue for queue in session.client("sqs").list_queues().get("QueueUrls", []) if name in queue
    ]
    assert outputs(cloudformation, name) == {}


def test_applying_twice_changes_nothing_the_second_time(cloudformation):
    name = f"twice-{uuid.uuid4().hex[:8]}"
    seen: list[str] = []

    apply(cloudformation, plan(cloudformation, name, _TINY, {}), progress=seen.append)
    again = plan(cloudformation, name, _TINY, {})

    assert any(line.startswith("Queue: CREATE_COMPLETE") for line in seen)
    assert again.changes == ()
    assert apply(cloudformation, again) == {}


def test_a_template_that_cannot_be_says_why(cloudformation):
    body = json.dumps({"Resources": {"A": {"Type": "AWS::SQS::Queue", "DependsOn": "Nothing"}}})

    with pytest.raises(DeploymentFailed, match="Nothing"):
        apply(cloudformation, plan(cloudformation, f"bad-{uuid.uuid4().hex[:8]}", body, {}))


def test_the_data_stack_has_the_outputs_every_program_expects(session, zip_path, emulator):
    stage = f"t{uuid.uuid4().hex[:8]}"

    found = deploy_data(session, stage=stage, zip_path=zip_path)

    expected = expected_outputs(emulator.endpoint, stage)
    assert {name: found[name] for name in expected} == expected
    assert not plan_data(session, stage=stage, zip_path=zip_path).changes
    s3, raw = session.client("s3"), found["RawBucket"]
    assert s3.get_bucket_versioning(Bucket=raw)["Status"] == "Enabled"
    notifications = s3.get_bucket_notification_configuration(Bucket=raw)
    (wired,) = notifications["LambdaFunctionConfigurations"]
    assert wired["LambdaFunctionArn"].endswith(found["FunctionName"])
    announced = s3.get_bucket_notification_configuration(Bucket=found["ReadyBucket"])
    (queue,) = announced["QueueConfigurations"]
    assert queue["QueueArn"].endswith(f"chartbuster-{stage}-train")
    assert stack_name(stage) == f"chartbuster-{stage}-data"


def test_new_code_is_a_change_of_the_function_alone(session, zip_path):
    stage = f"t{uuid.uuid4().hex[:8]}"
    deploy_data(session, stage=stage, zip_path=zip_path)
    with zipfile.ZipFile(zip_path, "a") as code:
        code.writestr("more.py", b"")

    wanted = plan_data(session, stage=stage, zip_path=zip_path)

    assert {change.name for change in wanted.changes} == {"CreateData"}


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("pandas/lib.cpython-313-aarch64-linux-gnu.so", "arm64"),
        ("pandas/lib.cpython-313-x86_64-linux-gnu.so", "x86_64"),
    ],
)
def test_the_zip_says_which_processor_it_is_for(tmp_path, module, expected):
    path = tmp_path / "code.zip"
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as code:
        code.writestr(module, b"")
    path.write_bytes(body.getvalue())

    assert architecture(path) == expected


def test_the_template_is_the_file_of_this_repository():
    assert template("data.yaml").startswith("AWSTemplateFormatVersion")
