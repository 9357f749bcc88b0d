"""The app as a process: Streamlit's settings, its routes and what happens when it starts."""

import importlib
import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from webapp import edges, signin
from webapp.api.http import Resource
from webapp.api.routes import routes
from webapp.edges import Edges
from webapp.headers import SecurityHeaders
from webapp.limits import UPLOAD_MEGABYTES
from webapp.looks import theme
from webapp.states import Away, Connecting, Showing, State, Waiting

log = logging.getLogger(__name__)

_APP = Path(__file__).with_name("app.py")

_FIRST_LOOK = 20.0


def options(host: str, port: int) -> dict[str, Any]:
    """Every Streamlit option the app sets; no file of settings is needed."""
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.maxUploadSize": UPLOAD_MEGABYTES,
        "server.enableXsrfProtection": True,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "runner.magicEnabled": False,
        "logger.hideWelcomeMessage": True,
        **theme(),
    }


def application(over: Edges) -> st.App:
    """The app over the edges `over`: its pages, routes and headers."""
    edges.provide(over)
    serving = over.serving

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        stopping = threading.Event()
        following = threading.Thread(
            target=serving.follow, args=(stopping.wait,), name="follow-champions", daemon=True
        )
        following.start()
        try:
            yield None
        finally:
            stopping.set()

    async def ready(_request: Request) -> Response:
        state = serving.state
        serves = isinstance(state, Showing)
        return JSONResponse(
            {"ready": serves, "state": said(state)},
            status_code=200 if serves else 503,
            headers={"Cache-Control": "no-store"},
        )

    return st.App(
        _APP,
        secrets=signin.secrets(over.sign_in),
        lifespan=lifespan,
        routes=[Route("/ready", Resource(GET=ready)), *routes(serving)],
        middleware=[Middleware(SecurityHeaders)],
        on_script_error=_show_no_trace,
    )


def _import_pages() -> None:
    """Import what the pages will, which would otherwise be the first visitor's second."""
    for page in sorted((Path(__file__).parent / "entries").glob("*.py")):
        importlib.import_module(f"webapp.{page.stem}.page")


def said(state: State) -> str:
    """The state in one word, for programs."""
    match state:
        case Connecting():
            return "connecting"
        case Away():
            return "store-away"
        case Waiting():
            return "no-champion"
        case Showing(asleep=asleep):
            return "store-asleep" if asleep else "serving"


def serve(over: Edges, *, host: str, port: int) -> None:
    """Serve until a signal says stop.

    The port opens once the champion is loaded and the pages are imported, so the first visitor
    waits for neither; a store that is away must not hold it closed for long, because the page says
    what is wrong.
    """
    looking = threading.Thread(target=over.serving.refresh, name="first-look", daemon=True)
    looking.start()
    _import_pages()
    looking.join(_FIRST_LOOK)
    os.environ.update(signin.environment(over.sign_in))
    application(over).run(config=options(host, port))


def _show_no_trace(error: Exception) -> bool:
    log.error("page_failed", exc_info=error)
    st.error(
        "This page failed, and the reason is in the app's log (`make logs SERVICE=webapp`). "
        "Reload the page to try again."
    )
    return True
