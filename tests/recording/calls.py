"""The AWS calls of each component of a whole stack, written down by its LocalStack.

Nothing of the components is touched: the trainer and the app are told apart by access keys of their
own, and the Lambda by the role whose credentials LocalStack gives it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from compose.layout import ACCOUNT, REGION
from compose.programs import Program
from scripts.aws.checks.needs import Asked, Need, needs
from scripts.aws.checks.rights import ACTORS, COMPONENTS
from tests.emulator import ROOT

_LAUNCHER = ROOT / "tests" / "recording" / "launch.py"
_OWN_KEYS = ("trainer", "webapp")


def recording(programs: Iterable[Program], calls: Path) -> tuple[Program, ...]:
    """`programs`, with a LocalStack that appends every call to the file `calls`."""
    return tuple(_recording(each, calls) for each in programs)


def _recording(program: Program, calls: Path) -> Program:
    if program.name == "localstack":
        python, _, *arguments = program.command
        return replace(
            program,
            command=(python, str(_LAUNCHER), *arguments),
            environment={**program.environment, "CALLS_FILE": str(calls)},
        )
    if program.name in _OWN_KEYS:
        own = {"AWS_ACCESS_KEY_ID": program.name}
        return replace(program, environment={**program.environment, **own})
    return program


def needs_in(lines: Iterable[str]) -> dict[str, set[Need]]:
    """What each component needed to be allowed, from the lines `launch.py` wrote.

    Calls of anybody else, like the keeper and the tests, count for nothing.
    """
    found: dict[str, set[Need]] = {name: set() for name in COMPONENTS}
    for line in lines:
        call = json.loads(line)
        component = _component(call)
        if component in found:
            asked = Asked(
                call["service"],
                call["operation"],
                call["parameters"],
                missing=call["status"] == 404,
            )
            found[component] |= needs(asked, account=ACCOUNT, region=REGION)
    return found


def _component(call: Mapping[str, str]) -> str:
    """Who made a call. CloudFormation puts a role's name in the template into its real name."""
    owners = {actor.role: actor.name for actor in ACTORS}
    of_role = (name for role, name in owners.items() if f"-{role}-" in call["role"])
    return next(of_role, call["key"])
