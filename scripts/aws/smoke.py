"""The smoke test: whether the app that was deployed answers at its address, and can predict."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.parse import urlsplit

from chartbuster.errors import Unreachable

_HEALTH, _READY = "/_stcore/health", "/ready"
_EACH = 5.0


@dataclass(frozen=True)
class Answer:
    """What came back: an HTTP `status`, 0 where nothing did, and the reason or where it leads."""

    status: int
    said: str

    def leads_away(self, url: str) -> bool:
        """Whether it sends whoever asks to another host than that of `url`."""
        there = urlsplit(self.said).hostname if 300 <= self.status < 400 else None
        return there is not None and there != urlsplit(url).hostname


class _OwnHostOnly(urllib.request.HTTPRedirectHandler):
    """Follows the way from HTTP to HTTPS, and none that leads to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).hostname != urlsplit(req.full_url).hostname:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def ask(url: str) -> Answer:
    """What `url` answers within 5 s; on this machine no proxy is asked."""
    handlers: list[urllib.request.BaseHandler] = [_OwnHostOnly()]
    if urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}:
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        with urllib.request.build_opener(*handlers).open(url, timeout=_EACH) as answer:
            return Answer(answer.status, "")
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers.get("Location", ""))
    except (OSError, HTTPException) as error:
        return Answer(0, str(error))


def resolves(url: str) -> bool:
    """Whether the host of `url` has an address."""
    try:
        socket.getaddrinfo(urlsplit(url).hostname, None)
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Smoke:
    """How the app is asked; `patience` in seconds is for it to answer, and again to be ready."""

    ask: Callable[[str], Answer] = ask
    monotonic: Callable[[], float] = time.monotonic
    rest: Callable[[float], object] = time.sleep
    patience: float = 300.0

    def test(
        self,
        url: str,
        *,
        expects_model: bool,
        signs_in_before: bool = False,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> str:
        """What there is to say of the app at `url`; raises `Unreachable` when it does not do.

        It has to answer, and to be ready when it `expects_model`. Where the load balancer
        `signs_in_before`, being sent to sign in is an answer.
        """
        health = self._await(url + _HEALTH, signs_in_before, progress)
        if health.leads_away(url):
            return "the load balancer answers, and lets nobody through who has not signed in"
        if not expects_model:
            return "the app answers; there is no model yet"
        self._await(url + _READY, signs_in_before, progress)
        return "the app answers, and can predict"

    def _await(self, url: str, signs_in: bool, progress: Callable[[str], None]) -> Answer:
        deadline, told = self.monotonic() + self.patience, ""
        while True:
            answer = self.ask(url)
            if answer.status == 200 or (signs_in and answer.leads_away(url)):
                return answer
            said = f"HTTP {answer.status} {answer.said}".strip() if answer.status else answer.said
            if said != told:
                told = said
                progress(f"{url} does not do yet: {said}")
            if self.monotonic() > deadline:
                raise Unreachable(
                    f"{url} did not answer 200 within {self.patience:.0f} s; last: {said}"
                )
            self.rest(_EACH)
