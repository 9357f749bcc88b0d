"""Taking a stage down: what there is of it, and its removal in the reverse order of deploying.

CloudFormation refuses to delete a bucket that holds anything, so each is emptied just before the
stack that owns it: all versions, all delete markers, all abandoned uploads. Every step finds for
itself what is left to do, so that a teardown may stop anywhere and is begun again.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chartbuster.errors import Misconfigured
from infra.stacks import DeploymentFailed, DeploymentSlow
from scripts.aws.account import Account
from scripts.aws.stage import Resource, Stack, is_not_offered, stack_of, stacks_of
from scripts.aws.templates import PARTS
from scripts.steps import Steps

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_BUCKET, _REPOSITORY = "AWS::S3::Bucket", "AWS::ECR::Repository"
_MOST_IMAGES = 100  # what ECR deletes in one call
# Whoever writes while a stage goes down, like a last event of the Lambda, fills a bucket again.
_TRIES = 3
_TELL_EVERY = 2.0
_POLL_SECONDS = 0.5
_STALE_SECONDS = 5.0


@dataclass(frozen=True)
class Bucket:
    """A bucket and what it holds: current objects, all versions with the delete markers, bytes."""

    name: str
    objects: int
    versions: int
    size: int


@dataclass(frozen=True)
class Repository:
    """A repository of images and how many it holds."""

    name: str
    images: int


@dataclass(frozen=True)
class Holdings:
    """What exists of a stage, and what could not be asked for; `nothing` when that is all."""

    stacks: tuple[Stack, ...]
    buckets: tuple[Bucket, ...]
    repositories: tuple[Repository, ...]
    log_groups: tuple[str, ...]
    not_asked: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        return not (self.stacks or self.buckets or self.repositories or self.log_groups)


def holdings(account: Account) -> Holdings:
    """What exists of the stage: its stacks, and by their names also what no stack owns."""
    s3, repositories = account.session.client("s3"), _repositories_if_offered(account)
    return Holdings(
        stacks=stacks_of(account),
        buckets=tuple(_counted(s3, name) for name in _buckets(account)),
        repositories=repositories or (),
        log_groups=tuple(_log_groups(account)),
        not_asked=("repositories of images: this stand-in has none",)
        if repositories is None
        else (),
    )


def is_bucket_of(account: Account, name: str) -> bool:
    """Whether a bucket is the stage's, by its name."""
    return bool(re.fullmatch(rf"chartbuster-{account.stage}-{account.id}-[a-z]+", name))


def log_group_prefixes(account: Account) -> tuple[str, ...]:
    """What the names of the stage's log groups begin with; services make some by themselves."""
    name = f"chartbuster-{account.stage}"
    return (
        f"/chartbuster/{account.stage}/",
        f"/aws/lambda/{name}-create-data",
        f"/aws/ecs/containerinsights/{name}/",
    )


def confirmed(name: str, said: str, ask: Callable[[str], str] | None) -> bool:
    """Whether `name` was typed, or `said` beforehand; `ask` is None where nobody can be asked.

    Raises `Misconfigured` when something else was said, or nothing and nobody can be asked.
    """
    if said:
        if said != name:
            raise Misconfigured(f"CONFIRM is {said!r}; expected {name!r}, the name of the stage")
        return True
    if ask is None:
        raise Misconfigured(
            "this deletes everything of the stage, and there is no terminal to ask on; say that it "
            f"is meant: CONFIRM={name}"
        )
    return ask(f"Type {name} to delete all of it: ").strip() == name


def destroy(account: Account, steps: Steps, *, patience: float = 1800.0) -> None:
    """Remove the stage; what is gone already is passed over.

    `patience` is how many seconds one stack may take: `DeploymentSlow` after that. Raises
    `DeploymentFailed` with the reasons when a stack cannot be deleted.
    """
    for part in reversed(PARTS):
        if stack_of(account, part) is not None:
            _remove_stack(account, part, steps, patience)
    _remove_unowned(account, steps)


def _remove_unowned(account: Account, steps: Steps) -> None:
    """What has the stage's name and no stack any more.

    That is the bucket of the zip where only the data stack was deployed, what a service made by
    itself, and what somebody kept when a stack could not be deleted. It was all shown before.
    """
    s3, logs = account.session.client("s3"), account.session.client("logs")
    for bucket in _buckets(account):
        empty_bucket(s3, bucket, steps)
        with steps.step(f"deleting bucket {bucket}", f"bucket {bucket} deleted"):
            s3.delete_bucket(Bucket=bucket)
    for repository in _repositories_if_offered(account) or ():
        with steps.step(
            f"deleting repository {repository.name}", f"repository {repository.name} deleted"
        ):
            account.session.client("ecr").delete_repository(
                repositoryName=repository.name, force=True
            )
    for group in _log_groups(account):
        with steps.step(f"deleting log group {group}", f"log group {group} deleted"):
            logs.delete_log_group(logGroupName=group)


