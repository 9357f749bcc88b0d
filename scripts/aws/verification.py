"""Whether what is deployed is what was built: digest by digest, all of it read from the account.

`compare` decides; everything else here reads. What a stand-in has no digest for is said to be not
shown, and never to be the same.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import batched
from typing import TYPE_CHECKING

from botocore.config import Config
from botocore.exceptions import ClientError

from chartbuster import layout
from chartbuster.aws import S3Store
from chartbuster.errors import ChartBusterError, Misconfigured, NotFound
from chartbuster.identity import checked_run, digest
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from compose.manifest import Manifest
from infra.stacks import outputs
from scripts.aws.account import Account
from scripts.aws.calls import asking, code_of
from scripts.aws.images import AWS_IMAGES, Held, digest_in, held, tag_of
from scripts.aws.records import Records
from scripts.aws.templates import PARTS

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

CODE = "create_data.zip"
_LEFT_OUT = "scaling"
_MOST_TASKS_AT_ONCE = 100


class Verdict(StrEnum):
    """What a comparison comes to."""

    SAME = "same"
    DIFFERENT = "different"
    MISSING = "missing"
    NOT_SHOWN = "not shown"
    NOTHING_RUNS = "nothing runs"
    LEFT_OUT = "left out"


_BAD = {Verdict.DIFFERENT, Verdict.MISSING}


@dataclass(frozen=True)
class Row:
    """One artifact: its digest here, its digest there (empty where there is none), the verdict."""

    artifact: str
    local: str
    deployed: str
    verdict: Verdict

    @property
    def is_good(self) -> bool:
        """Whether nothing speaks against this being the same."""
        return self.verdict not in _BAD


@dataclass(frozen=True)
class Run:
    """A carried run's manifest as SHA-256, and its files' by name, as its manifest has them.

    `read` are the files' SHA-256 as they were read; those that are not there are not in it.
    """

    id: str
    manifest: str
    files: Mapping[str, str]
    read: Mapping[str, str]


@dataclass(frozen=True)
class Local:
    """What was built here: SHA-256 of the zip and of the templates, the images' local ids.

    `run` is the id of the run that was carried along, if one was, and `run_manifest` the SHA-256 of
    its manifest in the local stack, empty when none of that is up.
    """

    code: str
    images: Mapping[str, str]
    templates: Mapping[str, str]
    run: str = ""
    run_manifest: str = ""


@dataclass(frozen=True)
class Deployed:
    """What the account has of the same; whatever is not there is empty.

    `held` is what the repositories hold under the images' tags, `references` what the services'
    task definitions name, and `running` has a digest for every running task, empty where the task
    shows none.
    """

    is_stand_in: bool
    code: str
    held: Mapping[str, Held | None]
    references: Mapping[str, str]
    running: Mapping[str, tuple[str, ...]]
    templates: Mapping[str, str]
    run: Run | None = None


def compare(local: Local, deployed: Deployed) -> tuple[Row, ...]:
    """Every artifact with its verdict, in the order in which they are deployed."""
    return (
        *(_template(part, local, deployed) for part in PARTS),
        _row(CODE, local.code, deployed.code),
        *(row for name in AWS_IMAGES for row in _image(name, local.images[name], deployed)),
        *_run(local, deployed.run),
    )


def _row(artifact: str, local: str, deployed: str) -> Row:
    if not local or not deployed:
        return Row(artifact, local, deployed, Verdict.MISSING)
    return Row(artifact, local, deployed, Verdict.SAME if local == deployed else Verdict.DIFFERENT)


def _template(part: str, local: Local, deployed: Deployed) -> Row:
    name = f"{part}.yaml"
    row = _row(name, local.templates.get(name, ""), deployed.templates.get(name, ""))
    if part == _LEFT_OUT and not row.deployed:
        return Row(name, row.local, "", Verdict.LEFT_OUT)
    return row


def _image(name: str, image_id: str, deployed: Deployed) -> Iterable[Row]:
    found = deployed.held[name]
    own = found.digest if found else ""
    there = "" if found is None else image_id if found.is_image(image_id) else found.ids[0]
    yield _row(f"image of {name}", image_id, there)
    yield _row(f"task definition of {name}", own, digest_in(deployed.references[name]))
    yield _running(name, found, deployed)


def _running(name: str, found: Held | None, deployed: Deployed) -> Row:
    artifact, shown = f"running tasks of {name}", deployed.running[name]
    known = found.digests if found else ()
    others = sorted({each for each in shown if each and each not in known})
    here = found.digest if found else ""
    if others:
        return Row(artifact, here, ", ".join(others), Verdict.DIFFERENT)
    if not shown:
        # A stand-in runs nothing, so it cannot show that nothing runs.
        idle = Verdict.NOT_SHOWN if deployed.is_stand_in else Verdict.NOTHING_RUNS
        return Row(artifact, here, "", idle)
    if not all(shown):
        return Row(artifact, here, "", Verdict.NOT_SHOWN)
    return Row(artifact, here, ", ".join(sorted(set(shown))), Verdict.SAME)


def _run(local: Local, found: Run | None) -> Iterable[Row]:
    if not local.run:
        return
    manifest = f"run {local.run}"
    there = found.manifest if found else ""
    if there and not local.run_manifest:
        yield Row(manifest, "", there, Verdict.NOT_SHOWN)
    else:
        yield _row(manifest, local.run_manifest, there)
    files = found.files if found else {}
    row = _row(
        f"its {len(files)} files", _digest_of(files), _digest_of(found.read if found else {})
    )
    if set(files) - set(found.read if found else {}):
        row = Row(row.artifact, row.local, row.deployed, Verdict.MISSING)
    yield row


def _digest_of(files: Mapping[str, str]) -> str:
    """One digest over the files' names and digests; empty without any."""
    lines = "".join(f"{name}\0{each}\n" for name, each in sorted(files.items()))
    return digest(lines.encode()) if lines else ""


