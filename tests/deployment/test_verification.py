"""Whether what is deployed is what was built: decided from values, and read from the stand-in.

The stand-in starts no task, so digests of running tasks are read from answers as ECS gives them.
"""

import dataclasses
import hashlib
import io
import json
import os
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import pytest
from botocore.stub import Stubber
from rich.console import Console

from chartbuster import layout
from chartbuster.aws import S3Store
from chartbuster.errors import NotFound
from chartbuster.identity import digest
from chartbuster.memory import InMemoryStore
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from chartbuster.runs import RunManifest
from compose.manifest import Manifest
from infra.stacks import apply, plan, template
from scripts.aws.account import Account
from scripts.aws.images import AWS_IMAGES, Held, plan_pushes, push
from scripts.aws.records import Record, Records
from scripts.aws.standin import StandIn
from scripts.aws.templates import PARTS
from scripts.aws.verification import (
    Deployed,
    Local,
    Row,
    Run,
    Verdict,
    as_json,
    built,
    compare,
    deployed,
    recorded_run,
    run_manifest,
    running_digests,
)
from scripts.running import ROOT
from scripts.verify_aws import conclusion, table
from tests import containers
from tests.deployment.small_images import Builder, manifest_of
from tests.emulator import require
from tests.unit.made_up_run import made_up_run


def an_id(letter: str) -> str:
    return f"sha256:{letter * 64}"


def holding(letter: str, manifest: str) -> Held:
    return Held(an_id(manifest), (an_id(letter), an_id(manifest)), (an_id(manifest),))


HERE = Local(
    code="c" * 64,
    images={"trainer": an_id("1"), "webapp": an_id("2")},
    templates={f"{part}.yaml": part for part in PARTS},
    run="4ce0ee90",
    run_manifest="d" * 64,
)
THERE = Deployed(
    is_stand_in=False,
    code="c" * 64,
    held={"trainer": holding("1", "a"), "webapp": holding("2", "b")},
    references={"trainer": f"registry/t@{an_id('a')}", "webapp": f"registry/w@{an_id('b')}"},
    running={"trainer": (an_id("a"), an_id("a")), "webapp": (an_id("b"),)},
    templates={f"{part}.yaml": part for part in PARTS},
    run=Run("4ce0ee90", "d" * 64, {"card.html": "e", "m": "f"}, {"card.html": "e", "m": "f"}),
)
assert THERE.run is not None


def verdicts(rows: tuple[Row, ...]) -> dict[str, str]:
    return {row.artifact: row.verdict.value for row in rows}


def unlike(local: Local, there: Deployed) -> dict[str, str]:
    """What is not the same, and what it is instead."""
    return {name: said for name, said in verdicts(compare(local, there)).items() if said != "same"}


def the(artifact: str, local: Local, there: Deployed) -> Row:
    (found,) = (row for row in compare(local, there) if row.artifact == artifact)
    return found


def with_tasks(*shown: str, **changes: Any) -> Deployed:
    return dataclasses.replace(THERE, running={**THERE.running, "trainer": shown}, **changes)


# --- decided from values ----------------------------------------------------------------------


def test_everything_deployed_as_built_is_the_same():
    assert [row.artifact for row in compare(HERE, THERE)] == [
        "bootstrap.yaml",
        "data.yaml",
        "compute.yaml",
        "scaling.yaml",
        "create_data.zip",
        "image of trainer",
        "task definition of trainer",
        "running tasks of trainer",
        "image of webapp",
        "task definition of webapp",
        "running tasks of webapp",
        "run 4ce0ee90",
        "its 2 files",
    ]
    assert unlike(HERE, THERE) == {}


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"code": "0" * 64}, {"create_data.zip": "different"}),
        ({"code": ""}, {"create_data.zip": "missing"}),
        (
            {"templates": {**THERE.templates, "compute.yaml": "other"}},
            {"compute.yaml": "different"},
        ),
        ({"templates": {**THERE.templates, "data.yaml": ""}}, {"data.yaml": "missing"}),
        ({"templates": {**THERE.templates, "scaling.yaml": ""}}, {"scaling.yaml": "left out"}),
        (
            {"templates": {**THERE.templates, "scaling.yaml": "other"}},
            {"scaling.yaml": "different"},
        ),
        (
            {"held": {**THERE.held, "trainer": holding("9", "a")}},
            {"image of trainer": "different"},
        ),
        (
            {"held": {**THERE.held, "webapp": None}},
            {
                "image of webapp": "missing",
                "task definition of webapp": "missing",
                "running tasks of webapp": "different",
            },
        ),
        (
            {"references": {**THERE.references, "webapp": f"registry/w@{an_id('a')}"}},
            {"task definition of webapp": "different"},
        ),
        (
            {"references": {**THERE.references, "webapp": "registry/w:latest"}},
            {"task definition of webapp": "missing"},
        ),
        (
            {"run": dataclasses.replace(THERE.run, manifest="0" * 64)},
            {"run 4ce0ee90": "different"},
        ),
        (
            {"run": dataclasses.replace(THERE.run, read={"card.html": "e", "m": "0"})},
            {"its 2 files": "different"},
        ),
        (
            {"run": dataclasses.replace(THERE.run, read={"card.html": "e"})},
            {"its 2 files": "missing"},
        ),
        ({"run": None}, {"run 4ce0ee90": "missing", "its 0 files": "missing"}),
    ],
)
def test_what_is_deployed_otherwise_is_seen_and_nothing_else_is_blamed(
    change: dict[str, Any], rows: dict[str, str]
):
    assert unlike(HERE, dataclasses.replace(THERE, **change)) == rows