def empty_bucket(s3: "S3Client", bucket: str, steps: Steps) -> None:
    """Delete every version, delete marker and unfinished upload; a bucket that is gone is empty.

    Raises `DeploymentFailed` when S3 refuses to delete one of them.
    """
    deleted, told = 0, time.monotonic()
    with steps.step(f"emptying bucket {bucket}") as done:
        _abort_unfinished(s3, bucket)
        for some in _versions(s3, bucket):
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True})
            if refused := answer.get("Errors"):
                first = refused[0]
                raise DeploymentFailed(
                    f"bucket {bucket} cannot be emptied: {first.get('Key')} "
                    f"({first.get('Code')}: {first.get('Message')})"
                    + (f", and {len(refused) - 1} more" if len(refused) > 1 else "")
                )
            deleted += len(some)
            if time.monotonic() - told > _TELL_EVERY:
                told = time.monotonic()
                steps.say(f"    {deleted:,} versions deleted so far")
        done(f"bucket {bucket} emptied: {deleted:,} versions")


def _remove_stack(account: Account, part: str, steps: Steps, patience: float) -> None:
    deadline = time.monotonic() + patience
    for left in reversed(range(_TRIES)):
        found = _idle(account, part, deadline, patience)
        if found is None:
            return
        for bucket in found.ids(_BUCKET):
            empty_bucket(account.session.client("s3"), bucket, steps)
        for repository in found.ids(_REPOSITORY):
            _empty_repository(account, repository, steps)
        failed = _deleted(account, found, steps, deadline, patience)
        if failed is None:
            return
        if not (left and _filled_again(failed)):
            raise DeploymentFailed(_why(failed))
        steps.say(f"    something was written into a bucket of {failed.name} meanwhile; once more")


def _idle(account: Account, part: str, deadline: float, patience: float) -> Stack | None:
    """The stack once nothing changes it any more: a deployment that was left alone goes on."""
    while True:
        found = stack_of(account, part)
        # REVIEW: exists as a plan only. DELETE: our own, of a run that was interrupted.
        if found is None or found.status in {"REVIEW_IN_PROGRESS", "DELETE_IN_PROGRESS"}:
            return found
        if not found.status.endswith("_IN_PROGRESS"):
            return found
        _wait(deadline, found, patience)


def _deleted(
    account: Account, stack: Stack, steps: Steps, deadline: float, patience: float
) -> Stack | None:
    """Delete `stack` and wait; the stack as it is when that failed, None when it is gone."""
    client = account.session.client("cloudformation")
    shown = {each.name for each in stack.resources}
    with steps.step(f"deleting stack {stack.name}", f"stack {stack.name} deleted") as done:
        if stack.status != "DELETE_IN_PROGRESS":
            try:
                client.delete_stack(StackName=stack.name)
            except ClientError as error:
                raise DeploymentFailed(
                    f"stack {stack.name!r} cannot be deleted: {error}; where its termination "
                    "protection is on, turn that off first: aws cloudformation "
                    f"update-termination-protection --no-enable-termination-protection "
                    f"--stack-name {stack.name}"
                ) from error
        started, begun = time.monotonic(), False
        while True:
            found = stack_of(account, stack.part)
            there = {each.name for each in found.resources} if found else set()
            for name in sorted(shown - there):
                steps.say(f"    {name} deleted")
            shown &= there
            if found is None:
                return None
            begun |= found.status == "DELETE_IN_PROGRESS"
            # It may say for a moment how the last try ended.
            stale = stack.status == found.status and time.monotonic() - started < _STALE_SECONDS
            if found.status == "DELETE_FAILED" and (begun or not stale):
                done(f"stack {stack.name} could not be deleted")
                return found
            _wait(deadline, found, patience)


def _why(stack: Stack) -> str:
    reasons = [
        f"{each.name} ({each.type} {each.id}): {each.reason or 'no reason given'}"
        for each in _failed(stack)
    ]
    return (
        f"stack {stack.name!r} ended as {stack.status}: "
        f"{'; '.join(reasons) or 'CloudFormation gave no reason'}. Remove what is named there or "
        "what uses it, and run it again"
    )


def _failed(stack: Stack) -> list[Resource]:
    return [each for each in stack.resources if each.status == "DELETE_FAILED"]


def _filled_again(stack: Stack) -> bool:
    failed = _failed(stack)
    return bool(failed) and all(each.type == _BUCKET for each in failed)


