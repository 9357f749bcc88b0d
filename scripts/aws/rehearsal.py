"""The rehearsal: the real deployment programs against a stand-in, scenario by scenario.

What came of a deployment is read from the account and from the registry, never from what the
program says of itself.
"""

import hashlib
import json
import re
import signal
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from compose import manifest
from compose.environment import local_aws
from compose.health import app_answers
from compose.layout import HOST
from compose.manifest import Manifest
from scripts.aws import local_task
from scripts.aws.account import Account
from scripts.aws.images import AWS_IMAGES, digest_in
from scripts.aws.programs import Programs, Unexpected
from scripts.aws.shown import (
    NOTHING,
    Fact,
    buckets,
    changed,
    container,
    shown,
    stack_state,
    wiring,
)
from scripts.aws.standin import StandIn, free_port
from scripts.aws.templates import read

ALLOWED = "203.0.113.7/32"
"""Who may open the app: an address that belongs to nobody."""

CANNOT_SHOW: Mapping[str, str] = {
    "that a role may do what it has to": "the stand-in allows everything; the calls of the local "
    "end-to-end run are held against the roles instead",
    "that tasks start on Fargate": "it only says RUNNING; the deployed images are run on this "
    "machine as their task definitions say",
    "the platform, the health check and the Linux parameters of a task": "it forgets them; the "
    "template is checked for them, and held against docker-compose.yml",
    "that targets become healthy and that stickiness works": "there is nothing behind its load "
    "balancer; the app is asked directly",
    "a roll-out that the circuit breaker takes back": "all of its roll-outs succeed",
    "scaling, its alarms and the budget": "it refuses their template; cfn-lint and checks of our "
    "own read it",
    "HTTPS, domain names and signing in at the load balancer": "nothing listens there; the rules "
    "of the template are checked",
    "that a stack follows when only a reference moves to another resource": "its change sets are "
    "empty then; the wiring is read back after a first deployment",
    "that a tag cannot be changed, the scan of images and their expiry": "its registry takes any "
    "push; the program looks before it pushes",
    "that a full bucket is not deleted": "it deletes full ones; that is tested on LocalStack",
    "how long a deployment takes and what it costs": "it answers at once, and for nothing",
}
"""What a stand-in cannot show: why not, or where it is shown instead."""

ONE_IMAGE = {"stack compute", "trainer revision", "trainer image", "trainer pushed", "records"}
"""All that changes when one image of the trainer does: no more, and no less."""

ONE_SERVICE = {"TrainerTask", "TrainerService"}
"""All that is planned for it."""

EXPECTED_VERDICTS: Mapping[str, str] = {
    **{f"{part}.yaml": "same" for part in ("bootstrap", "data", "compute")},
    "scaling.yaml": "left out",
    "create_data.zip": "same",
    **{f"image of {name}": "same" for name in AWS_IMAGES},
    **{f"task definition of {name}": "same" for name in AWS_IMAGES},
    # A stand-in's tasks only say that they run.
    **{f"running tasks of {name}": "not shown" for name in AWS_IMAGES},
}
"""What `make verify-aws` has to say of every artifact on a stand-in."""

_ONE_OF_EACH = {"CodeBucket", "CreateData", "WebappService"}
_PLANNED = re.compile(r"^  (?:new|changed|replaced|deleted) +(\w+) \(", re.MULTILINE)
_MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
# Scaling is what no stand-in takes.
_AS_REHEARSED = ("--without-scaling", "--set", f"AllowedCidr={ALLOWED}")
_LONELY = "CertificateArn=arn:aws:acm:us-east-1:123456789012:certificate/0"


def check(*facts: Fact) -> None:
    """Raise `Unexpected` naming every fact that does not hold; no facts are no success."""
    if not facts:
        raise Unexpected("expected something to check, and found nothing")
    if wrong := [str(fact) for fact in facts if not fact.holds]:
        raise Unexpected("; ".join(wrong))


