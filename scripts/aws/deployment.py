"""A deployment, step by step. Each step does what is not done yet, so that a repeat converges.

bootstrap  the repositories and the bucket for code
images     what the repositories lack is pushed
code       the Lambda's zip is uploaded
data       buckets, queues and the Lambda
run        a run of the local stack is carried along, when one is named
compute    network, load balancer and containers
scaling    how many containers run, and the budget
record     what is deployed now is written down
smoke      the app is asked whether it serves
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from chartbuster.aws import S3Store
from chartbuster.errors import ChartBusterError, NotFound, TryAgain
from chartbuster.ports import ObjectStore
from chartbuster.registry import Registry
from compose.manifest import Manifest
from infra import stacks
from infra.data import upload_code
from infra.stacks import DeploymentFailed, DeploymentSlow
from scripts.aws.account import Account
from scripts.aws.calls import asking, code_of
from scripts.aws.carrying import carry
from scripts.aws.images import Push, digest_in, plan_pushes, push
from scripts.aws.parameters import Sources, filled
from scripts.aws.planning import Images, Part, Prepared, known_values, look, planned, tags
from scripts.aws.preflight import Built
from scripts.aws.records import Record, Records, StackRecord
from scripts.aws.smoke import Smoke, resolves
from scripts.aws.templates import read
from scripts.steps import Steps

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ecr import ECRClient

STEPS = (
    *("bootstrap", "images", "code", "data", "run"),
    *("compute", "scaling", "record", "smoke"),
)
_PATIENCE = 3600.0


@dataclass(frozen=True)
class Pace:
    """How often CloudFormation is asked, in seconds: AWS counts calls, a stand-in does not."""

    pause: float

    @classmethod
    def of(cls, account: Account) -> "Pace":
        return cls(0.2 if account.is_stand_in else 3.0)


@dataclass(frozen=True)
class State:
    """What the steps so far know and did."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    stacks: Mapping[str, StackRecord] = field(default_factory=dict)
    changed: bool = False


@dataclass(frozen=True)
class Site:
    """Where a deployment goes, and how its progress is told."""

    account: Account
    steps: Steps
    pace: Pace
    smoke: Smoke
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def client(self) -> "CloudFormationClient":
        return self.account.session.client("cloudformation")

    def store(self, bucket: str) -> ObjectStore:
        """The objects of one of the account's buckets."""
        return S3Store(self.account.session.client("s3"), bucket)

    def records(self) -> Records:
        """The records of the stage; raises `NotFound` where nothing was ever deployed."""
        stack = self.account.stack("bootstrap")
        found = stacks.outputs(self.client, stack)
        if "CodeBucket" not in found:
            raise NotFound(
                f"account {self.account.id} has no stack {stack} in {self.account.region}; "
                f"`make deploy-aws STAGE={self.account.stage}` makes it"
            )
        return Records(self.store(found["CodeBucket"]))

    def apply(self, part: str, wanted: StackRecord, state: State) -> State:
        """Have one stack as it is wanted; what it was before matters not."""
        stack, client = self.account.stack(part), self.client
        with self.steps.step(f"stack {stack}") as better_words:
            plan = stacks.plan(
                client,
                stack,
                wanted.template,
                wanted.parameters,
                tags=tags(self.account),
                progress=self.say,
                patience=_PATIENCE,
                pause=self.pace.pause,
            )
            found = stacks.apply(
                client, plan, progress=self.say, patience=_PATIENCE, pause=self.pace.pause
            )
            # Plans of interrupted runs; those of this one are carried out by now.
            stacks.tidy(client, stack)
            if not plan.changes:
                better_words(f"stack {stack}: nothing changed")
        return replace(
            state,
            outputs={**state.outputs, **found},
            stacks={**state.stacks, part: wanted},
            changed=state.changed or bool(plan.changes),
        )

    def say(self, line: str) -> None:
        """One line of progress."""
        self.steps.say(f"    {line}")

    def ask_the_app(self, state: State, url: str) -> None:
        """The smoke test; raises `Unreachable` with what to look at when the app does not do.

        Without `url` the app is asked where the stack says it is.
        """
        where = url or state.outputs["WebUrl"]
        if self.account.is_stand_in and not url:
            self.steps.say(
                "  smoke test left out: a stand-in runs no app; WEB_URL=http://127.0.0.1:8501 "
                "names one that runs on this machine"
            )
            return
        self.account.reachable(where)
        if not resolves(where):
            self.steps.say(
                f"  smoke test left out: {where} leads nowhere yet; point its name at "
                f"{state.outputs['LoadBalancerDnsName']} (CNAME), and run it again"
            )
            return
        parameters = state.stacks["compute"].parameters
        registry = Registry(self.store(state.outputs["ArtifactsBucket"]))
        active = registry.active()
        with self.steps.step(f"asking {where}") as better_words:
            try:
                said = self.smoke.test(
                    where,
                    expects_model=active is not None and registry.champion(active) is not None,
                    signs_in_before=bool(parameters.get("OidcIssuer")),
                    progress=self.say,
                )
            except TryAgain as error:
                raise type(error)(
                    f"{error}. Everything is deployed; is this machine within AllowedCidr, "
                    f"{parameters.get('AllowedCidr')}? `make logs-aws STAGE={self.account.stage}` "
                    "shows what the app says"
                ) from error
            better_words(said)


