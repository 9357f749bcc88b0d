"""What an account shows of a stage: as it has to be, and each thing that is not is named."""

import io
import uuid
import zipfile

import pytest

from infra.stacks import apply, plan, template
from scripts.aws.account import Account
from scripts.aws.shown import NOTHING, changed, shown, stack_state, wiring
from scripts.aws.standin import StandIn

pytestmark = pytest.mark.integration

PAUSE = 0.02
ALLOWED = "203.0.113.7/32"


def tiny_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as code:
        code.writestr("lambdas/create_data/handler.py", "def lambda_handler(*_): ...\n")
    return packed.getvalue()


def deployed(standin: StandIn, **instead: tuple[str, str]):
    """A fresh stage with the three templates; `instead` has what one of them says otherwise."""
    account = standin.account(f"s{uuid.uuid4().hex[:8]}")
    cloudformation = account.session.client("cloudformation")

    def text(part: str) -> str:
        said = template(f"{part}.yaml")
        if part in instead:
            old, new = instead[part]
            assert old in said, f"{part}.yaml does not say {old!r} any more"
            said = said.replace(old, new)
        return said

    def applied(part: str, parameters: dict[str, str]) -> dict[str, str]:
        wanted = plan(cloudformation, account.stack(part), text(part), parameters, pause=PAUSE)
        return apply(cloudformation, wanted, pause=PAUSE)

    repositories = applied("bootstrap", {"Stage": account.stage})
    code = {"CodeBucket": repositories["CodeBucket"], "CodeKey": "create_data/tiny.zip"}
    account.session.client("s3").put_object(
        Bucket=code["CodeBucket"], Key=code["CodeKey"], Body=tiny_zip()
    )
    known = {"Stage": account.stage, "Architecture": "x86_64"}
    data = applied("data", {**known, **code})
    images = {
        f"{name}Image": f"{repositories[f'{name}RepositoryUri']}@sha256:{'a' * 64}"
        for name in ("Trainer", "Webapp")
    }
    applied("compute", {**known, "AllowedCidr": ALLOWED, **images, **data})
    return account


def wrong(account: Account, *, allowed: str = ALLOWED) -> set[str]:
    return {fact.what for fact in wiring(account, allowed=allowed) if not fact.holds}


def test_a_stage_from_the_templates_is_wired_as_it_has_to_be(standin):
    assert wrong(deployed(standin)) == set()


def test_others_than_the_allowed_may_not_open_the_app(standin):
    account = deployed(standin)

    assert wrong(account, allowed="198.51.100.0/24") == {"load balancer: may be called from"}


@pytest.mark.parametrize(
    ("part", "old", "new", "facts"),
    [
        ("compute", "Value: lb_cookie", "Value: app_cookie", {"web: stickiness"}),
        (
            "compute",
            "HealthCheckPath: /_stcore/health",
            "HealthCheckPath: /",
            {"web: health is asked at"},
        ),
        (
            "compute",
            'User: "10001:10001"',
            'User: "0"',
            {"trainer: user", "webapp: user"},
        ),
        (
            "compute",
            "ReadonlyRootFilesystem: true",
            "ReadonlyRootFilesystem: false",
            {"trainer: root is read-only", "webapp: root is read-only"},
        ),
        (
            "compute",
            "{ CidrIp: !Ref AllowedCidr, IpProtocol: tcp, FromPort: 80,",
            "{ CidrIp: 0.0.0.0/0, IpProtocol: tcp, FromPort: 80,",
            {"load balancer: may be called from"},
        ),
        (
            "compute",
            "SourceSecurityGroupId: !Ref LoadBalancerSecurity",
            "CidrIp: 10.0.0.0/8",
            {"webapp: may be called from"},
        ),
        (
            "compute",
            "SecurityGroups: [!Ref TrainerSecurity]",
            "SecurityGroups: [!Ref WebappSecurity]",
            {"trainer: runs in its group"},
        ),
        (
            "compute",
            "TaskRoleArn: !Ref WebappRoleArn",
            "TaskRoleArn: !Ref TrainerRoleArn",
            {"webapp: runs as", "trainer and webapp have roles of their own"},
        ),
        (
            "compute",
            "{ Name: RAW_BUCKET, Value: !Ref RawBucket }",
            "{ Name: RAW_BUCKET, Value: !Ref ReadyBucket }",
            {"trainer: environment", "webapp: environment"},
        ),
        (
            "compute",
            "Service: ecs-tasks.amazonaws.com",
            "Service: ec2.amazonaws.com",
            {"trainer: its executionRole is for", "webapp: its executionRole is for"},
        ),
        (
            "data",
            "deadLetterTargetArn: !GetAtt TrainDeadLetterQueue.Arn",
            "deadLetterTargetArn: !GetAtt LambdaDeadLetterQueue.Arn",
            {"failed trainings go to"},
        ),
        (
            "data",
            "OnFailure: { Destination: !GetAtt LambdaDeadLetterQueue.Arn }",
            "OnFailure: { Destination: !GetAtt TrainDeadLetterQueue.Arn }",
            {"failed uploads go to"},
        ),
        (
            "data",
            "Queue: !GetAtt TrainQueue.Arn",
            "Queue: !GetAtt TrainDeadLetterQueue.Arn",
            {"prepared data goes to the queue"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 60 else "",
)
def test_what_is_wired_otherwise_is_named(standin, part, old, new, facts):
    assert wrong(deployed(standin, **{part: (old, new)})) == facts


def test_a_repeat_shows_the_same_and_another_image_its_own_service(standin):
    account = deployed(standin)
    cloudformation = account.session.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=account.stack("compute"))["Stacks"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    before = shown(account)

    def again(**other: str) -> set[str]:
        wanted = plan(
            cloudformation,
            account.stack("compute"),
            template("compute.yaml"),
            {**parameters, **other},
            pause=PAUSE,
        )
        apply(cloudformation, wanted, pause=PAUSE)
        return changed(before, shown(account))

    assert again() == set()
    new = parameters["TrainerImage"].replace("a" * 64, "b" * 64)
    assert again(TrainerImage=new) == {"stack compute", "trainer revision", "trainer image"}


def test_a_stack_that_is_gone_is_shown_as_nothing(standin):
    account = deployed(standin)
    cloudformation = account.session.client("cloudformation")

    cloudformation.delete_stack(StackName=account.stack("compute"))
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=account.stack("compute"), WaiterConfig={"Delay": 1}
    )

    assert stack_state(account, "compute") == NOTHING
    assert shown(account)["trainer image"] == NOTHING
    assert stack_state(account, "data").startswith("CREATE_COMPLETE ")
