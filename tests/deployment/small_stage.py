"""A stage as small as can be, for programs that look at one: it is there within a second."""

import json
import zipfile
from pathlib import Path

from infra.data import deploy_data
from infra.stacks import apply, plan, template
from scripts.aws.account import Account

DIGEST = f"sha256:{'a' * 64}"
"""The image its trainer is made from, by digest."""

_COMPUTE = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Cluster": {"Type": "AWS::ECS::Cluster"},
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": "tiny",
                "RequiresCompatibilities": ["FARGATE"],
                "Cpu": "256",
                "Memory": "512",
                "NetworkMode": "awsvpc",
                "ContainerDefinitions": [
                    {"Name": "trainer", "Image": f"example.com/trainer@{DIGEST}"}
                ],
            },
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Task"},
                "LaunchType": "FARGATE",
                "DesiredCount": 0,
            },
        },
        "Warns": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": "something failed",
                "Namespace": "AWS/SQS",
                "MetricName": "NumberOfMessagesSent",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            },
        },
    },
    "Outputs": {
        "QueueUrl": {"Value": {"Ref": "Queue"}},
        "Cluster": {"Value": {"Ref": "Cluster"}},
        "TrainerService": {"Value": {"Fn::GetAtt": ["Service", "Name"]}},
        "WebUrl": {"Value": "http://tiny.elb.amazonaws.com"},
    },
}

COMPUTE = json.dumps(_COMPUTE)
"""A compute stack with a trainer, none of which is wanted, an alarm and a queue."""


def deploy(account: Account, folder: Path) -> None:
    """Deploy the stage: the real bootstrap and data stacks, and a small compute stack."""
    client = account.session.client("cloudformation")
    bootstrap = plan(
        client, account.stack("bootstrap"), template("bootstrap.yaml"), {"Stage": account.stage}
    )
    apply(client, bootstrap)
    code = folder / "create_data.zip"
    with zipfile.ZipFile(code, "w") as zipped:
        zipped.writestr("lambdas/create_data/handler.py", "def lambda_handler(e, c): return e\n")
    deploy_data(account.session, stage=account.stage, zip_path=code)
    apply(client, plan(client, account.stack("compute"), COMPUTE, {}))