@dataclass(frozen=True)
class Run:
    """A run to be carried along: its id, and the store it comes from, opened when needed."""

    run_id: str
    source: Callable[[], ObjectStore]


@dataclass(frozen=True)
class Deployment:
    """What is to be deployed, and where to."""

    site: Site
    built: Built
    given: Mapping[str, str]
    images: Images
    run: Run | None = None
    web_url: str = ""
    begins: bool = True
    """Whether anything will change, which is noted while it is under way."""

    def until(self, last: str = "smoke") -> State:
        """Do the steps up to the one called `last`, which is one of `STEPS`.

        Raises `DeploymentFailed` or `DeploymentSlow` with the reasons, what stands now, and what to
        do.
        """
        state = State()
        for name in STEPS[: STEPS.index(last) + 1]:
            try:
                state = getattr(self, f"_{name}")(state)
            except (DeploymentFailed, DeploymentSlow) as error:
                raise type(error)(f"{error}\n{self._standing()}") from error
        return state

    def _bootstrap(self, state: State) -> State:
        return self._apply("bootstrap", state)

    def _images(self, state: State) -> State:
        if self.begins:
            self._records(state).begin(self.built.manifest.revision, now=self.site.now())
        pushes = self.images.pushes()
        needed = [each.image for each in pushes if each.needed]
        doing = f"pushing {' and '.join(needed)}" if needed else "images are there already"
        with self.site.steps.step(doing):
            references = self.images.push(pushes, self.site.say)
        return replace(state, references=references, changed=state.changed or bool(needed))

    def _code(self, state: State) -> State:
        with self.site.steps.step("zip of create_data is there"):
            client = self.site.account.session.client("s3")
            upload_code(client, state.outputs["CodeBucket"], self.built.zip_path)
        return state

    def _data(self, state: State) -> State:
        return self._apply("data", state)

    def _run(self, state: State) -> State:
        if self.run is None:
            return state
        with self.site.steps.step(f"carrying run {self.run.run_id[:12]} along") as better_words:
            carried = carry(
                self.run.run_id,
                self.run.source,
                self.site.store(state.outputs["ArtifactsBucket"]),
                now=self.site.now(),
                progress=self.site.say,
            )
            if not carried.changed:
                better_words(f"run {self.run.run_id[:12]} is there already")
        champion = carried.champion
        if champion.run_id != self.run.run_id:
            self.site.steps.say(
                f"  the champion of {carried.dataset} stays {champion.model} of run "
                f"{champion.run_id[:12]}; the app's Models page can promote the other"
            )
        return replace(state, changed=state.changed or carried.changed)

    def _compute(self, state: State) -> State:
        return self._apply("compute", state)

    def _scaling(self, state: State) -> State:
        return self._apply("scaling", state) if "scaling" in self.built.templates else state

    def _record(self, state: State) -> State:
        record = Record(
            asdict(self.built.manifest),
            state.references,
            state.stacks,
            run=self.run.run_id if self.run else "",
        )
        records = self._records(state)
        name, new = records.add(record, now=self.site.now())
        records.finish()
        self.site.steps.say(
            f"  recorded as {name}" if new else f"  nothing new to record since {name}"
        )
        return state

    def _smoke(self, state: State) -> State:
        self.site.ask_the_app(state, self.web_url)
        return state

    def _apply(self, part: str, state: State) -> State:
        known = {"Stage": self.site.account.stage}
        if state.references:
            known = known_values(self.site.account, self.built, state.references)
        template = self.built.templates[part]
        deployed = stacks.parameters(self.site.client, self.site.account.stack(part))
        sources = Sources(known, state.outputs, self.given, deployed)
        wanted = StackRecord(template.text, filled(template.parameters, sources))
        return self.site.apply(part, wanted, state)

    def _records(self, state: State) -> Records:
        return Records(self.site.store(state.outputs["CodeBucket"]))

    def _standing(self) -> str:
        return standing(self.site, self.built.templates)


