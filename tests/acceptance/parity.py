"""The checks and the emulators of all targets side by side, as text; two equal runs are equal."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.acceptance.probes import Probe
from tests.acceptance.targets import Target

_HEAD = """\
# The targets side by side

`make parity` writes this file: the acceptance tests of `tests/acceptance/` on every way the stack
can run without an account, and what the emulators under it do where emulators differ.
"""
_DIFFERENCES = """\
What AWS does is taken from its documentation. An observation is no verdict: where it matters to a
check, the check fails.
"""


@dataclass(frozen=True)
class Outcome:
    """How a check ended on a target; `note` is what it said beside that."""

    check: str
    target: str
    verdict: str
    note: str = ""


@dataclass(frozen=True)
class Observation:
    """What a probe saw on a target."""

    probe: Probe
    target: str
    seen: str


def sentence(test: str) -> str:
    """A test's name as the sentence it is."""
    return test.removeprefix("test_").replace("_", " ")


def report(
    targets: Sequence[tuple[Target, str | None]],
    outcomes: Iterable[Outcome],
    observations: Iterable[Observation],
) -> str:
    """The whole file. `targets` come with the reason why they could not run, if they could not."""
    ran = [target.name for target, missing in targets if missing is None]
    checks: dict[str, dict[str, str]] = {}
    for each in outcomes:
        said = f"{each.verdict} ({each.note})" if each.note else each.verdict
        checks.setdefault(each.check, {})[each.target] = said
    seen: dict[Probe, dict[str, str]] = {}
    for found in observations:
        seen.setdefault(found.probe, {})[found.target] = found.seen
    differ = {probe: by for probe, by in seen.items() if len({by.get(n) for n in ran}) > 1}
    alike = {probe: by for probe, by in seen.items() if probe not in differ}
    unlike_aws = {probe: by for probe, by in alike.items() if by[ran[0]] != probe.on_aws}
    parts = [
        _HEAD,
        _table(
            ("target", "what it is", "emulator", "here"),
            (
                (target.name, target.about, target.emulator, f"not run: {why}" if why else "tested")
                for target, why in targets
            ),
        ),
        "## Checks\n",
        _table(("check", *ran), (_row(check, by, ran) for check, by in checks.items())),
        "## Differences found between emulators\n",
        _DIFFERENCES,
        _table(
            ("observed", "AWS", *ran),
            (_row(probe.what, by, ran, probe.on_aws) for probe, by in differ.items()),
        ),
        "## Alike, but not as on AWS\n",
        _table(
            ("observed", "AWS", "every emulator"),
            ((probe.what, probe.on_aws, by[ran[0]]) for probe, by in unlike_aws.items()),
        ),
        "## Alike, and as on AWS\n",
        _table(
            ("observed", "everywhere"),
            ((probe.what, probe.on_aws) for probe in alike if probe not in unlike_aws),
        ),
    ]
    return "\n".join(parts)


def _row(first: str, by_target: Mapping[str, str], ran: Sequence[str], *more: str) -> list[str]:
    return [first, *more, *(by_target.get(name, "-") for name in ran)]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of these rows; a sentence where there are none."""
    lines = [head, ["---"] * len(head), *rows]
    if len(lines) == 2:
        return "None.\n"
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
