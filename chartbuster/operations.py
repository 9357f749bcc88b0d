"""What people do to the registry and the pipeline. Every operation asks first whether they may."""

import unicodedata
from collections.abc import Callable, Collection
from datetime import datetime

from chartbuster import pipeline as way
from chartbuster.errors import InvalidReason
from chartbuster.layout import RawKey
from chartbuster.letters import UPLOAD
from chartbuster.operators import Operators, Person
from chartbuster.pipeline import Handled, Pipeline
from chartbuster.registry import Registry
from chartbuster.runs import Champion

SHORTEST_REASON, LONGEST_REASON = 3, 300
"""How many characters a reason has."""

# Line breaks and the like would forge lines of a log or a history; surrogates have no UTF-8; and
# invisible characters can turn the direction of what stands around them. Joiners are letters to
# some scripts.
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"


class Operations:
    """Promote and roll back, for a person. `now` gives the time a decision is recorded with."""

    def __init__(
        self, registry: Registry, operators: Operators, now: Callable[[], datetime]
    ) -> None:
        self._registry = registry
        self._operators = operators
        self._now = now

    def promote(
        self, person: Person | None, dataset: str, run_id: str, model: str, reason: str
    ) -> Champion:
        """Make `model` of the run `run_id` the champion of `dataset`; promoting it again is fine.

        Raises `NotAllowed`, `InvalidReason`, and what `Registry.promote` raises.
        """
        self._operators.check(person, f"promote a model of dataset {dataset!r}")
        return self._registry.promote(
            dataset,
            run_id,
            model,
            reason=checked_reason(reason),
            now=self._now(),
            who=_name(person),
        )

    def rollback(
        self,
        person: Person | None,
        dataset: str,
        reason: str,
        *,
        against: Champion | None = None,
    ) -> Champion:
        """Make the champion before this one the champion of `dataset` again.

        `against` is the champion the person saw: where another has come since, `Conflict` is
        raised, so that pressing twice does not go two steps back. Raises `NotAllowed`,
        `InvalidReason`, and what `Registry.rollback` raises.
        """
        self._operators.check(person, f"roll back the champion of dataset {dataset!r}")
        return self._registry.rollback(
            dataset,
            now=self._now(),
            reason=checked_reason(reason),
            who=_name(person),
            against=against,
        )


class PipelineOperations:
    """Upload, redrive and discard, for a person."""

    def __init__(self, pipeline: Pipeline, operators: Operators) -> None:
        self._pipeline = pipeline
        self._operators = operators

    def upload(self, person: Person | None, dataset: str, file: str, body: bytes) -> RawKey:
        """Put the file into `dataset`, in place of one of its name. Raises `NotAllowed`, and what
        `pipeline.upload` raises.
        """
        self._operators.check(person, f"upload a file to dataset {dataset!r}")
        return way.upload(self._pipeline, dataset, file, body)

    def redrive(
        self, person: Person | None, kind: str, ids: Collection[str]
    ) -> tuple[Handled, ...]:
        """Ask again for what letters asked for. Raises `NotAllowed`, and what `pipeline.redrive`
        raises.
        """
        self._operators.check(person, f"redrive {_letters(kind)}")
        return way.redrive(self._pipeline, kind, ids)

    def discard(
        self, person: Person | None, kind: str, ids: Collection[str]
    ) -> tuple[Handled, ...]:
        """Remove letters for good. Raises `NotAllowed`, and what `pipeline.discard` raises."""
        self._operators.check(person, f"discard {_letters(kind)}")
        return way.discard(self._pipeline, kind, ids)


def _letters(kind: str) -> str:
    return "an upload's letters" if kind == UPLOAD else "a training's letters"


def checked_reason(reason: str) -> str:
    """`reason` without space around it; raises `InvalidReason` saying what a reason is."""
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise InvalidReason(
            f"a reason of {len(reason):,} characters; expected {SHORTEST_REASON} to "
            f"{LONGEST_REASON}"
        )
    for character in reason:
        if unicodedata.category(character) in _UNFIT and character not in _JOINERS:
            raise InvalidReason(
                f"a reason with the character U+{ord(character):04X}; expected one line of text"
            )
    return reason


def _name(person: Person | None) -> str:
    return person.name if person else ""
