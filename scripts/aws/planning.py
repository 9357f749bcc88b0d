"""What a deployment would change, found out with change sets that are removed again.

A stack whose inputs are made by a stack before it is planned with the names those will have, or
with an example where nobody can know them yet.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from infra import stacks
from infra.data import code_key
from infra.stacks import Change
from scripts.aws import prices
from scripts.aws.account import Account
from scripts.aws.images import Push
from scripts.aws.parameters import Parameter, Sources, lacking, parsed, refuse_lacking
from scripts.aws.preflight import KNOWN, Built, check_settings, templates
from scripts.aws.templates import Template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_NOTES = {
    "UPDATE_ROLLBACK_FAILED": "its way back stopped halfway and is gone to the end first",
    "DELETE_FAILED": "it could not be deleted, and that has to be mended first",
}
_PATIENCE = 600.0


class Images(Protocol):
    """The images on their way to AWS."""

    def pushes(self) -> tuple[Push, ...]:
        """Where each image belongs, and whether it has to be sent."""
        ...

    def push(self, pushes: Iterable[Push], progress: Callable[[str], None]) -> dict[str, str]:
        """Send what is needed; the references by image name, by digest."""
        ...


@dataclass(frozen=True)
class Found:
    """A stack as it is in the account; `status` is None where there is none."""

    status: str | None
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def exists(self) -> bool:
        """Whether it is more than a plan, or the rest of a creation that failed."""
        return self.status not in {None, stacks.ONLY_PLANNED, *stacks.FAILED_FIRST_TRY}


@dataclass(frozen=True)
class Prepared:
    """A stack that is to be: its template and parameters, of which some are only `assumed`."""

    template: Template
    parameters: Mapping[str, str]
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What would change in one stack; `note` where CloudFormation could not be asked."""

    part: str
    stack: str
    exists: bool
    changes: tuple[Change, ...]
    assumed: tuple[str, ...] = ()
    note: str = ""

    @property
    def stays(self) -> bool:
        """Whether nothing of it would change."""
        return self.exists and not self.changes and not self.note


@dataclass(frozen=True)
class Preview:
    """Everything a deployment would do."""

    parts: tuple[Part, ...]
    pushes: tuple[Push, ...]
    sends_zip: bool
    cost: prices.Cost

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        sends = self.sends_zip or any(push.needed for push in self.pushes)
        return sends or not all(part.stays for part in self.parts)


def look(
    client: "CloudFormationClient", account: Account, parts: Iterable[str]
) -> dict[str, Found]:
    """The stacks of `parts` as they are now."""
    return {
        part: Found(
            stacks.status(client, stack),
            stacks.parameters(client, stack),
            stacks.outputs(client, stack),
        )
        for part in parts
        for stack in (account.stack(part),)
    }


def prepare(
    wanted: Mapping[str, Template],
    found: Mapping[str, Found],
    account: Account,
    *,
    known: Mapping[str, str],
    given: Mapping[str, str],
) -> dict[str, Prepared]:
    """Every stack as it is to be, as far as that is known before anything is deployed.

    Raises `Misconfigured` naming every parameter, of any template, that nobody gives a value.
    """
    prepared, missing = dict[str, Prepared](), list[Parameter]()
    outputs, assumed = dict[str, str](), set[str]()
    for part, template in wanted.items():
        asked = [each for each in template.parameters if each.name not in assumed]
        sources = Sources(known, outputs, given, found[part].parameters)
        missing += lacking(asked, sources)
        examples = {each.name: each.example for each in template.parameters if each.name in assumed}
        parameters = {
            each.name: value
            for each in template.parameters
            if (value := examples.get(each.name, sources.value(each))) is not None
        }
        prepared[part] = Prepared(template, parameters, tuple(sorted(examples)))
        there, will_be = found[part].outputs, template.resolved(parameters, account)
        for name in template.outputs:
            value = there.get(name) or will_be.output(name)
            if isinstance(value, str) and "${" not in value:
                outputs[name] = value
            else:
                assumed.add(name)
    refuse_lacking(missing)
    return prepared


def checked(
    account: Account, settings: Iterable[str], *, scaling: bool
) -> tuple[dict[str, Template], dict[str, str]]:
    """The templates, and what the person set as `Name=Value`; needs nothing built.

    Raises `Misconfigured` for a setting that no template takes, and naming every parameter that is
    still to be set.
    """
    wanted, given = templates(scaling=scaling), parsed(settings)
    check_settings(given, wanted)
    found = look(account.session.client("cloudformation"), account, wanted)
    known = dict.fromkeys(KNOWN, "yet to be built") | {"Stage": account.stage}
    prepare(wanted, found, account, known=known, given=given)
    return wanted, given


def expected_references(
    images: Images, pushes: Iterable[Push], progress: Callable[[str], None] = lambda _line: None
) -> dict[str, str]:
    """The references of the images by name.

    One that is yet to be pushed has its own id for the digest, which only the push will tell.
    """
    wanted = tuple(pushes)
    there = images.push([each for each in wanted if not each.needed], progress)
    return {each.image: f"{each.uri}@sha256:{each.tag}" for each in wanted if each.needed} | there