def test_one_task_of_another_image_is_enough_and_named():
    row = the("running tasks of trainer", HERE, with_tasks(an_id("a"), an_id("0")))

    assert row == Row("running tasks of trainer", an_id("a"), an_id("0"), Verdict.DIFFERENT)


def test_a_task_may_show_the_image_inside_a_list_of_manifests():
    inner = Held(an_id("a"), (an_id("1"), an_id("a")), (an_id("a"), an_id("7")))
    there = with_tasks(an_id("7"), held={**THERE.held, "trainer": inner})

    assert unlike(HERE, there) == {}


def test_a_task_that_shows_no_digest_is_never_the_same():
    assert unlike(HERE, with_tasks("")) == {"running tasks of trainer": "not shown"}
    assert unlike(HERE, with_tasks(an_id("a"), "")) == {"running tasks of trainer": "not shown"}
    assert unlike(HERE, with_tasks("", an_id("0"))) == {"running tasks of trainer": "different"}


def test_no_task_means_that_nothing_runs_only_where_something_could():
    idle = {"running tasks of trainer": "nothing runs"}

    assert unlike(HERE, with_tasks()) == idle
    assert unlike(HERE, with_tasks(is_stand_in=True)) == {"running tasks of trainer": "not shown"}


def test_a_run_is_not_shown_to_be_the_same_without_the_local_one():
    alone = dataclasses.replace(HERE, run_manifest="")

    assert unlike(alone, THERE) == {"run 4ce0ee90": "not shown"}
    assert unlike(alone, dataclasses.replace(THERE, run=None)) == {
        "run 4ce0ee90": "missing",
        "its 0 files": "missing",
    }


def test_without_a_carried_run_there_is_none_to_compare():
    rows = compare(dataclasses.replace(HERE, run=""), THERE)

    assert not [row for row in rows if "run " in row.artifact or "files" in row.artifact]


def test_only_what_is_different_or_missing_is_bad():
    bad = {verdict for verdict in Verdict if not Row("a", "1", "2", verdict).is_good}

    assert bad == {Verdict.DIFFERENT, Verdict.MISSING}


# --- read from the stand-in -------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Stage:
    """A whole deployment on the stand-in, and what it was made from."""

    account: Account
    made: Manifest
    outputs: dict[str, str]

    @property
    def artifacts(self) -> ObjectStore:
        return S3Store(self.account.session.client("s3"), self.outputs["ArtifactsBucket"])

    def rows(self, *, run: str = "", run_manifest: str = "") -> tuple[Row, ...]:
        local = built(self.made, run=run, run_manifest=run_manifest)
        return compare(local, deployed(self.account, local))


@pytest.fixture(scope="module")
def stage(standin: StandIn, engine: docker.DockerClient) -> Iterator[Stage]:
    builder = Builder(engine)
    try:
        yield _deployed(standin, builder)
    finally:
        builder.remove()


