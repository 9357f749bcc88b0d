"""Changes one value of a file at a time and asks whether anybody notices.

A change that no check notices is a mistake that could be made tomorrow. Files are parsed documents,
changed as values: nothing is written but for cfn-lint, which is asked about what nothing else
noticed.

Not changed are descriptions, `Description` and `ConstraintDescription`: they say what the rest
means and do nothing, so a check of them could only be a copy. Compose services are changed one at
a time with what they share already merged into them; a change of the shared part changes both, and
is noticed when it is in either.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

type Path = tuple[str | int, ...]

_WORDS_ONLY = frozenset({"Description", "ConstraintDescription"})
_OPPOSITES = {"true": "false", "enabled": "disabled", "Enabled": "Suspended"}
_OPPOSITE = {**_OPPOSITES, **{other: one for one, other in _OPPOSITES.items()}}
_NAMED = re.compile(r"\$\{([A-Za-z0-9]+)(?=[.}])")


class _Dropped:
    """In the place of a value: the key, or the element of the list, is gone."""

    def __repr__(self) -> str:
        return "dropped"


DROPPED = _Dropped()


@dataclass(frozen=True)
class Mutant:
    """One change of one file: at `path`, `value` instead of what is there; `change` names it."""

    file: str
    path: Path
    change: str
    value: Any = field(compare=False)

    @property
    def place(self) -> str:
        """File and path, as people and docs/ spell them."""
        return f"{self.file} {'.'.join(map(str, self.path))}"

    def __str__(self) -> str:
        return f"{self.place} ({self.change})"


def changed(document: Any, path: Path, value: Any) -> Any:
    """`document` with `value` at `path`; the one given is not touched, and shares the rest.

    A key that is not there is added, and an element that is not there is an `IndexError`.
    """
    if not path:
        return value
    key, rest = path[0], path[1:]
    copy: Any = dict(document) if isinstance(document, Mapping) else list(document)
    if rest:
        copy[key] = changed(document[key], rest, value)
    elif value is DROPPED:
        del copy[key]
    else:
        copy[key] = value
    return copy


def mutants(file: str, document: Mapping[str, Any], parts: Iterable[Path]) -> Iterator[Mutant]:
    """Every change of the leaves below `parts` of `document`, and of the keys and elements there.

    Strings become others, numbers one more and one less, booleans their opposite; a key, an
    element and a whole resource are dropped; a reference names another thing of the same kind;
    the branches of a condition change places.
    """
    names = _siblings(document)
    for part in parts:
        if part[-1] in _WORDS_ONLY:
            continue
        node: Any = document
        for key in part:
            node = node[key]
        for path, change, value in _below(part, node, names):
            yield Mutant(file, path, change, value)


def parts_of(document: Mapping[str, Any], kind: str) -> tuple[Path, ...]:
    """The paths of a template's resources whose type begins with `kind`, like `AWS::IAM::`."""
    resources = document["Resources"]
    return tuple(
        ("Resources", name)
        for name, resource in resources.items()
        if str(resource["Type"]).startswith(kind)
    )


def _siblings(document: Mapping[str, Any]) -> dict[str, str]:
    """For each thing of a template the next one of the same type, in a circle."""
    kinds: dict[str, list[str]] = {}
    for section in ("Parameters", "Resources"):
        for name, thing in document.get(section, {}).items():
            kinds.setdefault(f"{section} {thing['Type']}", []).append(name)
    return {
        name: names[(index + 1) % len(names)]
        for names in kinds.values()
        if len(names) > 1
        for index, name in enumerate(names)
    }


def _below(path: Path, node: Any, names: Mapping[str, str]) -> Iterator[tuple[Path, str, Any]]:
    match node:
        case {"Ref": str(name), **rest} if not rest:
            yield (*path, "Ref"), "changed", names.get(name, f"{name}Changed")
        case {"Fn::GetAtt": target, **rest} if not rest:
            text = ".".join(target) if isinstance(target, list) else str(target)
            name, _, attribute = text.partition(".")
            other = names.get(name, f"{name}Changed")
            yield (*path, "Fn::GetAtt"), "changed", [other, attribute]
        case {"Fn::Sub": str(text), **rest} if not rest:
            yield (*path, "Fn::Sub"), "changed", f"{text}-changed"
            if known := [name for name in _NAMED.findall(text) if name in names]:
                other = text.replace(f"${{{known[0]}", f"${{{names[known[0]]}", 1)
                yield (*path, "Fn::Sub"), "another name", other
        case {"Fn::If": [condition, yes, no], **rest} if not rest:
            yield (*path, "Fn::If"), "branches swapped", [condition, no, yes]
            yield from _below((*path, "Fn::If", 1), yes, names)
            yield from _below((*path, "Fn::If", 2), no, names)
        case Mapping():
            for key, value in node.items():
                if key in _WORDS_ONLY and isinstance(value, str):
                    continue
                if not (key.startswith("Fn::") or key == "Ref"):
                    yield (*path, key), "dropped", DROPPED
                yield from _below((*path, key), value, names)
        case list():
            for index, value in enumerate(node):
                if not str(path[-1]).startswith("Fn::"):
                    yield (*path, index), "dropped", DROPPED
                yield from _below((*path, index), value, names)
        case bool():
            yield path, "flipped", not node
        case int() | float():
            yield path, "one more", node + 1
            yield path, "one less", node - 1
        case str():
            yield path, "changed", _another(node)