def verdicts_of(said: str) -> dict[str, str]:
    """The verdict on each artifact in what `verify_aws --format json` said."""
    beginning = said.find("{")
    artifacts = json.loads(said[beginning:])["artifacts"] if beginning >= 0 else []
    return {each["artifact"]: each["verdict"] for each in artifacts}


def planned_in(said: str) -> set[str]:
    """The resources that `plan_aws` named, whatever would happen to them."""
    return set(_PLANNED.findall(said))


def with_trainer(made: Manifest, image_id: str) -> Manifest:
    """`made` with another image of the trainer."""
    other = replace(made.images["trainer"], id=image_id)
    return replace(made, images={**made.images, "trainer": other})


def checkout_with(made: Manifest, root: Path, folder: Path) -> Path:
    """A checkout in `folder` that is the one at `root`, but has built `made`.

    It is made of links, so the programs in it are the same, and find their build beside them.
    """
    build = folder / manifest.FILE.parent
    build.mkdir(parents=True)
    for path in root.iterdir():
        if path.name != build.name:
            (folder / path.name).symlink_to(path)
    for path in (root / build.name).iterdir():
        if path.name != manifest.FILE.name:
            (build / path.name).symlink_to(path)
    (folder / manifest.FILE).write_text(made.to_json(), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Rehearsal:
    """One stage's life on a stand-in, and what may go wrong on stages beside it.

    What is deployed is what was built in the checkout that `programs` are of; `folder` is for
    temporary files. The scenarios are called in the order they stand here; each raises
    `Unexpected`.
    """

    stand_in: StandIn
    programs: Programs
    client: docker.DockerClient
    folder: Path
    stage: str = "rehearsal"

    @property
    def account(self) -> Account:
        """The account as the stage has it."""
        return self.stand_in.account(self.stage)

    @property
    def made(self) -> Manifest:
        """What is deployed."""
        return manifest.read(self.programs.root / manifest.FILE)

    # --- the scenarios --------------------------------------------------------------------------

    def only_planned(self) -> None:
        """A plan for an empty account names every stack, and leaves nothing there."""
        planned = planned_in(self.plan(self.stage))
        check(
            Fact("planned of each stack", set(), _ONE_OF_EACH - planned),
            Fact("what the plan left", {NOTHING}, set(shown(self.account).values())),
            Fact("its buckets", (), buckets(self.account)),
        )

    def push_is_interrupted(self, by: signal.Signals) -> None:
        """Some layers are there when the program is stopped: it is on record nowhere."""
        self._interrupted(self.stage, by, lambda said: " layers, " in said)
        now = shown(self.account)
        check(
            Fact("the stack of the data", NOTHING, now["stack data"]),
            Fact("the stack of the services", NOTHING, now["stack compute"]),
            Fact("what was pushed", {NOTHING}, {now[f"{name} pushed"] for name in AWS_IMAGES}),
            Fact("what is on record", NOTHING, now["records"]),
        )

    def first_deployment(self) -> None:
        """All but the smoke test, since nothing runs behind a stand-in's load balancer."""
        self.deploy(self.stage, "--until", "record")
        self.is_deployed(self.stage)
        check(*wiring(self.account, allowed=ALLOWED))

    @contextmanager
    def deployed_images_run(self) -> Iterator["Rehearsal"]:
        """The images that the registry has, run as the task definitions say.

        The trainer has to be well by its own health check and the app has to answer. Within the
        block there is a rehearsal whose smoke tests ask that app.
        """
        port = free_port()
        url = f"http://{HOST}:{port}"
        with ExitStack() as app_runs:
            with self._task("trainer") as trainer:
                wanted = local_task.health_command(self._template("trainer"))
                local_task.await_well(trainer, lambda: local_task.succeeds(trainer, wanted))
            app = app_runs.enter_context(
                self._task("webapp", command=["--host", HOST, "--port", str(port)])
            )
            local_task.await_well(app, lambda: app_answers(url))
            yield replace(self, programs=self.programs.told(WEB_URL=url))

    def nothing_to_do(self) -> None:
        """A repeat executes no change set, pushes nothing, records nothing; the app is asked."""
        before = shown(self.account)
        self.deploy(self.stage)
        check(Fact("what a repeat changed", set(), changed(before, shown(self.account))))

    def one_image(self) -> None:
        """A changed image of the trainer touches the trainer's service and no other."""
        made = with_trainer(self.made, self._other_trainer())
        root = checkout_with(made, self.programs.root, self.folder / "checkout")
        changed_one = replace(self, programs=self.programs.at(root))
        before = shown(self.account)
        planned = planned_in(changed_one.plan(self.stage))
        check(
            Fact("what is planned", ONE_SERVICE, planned),
            Fact("what the plan changed", set(), changed(before, shown(self.account))),
        )
        changed_one.deploy(self.stage)
        check(Fact("what was changed", ONE_IMAGE, changed(before, shown(self.account))))
        changed_one.is_deployed(self.stage)

    def rollback(self) -> None:
        """Back to what was deployed before; its images are there and pushed by nobody."""
        before = shown(self.account)
        self._run("rollback_aws", self.stage)
        check(
            Fact(
                "what the rollback changed",
                ONE_IMAGE - {"trainer pushed"},
                changed(before, shown(self.account)),
            )
        )
        self.is_deployed(self.stage)

    def refused(self) -> None:
        """What CloudFormation refuses ends with its reason, changes nothing, and is got over."""
        before = shown(self.account)
        self.programs.run("deploy_aws", self.stage, *_AS_REHEARSED, "--set", _LONELY).as_expected(
            1, "CertificateArn and DomainName go together"
        )
        check(Fact("what a refusal changed", set(), changed(before, shown(self.account))))
        self.deploy(self.stage)
        self.is_deployed(self.stage)

    def half_way(self) -> None:
        """A first deployment fails half way, since a bucket's name is taken, and then does not."""
        stage = "half-way"
        account = self.stand_in.account(stage)
        s3 = account.session.client("s3")
        taken = f"chartbuster-{stage}-{account.id}-raw"
        s3.create_bucket(Bucket=taken)
        ended = self.programs.run("deploy_aws", stage, *_AS_REHEARSED)
        ended.as_expected(1, account.stack("data"))
        check(Fact("the stack of the services", NOTHING, shown(account)["stack compute"]))
        s3.delete_bucket(Bucket=taken)
        self.deploy(stage)
        self.is_deployed(stage)

    def interrupted_after(self, step: str) -> None:
        """A first deployment that stopped after `step` is completed by the next."""
        stage = f"after-{step}"
        self.deploy(stage, "--until", step)
        self.deploy(stage)
        self.is_deployed(stage)

    def interrupted_within(self, part: str, by: signal.Signals) -> None:
        """A first deployment that was stopped while it made a stack is completed by the next."""
        stage = f"in-{part}-{by.name.removeprefix('SIG').lower()}"
        account = self.stand_in.account(stage)
        self._interrupted(stage, by, lambda _said: stack_state(account, part) != NOTHING)
        self.deploy(stage)
        self.is_deployed(stage)

    def destroyed(self) -> None:
        """Nothing of the stage is left, and the stage beside it is as it was."""
        other = self.stand_in.account("half-way")
        before = shown(other)
        self._run("destroy_aws", self.stage, "--confirm", f"chartbuster-{self.stage}")
        check(
            Fact("what is left of the stage", {NOTHING}, set(shown(self.account).values())),
            Fact("what is left of its buckets", (), buckets(self.account)),
            Fact("what changed beside it", set(), changed(before, shown(other))),
        )

    def parity(self) -> str:
        """The table of `make verify-aws`: each artifact's local and its deployed digest."""
        said = self._run("verify_aws", self.stage)
        # Behind what is told of the progress.
        return said[said.index(" artifact") :]

    # --- what they are made of ------------------------------------------------------------------

    def plan(self, stage: str) -> str:
        """What `make plan-aws` says of deploying what was built."""
        return self._run("plan_aws", stage, *_AS_REHEARSED)

    def deploy(self, stage: str, *arguments: str) -> None:
        """Deploy what was built on `stage`; raises `Unexpected` when that does not end well."""
        self._run("deploy_aws", stage, *_AS_REHEARSED, *arguments)

    def is_deployed(self, stage: str) -> None:
        """That exactly what was built is there: by the account, the registry and verify-aws."""
        account, made = self.stand_in.account(stage), self.made
        now = shown(account)
        check(
            Fact("the Lambda's code", made.artifacts["create_data.zip"], now["create_data"]),
            *self._image_is(account, "trainer", now, made),
            *self._image_is(account, "webapp", now, made),
        )
        verdicts = verdicts_of(self._run("verify_aws", stage, "--format", "json"))
        check(Fact(f"verify-aws of {stage}", dict(EXPECTED_VERDICTS), verdicts))

    def _image_is(
        self, account: Account, name: str, now: Mapping[str, str], made: Manifest
    ) -> list[Fact]:
        """The task's digest is that of a manifest in the registry, which names our image."""
        repository = account.repository(name)
        digest = digest_in(now[f"{name} image"])
        stored = self._stored(repository, digest) if digest else b"{}"
        uri = f"{account.id}.dkr.ecr.{account.region}.amazonaws.com/{repository}"
        return [
            Fact(f"the task definition of {name}", f"{uri}@{digest}", now[f"{name} image"]),
            Fact(
                f"the digest of what is stored for {name}",
                digest,
                f"sha256:{hashlib.sha256(stored).hexdigest()}",
            ),
            Fact(
                f"the image of {name} that it names",
                made.images[name].id,
                json.loads(stored).get("config", {}).get("digest"),
            ),
        ]

    def _stored(self, repository: str, digest: str) -> bytes:
        request = urllib.request.Request(
            f"http://{self.stand_in.registry}/v2/{repository}/manifests/{digest}",
            headers={"Accept": ", ".join(_MANIFESTS)},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            body: bytes = answer.read()
        return body

    @contextmanager
    def _task(self, name: str, *, command: list[str] | None = None) -> Iterator[Container]:
        """A container as ECS would run it, of the image pulled by the task definition's digest."""
        made = container(self.account, name)
        digest = digest_in(made["image"])
        reference = f"{self.stand_in.registry}/{self.account.repository(name)}@{digest}"
        image = local_task.pulled(self.client, reference)
        check(Fact(f"the image of {name} that is pulled", self.made.images[name].id, image))
        how = local_task.options(
            made, self._template(name), environ=local_aws(self.stand_in.endpoint)
        )
        with local_task.running(
            self.client, image, how, command=command, label=self.stand_in.registry
        ) as task:
            yield task

    def _template(self, name: str) -> Mapping[str, Any]:
        """The container in the template as it is deployed."""
        client = self.account.session.client("cloudformation")
        said: object = client.get_template(
            StackName=self.account.stack("compute"), TemplateStage="Original"
        )["TemplateBody"]
        task = read("compute", str(said)).resources[f"{name.capitalize()}Task"]
        (made,) = task["Properties"]["ContainerDefinitions"]
        found: Mapping[str, Any] = made
        return found

    def _other_trainer(self) -> str:
        """The id of an image that differs from the trainer's in one label."""
        base = self.client.containers.create(
            self.made.images["trainer"].id, labels={local_task.LABEL: self.stand_in.registry}
        )
        try:
            made = base.commit(changes=f"LABEL {local_task.LABEL}={self.stand_in.registry}")
        finally:
            base.remove(v=True)
        return str(made.id)

    def _interrupted(self, stage: str, by: signal.Signals, when: Callable[[str], bool]) -> None:
        # What a program says after a Ctrl-C it says in order; a kill leaves no time for anything.
        code = 130 if by is signal.SIGINT else -by
        arguments = ("deploy_aws", stage, *_AS_REHEARSED)
        self.programs.interrupted(*arguments, when=when, by=by).as_expected(code)

    def _run(self, verb: str, stage: str, *arguments: str) -> str:
        return self.programs.run(verb, stage, *arguments).as_expected().said