def built(manifest: Manifest, *, run: str = "", run_manifest: str = "") -> Local:
    """What `manifest` says was built here; raises `Misconfigured` where something was not."""
    if lacking := [name for name in AWS_IMAGES if name not in manifest.images]:
        raise Misconfigured(f"no image of {', '.join(lacking)} was built; run `make build`")
    return Local(
        code=manifest.artifacts.get(CODE, ""),
        images={name: manifest.images[name].id for name in AWS_IMAGES},
        templates=manifest.templates,
        run=run,
        run_manifest=run_manifest,
    )


def run_manifest(artifacts: Callable[[], ObjectStore], run: str) -> str:
    """The SHA-256 of a run's manifest in the local stack; empty where that cannot be asked."""
    try:
        return digest(artifacts().read(layout.run_manifest(checked_run(run))).body)
    except ChartBusterError:
        return ""


def recorded_run(account: Account) -> str:
    """The run that was carried along last, by its id, as the records say; or nothing."""
    bucket = _outputs(account).get("CodeBucket")
    if not bucket:
        return ""
    return Records(_store(account, bucket)).carried_run()


def deployed(account: Account, local: Local) -> Deployed:
    """What the account has of `local`; reads every file of the carried run.

    Raises `Unreachable` when a service does not answer, and `Corrupt` for a run's manifest that is
    none.
    """
    ecr: ECRClient = account.session.client("ecr")
    ecs: ECSClient = account.session.client("ecs")
    cloudformation: CloudFormationClient = account.session.client("cloudformation")
    names = _outputs(account)
    cluster = names.get("Cluster", "")
    services = {name: names.get(f"{name.title()}Service", "") for name in AWS_IMAGES}
    return Deployed(
        is_stand_in=account.is_stand_in,
        code=_code(account.session.client("lambda"), names.get("FunctionName", "")),
        held={
            name: held(ecr, account.repository(name), tag_of(image))
            for name, image in local.images.items()
        },
        references={
            name: _reference(ecs, cluster, service, name) for name, service in services.items()
        },
        running={
            name: running_digests(ecs, cluster, service, name) for name, service in services.items()
        },
        templates={
            f"{part}.yaml": _template_digest(cloudformation, account.stack(part)) for part in PARTS
        },
        run=_carried(account, names.get("ArtifactsBucket", ""), local.run),
    )


