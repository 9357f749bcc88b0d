"""One address of the API: methods, bodies and errors as HTTP wants them."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from webapp.api.problems import Problem, answered

log = logging.getLogger(__name__)

type Handler = Callable[[Request], Awaitable[Response]]

_AT_ONCE = 2
_WAITING = 32


class Resource:
    """An ASGI app that answers the methods it has handlers for, and says so to all others.

    HEAD is answered where GET is, OPTIONS everywhere. A `Problem` that a handler raises becomes the
    answer; any other error becomes one that says nothing of its cause.
    """

    def __init__(self, **handlers: Handler) -> None:
        """`handlers` are by method: `Resource(GET=show)`."""
        heads = {"HEAD": handlers["GET"]} if "GET" in handlers else {}
        self._answers: dict[str, Handler] = {**handlers, **heads, "OPTIONS": self._options}
        self._allow = ", ".join(self._answers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self.handler(request.method)(request)
        except Problem as problem:
            response = answered(problem)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("request_failed", extra={"path": request.url.path})
            response = answered(
                Problem(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    "failed",
                    "this request failed, and the reason is in the app's log",
                )
            )
        await response(scope, receive, send)

    def handler(self, method: str) -> Handler:
        """What answers `method`."""
        return self._answers.get(method, self._refuse)

    async def _options(self, _request: Request) -> Response:
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Allow": self._allow})

    async def _refuse(self, request: Request) -> Response:
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "method-not-allowed",
            f"{request.method[:20]} is not answered here; expected one of {self._allow}",
            headers={"Allow": self._allow},
        )


class Nowhere(Resource):
    """Every address there is not, whatever the method."""

    def handler(self, method: str) -> Handler:  # noqa: ARG002
        return self._say

    async def _say(self, request: Request) -> Response:
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "no-such-address",
            f"there is nothing at {request.url.path[:100]!r}; GET /api/openapi.json says what is",
        )


async def body_of(request: Request, *, most: int) -> bytes:
    """The body of a request that sends JSON; raises `Problem` for another kind, or a larger one.

    A form cannot send JSON, so no other site can make a visitor's browser ask.
    """
    given = request.headers.get("content-type", "")
    kind, _, rest = given.partition(";")
    charset = rest.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise _unsupported(f"Content-Type is {given[:100]!r}; expected application/json")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise _unsupported(f"Content-Encoding is {encoding[:100]!r}; expected none")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "too-large",
                f"the body is larger than {most:,} bytes; ask about fewer songs at once",
                # What is still to come is not read, so the connection cannot be used again.
                headers={"Connection": "close"},
            )
    return bytes(body)


def as_answer(value: Mapping[str, Any]) -> Response:
    """A value as a JSON answer that nobody keeps: the next one may come from another champion."""
    return Response(
        json.dumps(value, ensure_ascii=False, allow_nan=False),
        media_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


class Workers:
    """A few threads that do what takes a while, so that a burst leaves the pages their share."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="api")
        self._busy = 0

    async def do[Result](self, work: Callable[[], Result]) -> Result:
        """The result of `work`; raises what it raises, and `Problem` when too many wait already."""
        if self._busy >= _AT_ONCE + _WAITING:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                f"{_WAITING} requests are waiting already; ask again in a second",
                headers={"Retry-After": "1"},
            )
        self._busy += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(work))
        finally:
            self._busy -= 1


def _unsupported(detail: str) -> Problem:
    return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail)
