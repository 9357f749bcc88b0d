"""Stages on the stand-in, deployed from small images and a small zip, for tests of deploying."""

import io
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from chartbuster.errors import ChartBusterError
from compose.manifest import Manifest
from infra import stacks
from scripts.aws import preflight
from scripts.aws.account import Account
from scripts.aws.deployment import Deployment, EcrImages, Pace, Rollback, Run, Site, State
from scripts.aws.planning import Images
from scripts.aws.preflight import Built
from scripts.aws.records import Unfinished, wanted_record
from scripts.aws.smoke import Smoke
from scripts.aws.standin import StandIn
from scripts.aws.templates import read
from scripts.steps import Steps
from tests.deployment.small_images import Builder, manifest_of

ALLOWED = "203.0.113.7/32"
PARTS = ("bootstrap", "data", "compute")
"""The stacks a stand-in takes."""


def small_zip(folder: Path, manifest: Manifest, *, seed: str = "") -> Built:
    """What a build makes, with the images of `manifest`, and a zip unlike that of another seed."""
    path = folder / f"create_data{seed}.zip"
    with zipfile.ZipFile(path, "w") as code:
        code.writestr("numpy/core.cpython-313-x86_64-linux-gnu.so", seed)
    made = replace(manifest, revision=f"revision{seed}")
    return Built(made, path, preflight.templates(scaling=False))


def small_build(folder: Path, builder: Builder, *, seed: str = "") -> Built:
    """The same with two small images of its own."""
    return small_zip(folder, manifest_of(builder.image(1_000), builder.image(1_000)), seed=seed)


def with_resource(built: Built, part: str, name: str, resource: str) -> Built:
    """The same with one more resource, as YAML in one line, in the template of `part`."""
    text = built.templates[part].text.replace("\nOutputs:\n", f"\n  {name}: {resource}\nOutputs:\n")
    assert text != built.templates[part].text
    return replace(built, templates={**built.templates, part: read(part, text)})


@dataclass
class Stage:
    """One stage in the stand-in's account; what a program would say is in `said`."""

    account: Account
    built: Built
    environ: Mapping[str, str]
    said: str = ""
    smoke: Smoke = field(default_factory=Smoke)

    @classmethod
    def fresh(cls, standin: StandIn, built: Built) -> "Stage":
        return cls(standin.account(f"t{uuid.uuid4().hex[:8]}"), built, standin.environ)

    @property
    def site(self) -> Site:
        return self._site(io.StringIO())

    def _site(self, output: io.StringIO) -> Site:
        steps = Steps(Console(file=output, highlight=False))
        return Site(self.account, steps, Pace(0.02), self.smoke)

    def images(self, built: Built) -> Images:
        return EcrImages(self.account, built.manifest, self.environ)

    def deploy(
        self,
        *,
        built: Built | None = None,
        until: str = "smoke",
        output: io.StringIO | None = None,
        run: Run | None = None,
        web_url: str = "",
        **given: str,
    ) -> State:
        """Do what `make deploy-aws` does once it was agreed to."""
        what, heard = built or self.built, output or io.StringIO()
        site = self._site(heard)
        deployment = Deployment(site, what, given, self.images(what), run=run, web_url=web_url)
        try:
            return deployment.until(until)
        finally:
            self.said = heard.getvalue()

    def rollback(self, to: str = "") -> Rollback:
        """What `make rollback-aws` would go back to."""
        records = self.site.records()
        found = records.all()
        name = wanted_record(found, to=to, unfinished=records.unfinished())
        return Rollback(self.site, name, found[name])

    # --- what is there, as the account says ---------------------------------------------------

    @property
    def cloudformation(self) -> Any:
        return self.account.session.client("cloudformation")

    def states(self) -> dict[str, str | None]:
        """The stacks' states by part."""
        return {
            part: stacks.status(self.cloudformation, self.account.stack(part)) for part in PARTS
        }

    def parameters(self, part: str) -> dict[str, str]:
        return stacks.parameters(self.cloudformation, self.account.stack(part))

    def resources(self, part: str) -> dict[str, str]:
        """A stack's resources with their states."""
        found = self.cloudformation.describe_stack_resources(StackName=self.account.stack(part))
        return {
            each["LogicalResourceId"]: each["ResourceStatus"] for each in found["StackResources"]
        }

    def events(self) -> dict[str, int]:
        """How much ever happened in each stack that is there."""
        return {
            part: len(
                self.cloudformation.describe_stack_events(StackName=self.account.stack(part))[
                    "StackEvents"
                ]
            )
            for part, state in self.states().items()
            if state
        }

    def plans(self) -> list[str]:
        """The change sets that were made and neither carried out nor thrown away."""
        return [
            each["ChangeSetName"]
            for part, state in self.states().items()
            if state
            for each in self.cloudformation.list_change_sets(StackName=self.account.stack(part))[
                "Summaries"
            ]
        ]

    def pushed(self) -> dict[str, list[str]]:
        """The digests in each repository."""
        ecr = self.account.session.client("ecr")
        return {
            name: [
                each["imageDigest"]
                for each in ecr.describe_images(repositoryName=self.account.repository(name))[
                    "imageDetails"
                ]
            ]
            for name in ("trainer", "webapp")
        }

    def records(self) -> tuple[str, ...]:
        try:
            return self.site.records().names()
        except ChartBusterError:
            return ()

    def unfinished(self) -> Unfinished | None:
        return self.site.records().unfinished()