def _wait(deadline: float, stack: Stack, patience: float) -> None:
    if time.monotonic() > deadline:
        raise DeploymentSlow(
            f"stack {stack.name!r} is still {stack.status} after {patience:.0f} s; run it again, "
            "which goes on from there"
        )
    time.sleep(_POLL_SECONDS)


def _buckets(account: Account) -> list[str]:
    """The stage's buckets by name, and only those of the account's region."""
    s3 = account.session.client("s3")
    return [
        bucket["Name"]
        for bucket in s3.list_buckets()["Buckets"]
        if is_bucket_of(account, bucket["Name"])
        and s3.head_bucket(Bucket=bucket["Name"]).get("BucketRegion", account.region)
        == account.region
    ]


def _counted(s3: "S3Client", name: str) -> Bucket:
    objects = versions = size = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        stored = page.get("Versions", [])
        objects += sum(1 for each in stored if each["IsLatest"])
        versions += len(stored) + len(page.get("DeleteMarkers", []))
        size += sum(each["Size"] for each in stored)
    return Bucket(name, objects, versions, size)


def _versions(s3: "S3Client", bucket: str) -> Iterator[list["ObjectIdentifierTypeDef"]]:
    """What is still there, up to 1000 at a time: always the first of it, since the last is gone."""
    before: list[ObjectIdentifierTypeDef] = []
    while some := _first_versions(s3, bucket):
        if some == before:
            raise DeploymentFailed(
                f"bucket {bucket} cannot be emptied: {some[0]['Key']} is still there although S3 "
                "said that it deleted it"
            )
        yield some
        before = some


def _first_versions(s3: "S3Client", bucket: str) -> list["ObjectIdentifierTypeDef"]:
    try:
        page = s3.list_object_versions(Bucket=bucket)
    except ClientError as error:
        if _is_gone(error):
            return []
        raise
    return [
        {"Key": each["Key"], "VersionId": each["VersionId"]}
        for each in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
    ]


def _abort_unfinished(s3: "S3Client", bucket: str) -> None:
    """Forget uploads in parts that were never completed; the parts count as content."""
    try:
        for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
            for each in page.get("Uploads", []):
                s3.abort_multipart_upload(Bucket=bucket, Key=each["Key"], UploadId=each["UploadId"])
    except ClientError as error:
        if not _is_gone(error):
            raise


def _repositories_if_offered(account: Account) -> tuple[Repository, ...] | None:
    """The stage's repositories; None where a stand-in has no registry."""
    try:
        return tuple(_repositories(account))
    except ClientError as error:
        if is_not_offered(account, error):
            return None
        raise


def _repositories(account: Account) -> Iterator[Repository]:
    pages = account.session.client("ecr").get_paginator("describe_repositories")
    for page in pages.paginate():
        for each in page["repositories"]:
            name = each["repositoryName"]
            if name.startswith(account.repository("")):
                yield Repository(name, len(_digests(account, name)))


def _digests(account: Account, repository: str) -> list[str]:
    """The images of a repository, by their digests; one that is gone has none."""
    pages = account.session.client("ecr").get_paginator("list_images")
    try:
        return sorted(
            {
                image["imageDigest"]
                for page in pages.paginate(repositoryName=repository)
                for image in page["imageIds"]
            }
        )
    except ClientError as error:
        if _is_gone(error):
            return []
        raise


def _empty_repository(account: Account, repository: str, steps: Steps) -> None:
    ecr = account.session.client("ecr")
    digests = _digests(account, repository)
    if not digests:
        return
    with steps.step(
        f"emptying repository {repository}", f"repository {repository}: {len(digests)} images"
    ):
        # An image of several platforms goes before those it is made of, so twice is enough.
        for _ in range(2):
            for some in batched(digests, _MOST_IMAGES, strict=False):
                answer = ecr.batch_delete_image(
                    repositoryName=repository, imageIds=[{"imageDigest": each} for each in some]
                )
            digests = _digests(account, repository)
            if not digests:
                return
        raise DeploymentFailed(
            f"repository {repository} cannot be emptied: {answer.get('failures')}"
        )


def _log_groups(account: Account) -> list[str]:
    pages = account.session.client("logs").get_paginator("describe_log_groups")
    return [
        group["logGroupName"]
        for prefix in log_group_prefixes(account)
        for page in pages.paginate(logGroupNamePrefix=prefix)
        for group in page["logGroups"]
        if prefix.endswith("/") or group["logGroupName"] == prefix
    ]


def _is_gone(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in {
        *("NoSuchBucket", "404"),
        "RepositoryNotFoundException",
    }