def _deployed(standin: StandIn, builder: Builder) -> Stage:
    """All stacks that a stand-in takes, with small images and a small zip."""
    account = standin.account(f"v{uuid.uuid4().hex[:8]}")
    client = account.session.client("cloudformation")
    code = _zip(b"def lambda_handler(event, context): ...")
    known = {"Stage": account.stage, "Architecture": "x86_64", "AllowedCidr": "203.0.113.7/32"}
    made = dataclasses.replace(
        manifest_of(builder.image(10), builder.image(20)),
        artifacts={"create_data.zip": digest(code)},
        templates={f"{part}.yaml": digest(template(f"{part}.yaml").encode()) for part in PARTS},
    )
    for part in ("bootstrap", "data", "compute"):
        body = template(f"{part}.yaml")
        wanted = client.validate_template(TemplateBody=body)["Parameters"]
        parameters = {
            name: known[name] for each in wanted if (name := each["ParameterKey"]) in known
        }
        known |= apply(client, plan(client, account.stack(part), body, parameters))
        if part == "bootstrap":
            references = push(account, plan_pushes(account, made, environ=standin.environ))
            known |= {f"{name.title()}Image": references[name] for name in AWS_IMAGES}
            known["CodeKey"] = f"create_data/{digest(code)}.zip"
            account.session.client("s3").put_object(
                Bucket=known["CodeBucket"], Key=known["CodeKey"], Body=code
            )
    return Stage(account, made, known)


