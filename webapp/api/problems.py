"""What went wrong, as RFC 9457 problem details."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a request: where it is (a JSON pointer), its value, what would be right.

    `song` is the place of the song it is in, from 0, and `attribute` the one at fault, if any.
    """

    pointer: str
    detail: str
    value: Any = None
    expected: str = ""
    song: int | None = None
    attribute: str | None = None


@dataclass(eq=False)
class Problem(Exception):
    """A request that is not answered, and why; `kind` is a word for programs."""

    status: HTTPStatus
    kind: str
    detail: str
    faults: tuple[Fault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def answered(problem: Problem) -> Response:
    """The problem as an answer."""
    body: dict[str, Any] = {
        "type": f"urn:chartbuster:problem:{problem.kind}",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
    }
    if problem.faults:
        body["errors"] = [_written(fault) for fault in problem.faults]
    return Response(
        json.dumps(body, ensure_ascii=False, allow_nan=False),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **problem.headers},
    )


def _written(fault: Fault) -> dict[str, Any]:
    where = {"song": fault.song, "attribute": fault.attribute}
    return {
        "pointer": fault.pointer,
        **{name: value for name, value in where.items() if value is not None},
        "value": _short(fault.value),
        "expected": fault.expected,
        "detail": fault.detail,
    }


def _short(value: Any) -> Any:
    """The value as it came, or the beginning of its text where it is long, or no number."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < 1e300 and math.isfinite(value):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
