"""What must hold before anything is planned or deployed: what was built is there, and fits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from chartbuster.errors import Misconfigured
from chartbuster.identity import digest
from compose import manifest
from compose.manifest import Manifest
from infra.data import architecture
from infra.stacks import template
from scripts.aws.parameters import Parameter, check_given
from scripts.aws.templates import LONGEST_SENT, PARTS, Template, read
from scripts.build import artifacts

KNOWN = ("Stage", "CodeKey", "Architecture", "TrainerImage", "WebappImage")
"""The parameters the program knows by itself."""


@dataclass(frozen=True)
class Built:
    """What is deployed: what `make build` made, and the templates by part, in their order."""

    manifest: Manifest
    zip_path: Path
    templates: Mapping[str, Template]

    @property
    def architecture(self) -> str:
        """`arm64` or `x86_64`: what the zip, and so everything, was built for."""
        return architecture(self.zip_path)


def templates(*, scaling: bool = True) -> dict[str, Template]:
    """The templates of this checkout by part, in the order they are applied.

    Raises `Misconfigured` for one that is none, or too long.
    """
    found = {
        part: read(part, template(f"{part}.yaml")) for part in PARTS if scaling or part != "scaling"
    }
    for part, each in found.items():
        if each.is_long:
            raise Misconfigured(
                f"{part}.yaml has {len(each.text.encode())} bytes; CloudFormation takes "
                f"{LONGEST_SENT} at most"
            )
    return found


def built(root: Path, wanted: Mapping[str, Template]) -> Built:
    """What was built in the checkout at `root`, held against its manifest.

    Raises `Misconfigured` naming everything that is not what the manifest says: only what was built
    and written down is deployed.
    """
    said = manifest.read(root / manifest.FILE)
    there = {
        **artifacts(root),
        **{f"{part}.yaml": digest(each.text.encode()) for part, each in wanted.items()},
    }
    names = {"create_data.zip", *said.artifacts, *(f"{part}.yaml" for part in wanted)}
    expected = {**said.artifacts, **said.templates}
    faults = [
        f"{name} is {_short(there.get(name))} and the manifest says {_short(expected.get(name))}"
        for name in sorted(names)
        if there.get(name) != expected.get(name) or name not in there
    ]
    if faults:
        raise Misconfigured(
            f"what is there is not what was built: {'; '.join(faults)}; run `make build`"
        )
    return Built(said, root / "build" / "create_data.zip", wanted)


def filled_in(wanted: Mapping[str, Template]) -> set[str]:
    """The parameters that are not a person's to set: known, or outputs of the parts before."""
    names, outputs = set(KNOWN), set[str]()
    for each in wanted.values():
        names |= {parameter.name for parameter in each.parameters} & outputs
        outputs |= set(each.outputs)
    return names


def check_settings(given: Mapping[str, str], wanted: Mapping[str, Template]) -> None:
    """Refuse settings that no template takes; raises `Misconfigured` naming all of them."""
    check_given(given, _all(wanted.values()), filled_in=filled_in(wanted))


def _all(wanted: Iterable[Template]) -> list[Parameter]:
    return [parameter for each in wanted for parameter in each.parameters]


def _short(value: str | None) -> str:
    return f"{value[:12]}…" if value else "not there"