def _another(text: str) -> str:
    """Another string of the same kind."""
    if text in _OPPOSITE:
        return _OPPOSITE[text]
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)([a-z]*)", text):
        return f"{float(match[1]) + 1:g}{match[2]}"
    return f"{text}-changed"


# --- what happens to a change --------------------------------------------------------------------


@dataclass(frozen=True)
class Verdicts:
    """What became of the changes: by whom each was noticed, who survived, who was not asked about.

    `noticed` counts by the name of the check; `waiting` are those the time was too short for.
    """

    noticed: Mapping[str, int]
    survivors: tuple[Mutant, ...]
    waiting: tuple[Mutant, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether every change was looked at."""
        return not self.waiting

    @property
    def total(self) -> int:
        """How many changes there were."""
        return sum(self.noticed.values()) + len(self.survivors) + len(self.waiting)


def verdicts(
    given: Sequence[Mutant],
    *,
    noticed_by: Callable[[Mutant], str],
    enough: Callable[[], bool],
    progress: Callable[[int], None] = lambda _done: None,
) -> Verdicts:
    """Ask `noticed_by` about each change for the check that noticed it, empty for none.

    Once `enough` says so, the rest is left `waiting`; `progress` is told how many are done.
    """
    noticed: dict[str, int] = {}
    survivors: list[Mutant] = []
    for done, mutant in enumerate(given):
        if enough():
            return Verdicts(noticed, tuple(survivors), tuple(given[done:]))
        if check := noticed_by(mutant):
            noticed[check] = noticed.get(check, 0) + 1
        else:
            survivors.append(mutant)
        progress(done + 1)
    return Verdicts(noticed, tuple(survivors))


# --- what may survive ----------------------------------------------------------------------------

NEVER: Mapping[str, re.Pattern[str]] = {
    "ports": re.compile(r"PortMappings|ContainerPort|HostPort|FromPort|ToPort|Port|ports"),
    "images": re.compile(r"Image|image|TrainerImage|WebappImage"),
    "roles": re.compile(r"TaskRoleArn|ExecutionRoleArn"),
    "health checks": re.compile(
        r"HealthCheck\w*|healthcheck|Matcher|HealthyThresholdCount|UnhealthyThresholdCount"
    ),
    "stickiness": re.compile(r"TargetGroupAttributes"),
    "stop times": re.compile(r"StopTimeout|stop_grace_period"),
    "environment": re.compile(r"Environment|environment|Secrets"),
}
"""What never survives, whatever the reason: by the name of a key on the way to it."""


def forbidden(mutant: Mutant, roles: Iterable[Path]) -> str:
    """The class of what must never survive that `mutant` is of, or an empty string.

    `roles` are the paths of its file's roles, which are such a class with all they hold.
    """
    if any(mutant.path[: len(role)] == role for role in roles):
        return "roles"
    for name, pattern in NEVER.items():
        if any(isinstance(key, str) and pattern.fullmatch(key) for key in mutant.path):
            return name
    return ""


@dataclass(frozen=True)
class Listed:
    """One line of the list in docs/: what may survive at `place`, by which changes, and why.

    A `*` in the place stands for any one step of a path.
    """

    place: str
    changes: tuple[str, ...]
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Whether this line allows `mutant` to survive."""
        file, _, path = self.place.partition(" ")
        steps = path.split(".")
        return (
            mutant.change in self.changes
            and file == mutant.file
            and len(steps) == len(mutant.path)
            and all(step in ("*", str(key)) for step, key in zip(steps, mutant.path, strict=True))
        )


BEGIN, END = "<!-- survivors -->", "<!-- end of survivors -->"
_ROW = re.compile(r"\|\s*`([^`]+)`\s*\|\s*([^|]+?)\s*\|\s*([^|]*?)\s*\|")


def listed(text: str) -> tuple[Listed, ...]:
    """The table between the marks in `text`; raises `ValueError` for a line that is no row of it.

    Rows are like ``| `compute.yaml Resources.Cluster` | dropped, changed | reason |``.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"expected a table between one {BEGIN} and one {END}")
    found = []
    for line in text.split(BEGIN)[1].split(END)[0].splitlines():
        if not line.strip() or re.fullmatch(r"\|[\s|:-]+\|", line) or line.startswith("| place "):
            continue
        row = _ROW.fullmatch(line.strip())
        if row is None or not row[3]:
            raise ValueError(f"{line!r} is no row of place, changes and reason")
        found.append(Listed(row[1], tuple(re.split(r",\s*", row[2])), row[3]))
    return tuple(found)


def differences(
    survivors: Iterable[Mutant], reasons: Sequence[Listed], *, complete: bool = True
) -> list[str]:
    """What the list does not know, and what it lists though it no longer survives.

    Unless `complete`, not all changes were looked at, and so nothing is missed among the survivors.
    """
    found = tuple(survivors)
    lines = [
        f"{mutant} survives and is not listed"
        for mutant in found
        if not any(row.covers(mutant) for row in reasons)
    ]
    if not complete:
        return lines
    for row in reasons:
        lines += [
            f"{row.place} ({change}) is listed and does not survive any more"
            for change in row.changes
            if not any(mutant.change == change and row.covers(mutant) for mutant in found)
        ]
    return lines