def preview(
    account: Account,
    built: Built,
    given: Mapping[str, str],
    images: Images,
    *,
    pause: float,
) -> Preview:
    """Find out what a deployment would do; leaves nothing behind, however it ends."""
    client = account.session.client("cloudformation")
    found = look(client, account, built.templates)
    pushes = images.pushes()
    known = known_values(account, built, expected_references(images, pushes))
    prepared = prepare(built.templates, found, account, known=known, given=given)
    parts = tuple(
        planned(client, account, part, wanted, found[part], pause=pause)
        for part, wanted in prepared.items()
    )
    resolved = {
        part: wanted.template.resolved(wanted.parameters, account)
        for part, wanted in prepared.items()
    }
    bucket = found["bootstrap"].outputs.get("CodeBucket", "")
    sends_zip = not bucket or not _holds(account, bucket, known["CodeKey"])
    return Preview(parts, pushes, sends_zip, prices.cost(resolved))


def known_values(account: Account, built: Built, references: Mapping[str, str]) -> dict[str, str]:
    """The parameters the program knows by itself, once it knows the images' references."""
    return {
        "Stage": account.stage,
        "CodeKey": code_key(built.zip_path),
        "Architecture": built.architecture,
        "TrainerImage": references["trainer"],
        "WebappImage": references["webapp"],
    }


def planned(
    client: "CloudFormationClient",
    account: Account,
    part: str,
    wanted: Prepared,
    found: Found,
    *,
    pause: float,
) -> Part:
    """What would change in one stack, by a change set that is removed again."""
    stack, text = account.stack(part), wanted.template.text
    if found.status in stacks.FAILED_FIRST_TRY:
        note = "its first creation failed; what is left is deleted, and it is made anew"
        return Part(part, stack, False, _everything(wanted, account), wanted.assumed, note)
    if note := _note(found.status):
        return Part(part, stack, True, (), (), note)
    plan = stacks.plan(
        client, stack, text, wanted.parameters, tags=tags(account), patience=_PATIENCE, pause=pause
    )
    try:
        return Part(part, stack, found.exists, plan.changes, wanted.assumed)
    finally:
        stacks.discard(client, plan)
        if plan.creates_stack:
            stacks.settle(client, stack, patience=_PATIENCE, pause=pause)


def tags(account: Account) -> dict[str, str]:
    """What everything of a stage is marked with, beside the project."""
    return {"stage": account.stage}


def said(preview: Preview, account: Account) -> list[str]:
    """The preview in words, line by line."""
    lines = parts_said(preview.parts, account)
    for push in preview.pushes:
        does = f"pushed to {push.uri}" if push.needed else "there already"
        lines.append(f"image {push.image} {push.id[7:19]}: {does}")
    lines.append(f"zip of create_data: {'uploaded' if preview.sends_zip else 'there already'}")
    return lines + prices.told(preview.cost, region=account.region)


def parts_said(parts: Iterable[Part], account: Account) -> list[str]:
    """Where something would change, and what, line by line."""
    lines = [f"account {account.id}, region {account.region}, stage {account.stage}"]
    if account.is_stand_in:
        lines.append(f"  a stand-in at {account.endpoint}, not AWS")
    for part in parts:
        lines += _part_said(part)
    return lines


def _part_said(part: Part) -> list[str]:
    if part.stays:
        return [f"stack {part.stack}: nothing changes"]
    counts = [
        (words, sum(_verb(change) == words for change in part.changes))
        for words in ("new", "changed", "replaced", "deleted")
    ]
    counted = ", ".join(f"{count} {words}" for words, count in counts if count)
    lines = [f"stack {part.stack}{'' if part.exists else ' (new)'}: {counted or 'to be seen'}"]
    if part.note:
        lines.append(f"  {part.note}")
    lines += [
        f"  {_verb(change):<8}  {change.name} ({change.type})"
        + (", perhaps replaced" if change.perhaps else "")
        for change in part.changes
    ]
    if part.assumed:
        lines.append(f"  planned with examples for {', '.join(part.assumed)}, not known yet")
    return lines


def _verb(change: Change) -> str:
    if change.replaced:
        return "replaced"
    return {"Add": "new", "Modify": "changed", "Remove": "deleted"}.get(change.action, "changed")


def _note(status: str | None) -> str:
    if status is None or status == stacks.ONLY_PLANNED:
        return ""
    if status.endswith("_IN_PROGRESS"):
        return f"it is {status} by another run, which is waited for first"
    return _NOTES.get(status, "")


def _everything(wanted: Prepared, account: Account) -> tuple[Change, ...]:
    """All that would be made, without asking CloudFormation: what the conditions let be."""
    says = wanted.template.resolved(wanted.parameters, account)
    return tuple(
        Change("Add", name, resource["Type"], replaced=False)
        for name, resource in wanted.template.resources.items()
        if "Condition" not in resource or says.holds(resource["Condition"])
    )


def _holds(account: Account, bucket: str, key: str) -> bool:
    try:
        account.session.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True
