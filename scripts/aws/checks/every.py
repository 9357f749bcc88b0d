"""Every check there is of what goes to AWS; `make mutate-aws` asks all of them about every change.

Each is a pure function of the parsed files that returns what is wrong, one line each. A new one
goes into CHECKS.
"""

from collections.abc import Callable, Mapping

from scripts.aws.checks import conditions, parity, rights, wiring
from scripts.aws.checks.sources import COMPOSE, Sources, short

type Check = Callable[[Sources], list[str]]


def _parity(sources: Sources) -> list[str]:
    return parity.findings(
        sources.documents[COMPOSE],
        compute=sources.documents["compute.yaml"],
        data=sources.documents["data.yaml"],
        dockerfiles=sources.dockerfiles,
    )


def _rights(sources: Sources) -> list[str]:
    data, compute = sources.documents["data.yaml"], sources.documents["compute.yaml"]
    return rights.findings(data, compute, rights.calls_of(sources.calls))


def _wiring(sources: Sources) -> list[str]:
    parts = ("compute", "data", "scaling", "bootstrap")
    return wiring.findings(**{part: short(sources.documents[f"{part}.yaml"]) for part in parts})


CHECKS: Mapping[str, Check] = {
    "parity": _parity,
    "conditions": lambda sources: conditions.findings(sources.documents["compute.yaml"]),
    "wiring": _wiring,
    "rights": _rights,
}
"""Every check by its name, the quickest first."""