def _zip(handler: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as code:
        code.writestr("lambdas/create_data/handler.py", handler)
    return body.getvalue()


def _publish(store: ObjectStore, run: str, files: dict[str, bytes]) -> RunManifest:
    models = {model.file: b"a model" for model in made_up_run().models}
    return Registry(store).publish(
        dataclasses.replace(made_up_run(), run_id=run), {**models, **files}
    )


def test_a_deployment_of_what_was_built_is_shown_to_be_it_as_far_as_it_can(stage: Stage):
    rows = stage.rows()

    assert {row.artifact: row.verdict.value for row in rows if row.verdict != "same"} == {
        "scaling.yaml": "left out",
        "running tasks of trainer": "not shown",
        "running tasks of webapp": "not shown",
    }
    assert conclusion(rows) == "8 of 11 are what was built; 3 have nothing to compare"


def test_an_image_built_anew_is_missing_until_it_is_deployed(stage: Stage, builder: Builder):
    new = manifest_of(builder.image(10), stage.made.images["webapp"].id).images
    rebuilt = dataclasses.replace(stage, made=dataclasses.replace(stage.made, images=new))

    said = {row.artifact: row.verdict.value for row in rebuilt.rows()}

    assert said["image of trainer"] == said["task definition of trainer"] == "missing"
    assert said["image of webapp"] == said["task definition of webapp"] == "same"


def test_code_somebody_else_put_into_the_lambda_is_seen(stage: Stage):
    client, function = stage.account.session.client("lambda"), stage.outputs["FunctionName"]
    other = _zip(b"import nothing")

    client.update_function_code(FunctionName=function, ZipFile=other)
    try:
        (row,) = (row for row in stage.rows() if row.artifact == "create_data.zip")
    finally:
        client.update_function_code(
            FunctionName=function,
            S3Bucket=stage.outputs["CodeBucket"],
            S3Key=stage.outputs["CodeKey"],
        )

    assert row.verdict is Verdict.DIFFERENT
    assert row.deployed == hashlib.sha256(other).hexdigest()


def test_a_service_somebody_turned_to_another_image_is_seen(stage: Stage):
    ecs, cluster = stage.account.session.client("ecs"), stage.outputs["Cluster"]
    service = stage.outputs["WebappService"]
    own = ecs.describe_services(cluster=cluster, services=[service])["services"][0]
    other = ecs.register_task_definition(
        family="other",
        containerDefinitions=[{"name": "webapp", "image": f"elsewhere/webapp@{an_id('0')}"}],
    )["taskDefinition"]["taskDefinitionArn"]

    ecs.update_service(cluster=cluster, service=service, taskDefinition=other)
    try:
        (row,) = (row for row in stage.rows() if row.artifact == "task definition of webapp")
    finally:
        ecs.update_service(cluster=cluster, service=service, taskDefinition=own["taskDefinition"])

    assert row.verdict is Verdict.DIFFERENT
    assert row.deployed == an_id("0")


def test_where_nothing_is_deployed_everything_is_missing(standin: StandIn):
    account = standin.account("empty")
    local = built(manifest_of(an_id("1"), an_id("2")))

    found = deployed(account, local)

    assert not any((found.code, *found.references.values(), *found.templates.values()))
    assert recorded_run(account) == ""
    assert {row.verdict.value for row in compare(local, found)} == {
        "missing",
        "left out",
        "not shown",
    }


def test_a_carried_run_is_the_local_one_to_the_last_file(stage: Stage):
    here = InMemoryStore()
    _publish(here, "carried", {"card.html": b"a card"})
    _publish(stage.artifacts, "carried", {"card.html": b"a card"})

    rows = stage.rows(run="carried", run_manifest=run_manifest(lambda: here, "carried"))

    assert [row.verdict.value for row in rows[-2:]] == ["same", "same"]
    assert rows[-2].artifact == "run carried"


def test_a_file_of_a_carried_run_that_was_changed_or_lost_is_seen(stage: Stage):
    store = stage.artifacts
    manifest = _publish(store, "damaged", {"card.html": b"a card"})
    key = layout.attempt_prefix("damaged", manifest.attempt) + "card.html"

    store.write(key, b"another")
    changed = stage.rows(run="damaged")[-1]
    store.delete(key)
    lost = stage.rows(run="damaged")[-1]

    assert (changed.verdict, lost.verdict) == (Verdict.DIFFERENT, Verdict.MISSING)


def test_a_run_that_was_never_carried_is_missing(stage: Stage):
    assert [row.verdict.value for row in stage.rows(run="elsewhere")[-2:]] == ["missing"] * 2


def test_the_run_is_the_one_that_was_carried_along_last(stage: Stage):
    records = Records(S3Store(stage.account.session.client("s3"), stage.outputs["CodeBucket"]))
    plain = Record(manifest={}, images={}, stacks={})
    known = []

    for record in (
        plain,
        dataclasses.replace(plain, run="old"),
        dataclasses.replace(plain, run="new"),
        dataclasses.replace(plain, images={"trainer": "another"}),
    ):
        _name, is_new = records.add(record, now=datetime.now(UTC))
        known.append((is_new, recorded_run(stage.account)))

    assert known == [(True, ""), (True, "old"), (True, "new"), (True, "new")]


def test_a_repeat_without_a_run_is_nothing_new_to_record():
    records = Records(InMemoryStore())
    with_run = Record(manifest={}, images={}, stacks={}, run="carried")

    first = records.add(with_run, now=datetime.now(UTC))
    again = records.add(dataclasses.replace(with_run, run=""), now=datetime.now(UTC))

    assert again == (first[0], False)
    assert records.carried_run() == "carried"


def test_a_local_stack_that_is_not_up_leaves_its_run_unknown():
    def down() -> ObjectStore:
        raise NotFound("no stack is up")

    assert run_manifest(down, "4ce0ee90") == ""


def test_every_task_of_a_service_is_read_however_many_pages(standin: StandIn):
    client = standin.session.client("ecs")
    arns = [f"arn:{number}" for number in range(3)]
    with Stubber(client) as ecs:
        asked = {"cluster": "c", "serviceName": "s", "desiredStatus": "RUNNING"}
        ecs.add_response("list_tasks", {"taskArns": arns[:2], "nextToken": "more"}, asked)
        ecs.add_response("list_tasks", {"taskArns": arns[2:]}, {**asked, "nextToken": "more"})
        ecs.add_response(
            "describe_tasks",
            {
                "tasks": [
                    {"containers": [{"name": "other", "imageDigest": an_id("0")}]},
                    {"containers": [{"name": "trainer", "imageDigest": an_id("a")}]},
                    {"containers": [{"name": "trainer"}]},
                ]
            },
            {"cluster": "c", "tasks": arns},
        )

        found = running_digests(client, "c", "s", "trainer")

    assert found == (an_id("a"), "")


# --- told -------------------------------------------------------------------------------------


def test_people_read_the_first_digits_and_programs_all_of_them(standin: StandIn):
    there = with_tasks(an_id("0"))
    console = Console(width=100, record=True, file=io.StringIO())

    console.print(table(compare(HERE, there)))
    told = json.loads(as_json(standin.account(), compare(HERE, there)))

    shown = console.export_text()
    assert f"running tasks of trainer     {'a' * 12}   {'0' * 12}   different" in shown
    assert "a" * 13 not in shown
    assert told["artifacts"][7] == {
        "artifact": "running tasks of trainer",
        "local": an_id("a"),
        "deployed": an_id("0"),
        "verdict": "different",
    }
    assert told["same"] is False


def test_the_program_ends_with_an_error_where_something_is_missing(
    standin: StandIn, tmp_path: Path
):
    require(containers.lacking())

    done = subprocess.run(
        [sys.executable, "-m", "scripts.verify_aws", "--format", "json"],
        cwd=ROOT,
        env={**os.environ, **standin.environ, "STAGE": "nowhere"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["stage"] == "nowhere"
    assert {"artifact": "image of trainer", "verdict": "missing"}.items() <= next(
        each for each in told["artifacts"] if each["artifact"] == "image of trainer"
    ).items()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "infra").glob("*.yaml")), ids=lambda path: path.name
)
def test_a_template_is_given_back_as_it_was_sent(path: Path):
    """CloudFormation gives a question mark for every other character, so digests would differ."""
    assert path.read_text(encoding="utf-8").isascii()
