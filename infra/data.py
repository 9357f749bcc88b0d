"""The stack of `data.yaml`: where its zip goes, its parameters, its plan and its outputs."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError

from infra.stacks import Plan, apply, plan, template

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketLocationConstraintType


def stack_name(stage: str) -> str:
    """The name of the stack for a stage."""
    return f"chartbuster-{stage}-data"


def plan_data(session: boto3.Session, *, stage: str, zip_path: Path) -> Plan:
    """What deploying `data.yaml` with the Lambda zip at `zip_path` would change.

    The zip is uploaded under its digest first, since CloudFormation wants to see it; one that is
    there already is not sent again. Nothing else changes before `apply`.
    """
    account = session.client("sts").get_caller_identity()["Account"]
    bucket = f"chartbuster-{stage}-{account}-code"
    s3 = session.client("s3")
    _make_bucket(s3, bucket, session.region_name)
    key = upload_code(s3, bucket, zip_path)
    parameters = {
        "Stage": stage,
        "CodeBucket": bucket,
        "CodeKey": key,
        "Architecture": architecture(zip_path),
    }
    cloudformation = session.client("cloudformation")
    return plan(cloudformation, stack_name(stage), template("data.yaml"), parameters)


def deploy_data(
    session: boto3.Session,
    *,
    stage: str,
    zip_path: Path,
    progress: Callable[[str], None] = lambda _line: None,
) -> dict[str, str]:
    """Plan, apply, and return the outputs by name; a repeat changes nothing."""
    wanted = plan_data(session, stage=stage, zip_path=zip_path)
    return apply(session.client("cloudformation"), wanted, progress=progress)


def architecture(zip_path: Path) -> str:
    """`arm64` or `x86_64`: the processor the compiled modules in the zip were built for."""
    with zipfile.ZipFile(zip_path) as code:
        names = code.namelist()
    return "arm64" if any("-aarch64-" in name for name in names) else "x86_64"


def code_key(zip_path: Path) -> str:
    """The key of a zip in the code bucket; other code has another key."""
    return f"create_data/{hashlib.sha256(zip_path.read_bytes()).hexdigest()}.zip"


def upload_code(s3: "S3Client", bucket: str, zip_path: Path) -> str:
    """Have the zip in the code bucket, and return its key; one that is there is not sent again."""
    key = code_key(zip_path)
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.put_object(Bucket=bucket, Key=key, Body=zip_path.read_bytes())
    return key


def _make_bucket(s3: "S3Client", bucket: str, region: str) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        if region == "us-east-1":  # the one region that must not be named
            s3.create_bucket(Bucket=bucket)
        else:
            place: BucketLocationConstraintType = region  # type: ignore[assignment]
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": place})