def _outputs(account: Account) -> dict[str, str]:
    """The outputs of all the stage's stacks by name; they share none."""
    client: CloudFormationClient = account.session.client("cloudformation")
    with asking(f"ask for the stacks of {account.stage}"):
        return {
            name: value
            for part in PARTS
            for name, value in outputs(client, account.stack(part)).items()
        }


def _code(client: "LambdaClient", function: str) -> str:
    if not function:
        return ""
    with asking(f"ask for the Lambda {function}"):
        try:
            said = client.get_function_configuration(FunctionName=function)["CodeSha256"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return ""
            raise
    return base64.b64decode(said).hex()


def _reference(client: "ECSClient", cluster: str, service: str, container: str) -> str:
    """The image that the service's own task definition names; its tasks are made from that."""
    if not cluster or not service:
        return ""
    with asking(f"ask ECS for {service}"):
        found = client.describe_services(cluster=cluster, services=[service])["services"]
        if not found:
            return ""
        definition = client.describe_task_definition(taskDefinition=found[0]["taskDefinition"])
    images = {
        each["name"]: each["image"] for each in definition["taskDefinition"]["containerDefinitions"]
    }
    return images.get(container, "")


def running_digests(
    client: "ECSClient", cluster: str, service: str, container: str
) -> tuple[str, ...]:
    """The digest of each running task's image, empty for a task that shows none."""
    if not cluster or not service:
        return ()
    with asking(f"ask ECS for the tasks of {service}"):
        try:
            pages = client.get_paginator("list_tasks").paginate(
                cluster=cluster, serviceName=service, desiredStatus="RUNNING"
            )
            arns = [arn for page in pages for arn in page["taskArns"]]
        except ClientError as error:
            if code_of(error) in {"ServiceNotFoundException", "ClusterNotFoundException"}:
                return ()
            raise
        tasks = [
            task
            for some in batched(arns, _MOST_TASKS_AT_ONCE, strict=False)
            for task in client.describe_tasks(cluster=cluster, tasks=list(some))["tasks"]
        ]
    return tuple(
        each.get("imageDigest", "")
        for task in tasks
        for each in task["containers"]
        if each["name"] == container
    )


def _template_digest(client: "CloudFormationClient", stack: str) -> str:
    with asking(f"ask for the template of {stack}"):
        try:
            # The SDK's types know no text here, which is what it gives for YAML.
            said: object = client.get_template(StackName=stack, TemplateStage="Original")[
                "TemplateBody"
            ]
        except ClientError as error:
            if code_of(error) == "ValidationError":  # there is no such stack
                return ""
            raise
    text = said if isinstance(said, str) else json.dumps(said)
    return digest(text.encode()) if text else ""


def _carried(account: Account, bucket: str, run: str) -> Run | None:
    if not run or not bucket:
        return None
    store = _store(account, bucket)
    try:
        body = store.read(layout.run_manifest(checked_run(run))).body
    except NotFound:
        return None
    manifest = Registry(store).manifest(run)
    prefix = layout.attempt_prefix(run, manifest.attempt)
    read = {}
    for name in manifest.files:
        try:
            read[name] = digest(store.read(prefix + name).body)
        except NotFound:
            continue
    return Run(
        id=run,
        manifest=digest(body),
        files={name: entry.sha256 for name, entry in manifest.files.items()},
        read=read,
    )


def _store(account: Account, bucket: str) -> S3Store:
    client: S3Client = account.session.client(
        "s3", config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard"})
    )
    return S3Store(client, bucket)


def as_json(account: Account, rows: Iterable[Row]) -> str:
    """The whole comparison with every digest in full, for programs."""
    listed = list(rows)
    return json.dumps(
        {
            "account": account.id,
            "region": account.region,
            "stage": account.stage,
            "same": all(row.is_good for row in listed),
            "artifacts": [
                {
                    "artifact": row.artifact,
                    "local": row.local,
                    "deployed": row.deployed,
                    "verdict": row.verdict.value,
                }
                for row in listed
            ],
        },
        indent=2,
    )
