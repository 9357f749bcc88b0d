"""A template's parameters, filled by their names.

Each is taken from the first that has it: what the program knows, the outputs of the stacks before,
what the person set, what the deployed stack has, and the template's default.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chartbuster.errors import Misconfigured

_EXAMPLE = re.compile(r"\blike (\S+?)[.,;]?(?=\s|$)")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a template; without a `default` (None) it needs a value.

    `pattern` and `allowed` say which values will do, `expected` the same in words; each may be
    empty.
    """

    name: str
    description: str = ""
    default: str | None = None
    pattern: str = ""
    allowed: tuple[str, ...] = ()
    expected: str = ""

    @property
    def example(self) -> str:
        """A value that would do: the one its description names."""
        found = _EXAMPLE.search(self.description)
        return found.group(1) if found else next(iter(self.allowed), "value")

    def fault(self, value: str) -> str:
        """What is wrong with `value`, or nothing."""
        fits = not self.pattern or re.fullmatch(self.pattern, value)
        if fits and (not self.allowed or value in self.allowed):
            return ""
        expected = self.expected or " or ".join(self.allowed) or f"like {self.example}"
        return f"{self.name} is {value!r}; expected {expected}"


@dataclass(frozen=True)
class Sources:
    """Where values come from, the first first."""

    known: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    deployed: Mapping[str, str] = field(default_factory=dict)

    def value(self, parameter: Parameter) -> str | None:
        """What `parameter` is to be, or None when nobody says."""
        for source in (self.known, self.outputs, self.given, self.deployed):
            if parameter.name in source:
                return source[parameter.name]
        return parameter.default


def parsed(settings: Iterable[str]) -> dict[str, str]:
    """The values of `Name=Value` by name; the last of a name counts. Raises `Misconfigured`."""
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.isidentifier():
            raise Misconfigured(
                f"{setting!r} sets nothing; expected Name=Value, like AllowedCidr=203.0.113.7/32"
            )
        values[name] = value
    return values


def check_given(
    given: Mapping[str, str], parameters: Iterable[Parameter], *, filled_in: Iterable[str]
) -> None:
    """Refuse what was set and makes no sense; raises `Misconfigured` naming all of it.

    `parameters` are those of all templates, `filled_in` the names of those that are not a person's
    to set.
    """
    known = {parameter.name: parameter for parameter in parameters}
    taken = set(filled_in)
    free = sorted(set(known) - taken)
    faults = []
    for name, value in given.items():
        if name in taken:
            faults.append(f"{name} is filled in by the program; leave it out")
        elif name not in known:
            near = difflib.get_close_matches(name, free, n=1, cutoff=0.0)
            meant = f"; {near[0]} is the nearest there is" if near else ""
            faults.append(f"no template has a parameter {name!r}{meant}")
        elif fault := known[name].fault(value):
            faults.append(fault)
    if faults:
        raise Misconfigured("; ".join(faults))


def lacking(parameters: Iterable[Parameter], sources: Sources) -> tuple[Parameter, ...]:
    """Those of `parameters` that nobody gives a value."""
    return tuple(each for each in parameters if sources.value(each) is None)


def filled(parameters: Iterable[Parameter], sources: Sources) -> dict[str, str]:
    """The values of `parameters` by name; raises `Misconfigured` naming every one without."""
    wanted = tuple(parameters)
    refuse_lacking(lacking(wanted, sources))
    return {each.name: value for each in wanted if (value := sources.value(each)) is not None}


def refuse_lacking(parameters: Iterable[Parameter]) -> None:
    """Raise `Misconfigured` that says how to set `parameters`, if there are any."""
    # Two templates may ask for the same one.
    missing = {parameter.name: parameter for parameter in parameters}
    if not missing:
        return
    said = "; ".join(f"{each.name} ({each.description.rstrip('.')})" for each in missing.values())
    example = " ".join(f"{each.name}={each.example}" for each in missing.values())
    raise Misconfigured(f"not set: {said}. For example: SET='{example}'")
