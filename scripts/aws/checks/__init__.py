"""What must hold between the templates, docker-compose.yml and the Dockerfiles.

Each check is a pure function of the parsed files that returns what is wrong, one line each;
`make mutate-aws` asks all of them about every change. A new one goes into CHECKS.
"""

from collections.abc import Callable, Mapping

from scripts.aws.checks import parity
from scripts.aws.checks.sources import COMPOSE, Sources

type Check = Callable[[Sources], list[str]]


def _parity(sources: Sources) -> list[str]:
    return parity.findings(
        sources.documents[COMPOSE],
        compute=sources.documents["compute.yaml"],
        data=sources.documents["data.yaml"],
        dockerfiles=sources.dockerfiles,
    )


CHECKS: Mapping[str, Check] = {"parity": _parity}
"""Every check by its name, the quickest first."""