def standing(site: Site, parts: Iterable[str]) -> str:
    """What stands now, and what to do about it, after a deployment that did not come through."""
    stage = site.account.stage
    states = ", ".join(
        f"{part} {stacks.status(site.client, site.account.stack(part)) or 'not there'}"
        for part in parts
    )
    try:
        back = bool(site.records().names())
    except ChartBusterError:
        back = False
    instead = (
        f"`make rollback-aws STAGE={stage}` returns to the last deployment that came through"
        if back
        else f"`make destroy-aws STAGE={stage}` takes away what there is"
    )
    return (
        f"what stands now: {states}\n"
        f"what to do: mend the cause and run `make deploy-aws STAGE={stage}` again, which goes on "
        f"from here; or {instead}"
    )


@dataclass(frozen=True)
class Rollback:
    """Going back to a record: its templates and parameters, and so its images and its zip."""

    site: Site
    name: str
    record: Record
    web_url: str = ""

    def preview(self) -> tuple[Part, ...]:
        """What going back would change, stack by stack; leaves nothing behind.

        Raises `NotFound` naming every image and zip of the record that is not there any more.
        """
        if gone := self._gone():
            raise NotFound(
                f"record {self.name} cannot come back: {', '.join(gone)} is not there any more; "
                "`make deploy-aws` of its revision makes it again"
            )
        client, account = self.site.client, self.site.account
        found = look(client, account, self.record.stacks)
        return tuple(
            planned(
                client,
                account,
                part,
                Prepared(read(part, wanted.template), wanted.parameters),
                found[part],
                pause=self.site.pace.pause,
            )
            for part, wanted in self.record.in_order()
        )

    def _gone(self) -> list[str]:
        ecr = self.site.account.session.client("ecr")
        gone = []
        for name, reference in self.record.images.items():
            with asking(f"ask ECR for the image of {name}"):
                if not _holds_image(ecr, self.site.account.repository(name), digest_in(reference)):
                    gone.append(f"the image {reference}")
        data = self.record.stacks["data"].parameters
        if self.site.store(data["CodeBucket"]).etag(data["CodeKey"]) is None:
            gone.append(f"the zip s3://{data['CodeBucket']}/{data['CodeKey']}")
        return gone

    def carry_out(self) -> State:
        """Apply every stack of the record, put that on record, and ask the app.

        Raises `DeploymentFailed` or `DeploymentSlow` with the reasons, what stands now, and what to
        do.
        """
        state = State(references=self.record.images)
        records = self.site.records()
        records.begin(f"back to {self.name}", now=self.site.now())
        for part, wanted in self.record.in_order():
            try:
                state = self.site.apply(part, wanted, state)
            except (DeploymentFailed, DeploymentSlow) as error:
                raise type(error)(f"{error}\n{standing(self.site, self.record.stacks)}") from error
        name, _new = records.add(replace(self.record, back_to=self.name), now=self.site.now())
        records.finish()
        self.site.steps.say(f"  recorded as {name}")
        self.site.ask_the_app(state, self.web_url)
        return state


def _holds_image(ecr: "ECRClient", repository: str, digest: str) -> bool:
    try:
        answer = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            return False
        raise
    return bool(answer["images"])


@dataclass(frozen=True)
class EcrImages:
    """The images of a build on their way to the account's ECR."""

    account: Account
    manifest: Manifest
    environ: Mapping[str, str] = field(repr=False)

    def pushes(self) -> tuple[Push, ...]:
        return plan_pushes(self.account, self.manifest, environ=self.environ)

    def push(self, pushes: Iterable[Push], progress: Callable[[str], None]) -> dict[str, str]:
        return push(self.account, pushes, progress=lambda sent: progress(str(sent)))
