"""The ways the stack can run, each behind the same few words; one module each.

To add one: write a class with what `Target` asks for, and name an instance of it in `LOCAL`, or in
`ELSEWHERE` when it must be asked for by name.
"""

from collections.abc import Mapping

from tests.acceptance.targets.aws import Aws
from tests.acceptance.targets.composed import InContainers
from tests.acceptance.targets.embedded import Embedded
from tests.acceptance.targets.ministack import MINISTACK
from tests.acceptance.targets.target import NotOffered, Running, Target
from tests.acceptance.targets.testcontainer import IN_A_CONTAINER

__all__ = ["ELSEWHERE", "LOCAL", "TARGETS", "NotOffered", "Running", "Target"]

LOCAL: tuple[Target, ...] = (Embedded(), IN_A_CONTAINER, InContainers(), MINISTACK)
ELSEWHERE: tuple[Target, ...] = (Aws(),)
TARGETS: Mapping[str, Target] = {target.name: target for target in (*LOCAL, *ELSEWHERE)}
