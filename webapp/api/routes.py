"""The addresses of the API, over what the app serves."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chartbuster.errors import ChartBusterError, InvalidName, InvalidSong, NotFound, UntrustedModel
from webapp.api import told
from webapp.api.asked import MOST_BYTES, Asked, asked, check
from webapp.api.description import description
from webapp.api.http import Nowhere, Resource, Workers, as_answer, body_of
from webapp.api.problems import Problem
from webapp.serving import Serving
from webapp.states import Away, Broken, Connecting, Showing, Shown, Waiting

_AGAIN = {"Retry-After": "10"}


def routes(serving: Serving) -> list[Route]:
    """The routes of the API over `serving`."""
    workers = Workers()

    async def predict(request: Request) -> Response:
        body = await body_of(request, most=MOST_BYTES)
        return await workers.do(lambda: as_answer(predicted(serving, asked(body))))

    async def model(request: Request) -> Response:
        dataset, run = (request.query_params.get(name) for name in ("dataset", "run"))
        return await workers.do(lambda: as_answer(modelled(serving, dataset, run)))

    async def describe(_request: Request) -> Response:
        state = serving.state
        return as_answer(description(state if isinstance(state, Showing) else None))

    return [
        Route("/api/predict", Resource(POST=predict)),
        Route("/api/model", Resource(GET=model)),
        Route("/api/openapi.json", Resource(GET=describe)),
        Route("/api/{rest:path}", Nowhere()),
    ]


def predicted(serving: Serving, asks: Asked) -> dict[str, Any]:
    """The answer to what was asked; raises `Problem`."""
    shown = _chosen(serving, asks.dataset, asks.run)
    model = asks.model or shown.model
    try:
        shown.run.model(model)
    except KeyError as error:
        raise _not_there(error.args[0]) from error
    check(asks.songs, shown.run.inputs)
    answers = _served(
        lambda: serving.answers(shown, model, asks.songs, explain=asks.explain),
    )
    return told.predictions(shown, model, answers)


def modelled(serving: Serving, dataset: str | None, run: str | None) -> dict[str, Any]:
    """What is told about a run of a dataset and its models; raises `Problem`."""
    return told.model(_chosen(serving, dataset, run), _showing(serving))


def _chosen(serving: Serving, dataset: str | None, run: str | None) -> Shown:
    """The run asked for: the champion's of the first dataset where nothing is said."""
    first, *_ = datasets = _showing(serving).datasets
    known = {found.dataset: found for found in datasets}
    name = first.dataset if dataset is None else dataset
    if name not in known:
        raise _not_there(
            f"dataset {name[:80]!r} has no champion; those that have one: {', '.join(known)}"
        )
    found = known[name]
    if isinstance(found, Broken):
        raise _unavailable("damaged", f"dataset {name!r} cannot be shown: {found.why}")
    return found if run is None else _served(lambda: serving.run(name, run))


def _showing(serving: Serving) -> Showing:
    match serving.state:
        case Connecting():
            raise _unavailable("connecting", "the app has not read its store yet")
        case Away():
            raise _unavailable("store-away", "the store does not answer, so there is no model yet")
        case Waiting():
            raise _unavailable(
                "no-champion", "no dataset has a model yet; put a file of songs in and wait"
            )
        case state:
            return state


def _served[Result](ask: Callable[[], Result]) -> Result:
    """What `ask` returns; what it raises knowingly becomes a problem."""
    try:
        return ask()
    except InvalidSong:
        # Every song was checked: what is left is the app's own fault.
        raise
    except (NotFound, InvalidName) as error:
        raise _not_there(str(error)[:300]) from error
    except UntrustedModel as error:
        raise _unavailable(
            "damaged",
            "this model is not what its run vouches for, so it is not asked; ask another, or put "
            "the dataset's file in again to train it anew",
        ) from error
    except ChartBusterError as error:
        raise _unavailable("store-away", str(error)[:300]) from error


def _not_there(detail: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "not-found", detail)


def _unavailable(kind: str, detail: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, kind, detail, headers=_AGAIN)
