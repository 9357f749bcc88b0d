"""The app over a store in memory, for a browser: python -m tests.browser.serve --port 14800.

With the settings of a sign-in in its environment, people sign in.
"""

import argparse
import dataclasses
import os
import sys
import threading
from collections.abc import Iterator

from chartbuster.errors import Unreachable
from chartbuster.memory import InMemoryStore
from chartbuster.ports import ObjectInfo
from tests.unit.way import LivingWay
from tests.unit.webapp_data_store import lived_in
from tests.unit.webapp_store import edges_over, model_key, published
from webapp.edges import Edges
from webapp.server import serve
from webapp.settings import SignIn

# Long enough for a browser to see what is there before.
_SOON = 12.0
_PAUSE = 1.5


class Absent(InMemoryStore):
    """A store that does not answer."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        raise Unreachable(f"no answer for {prefix}")


STATES = ("champion", "soon", "empty", "away", "broken", "data", "living")


def store_in(state: str) -> InMemoryStore:
    """A store in one of the states a visitor can meet."""
    store = Absent() if state == "away" else InMemoryStore()
    match state:
        case "champion":
            published(store)
            run = published(store, dataset="tampered", run_id="run2")
            store.write(model_key(run, run.best), b"not the model")
        case "soon":
            note = b'{"stage": "fitting the neural network", "fraction": 0.4}'
            store.write("progress/demo.json", note)
            threading.Timer(_SOON, published, (store,)).start()
        case "broken":
            store.write("champions/demo.json", b"{cut")
    return store


def over_state(state: str) -> Edges:
    """The app's edges in one of the states a visitor can meet."""
    match state:
        case "data":
            return lived_in().edges()
        case "living":
            return LivingWay(_PAUSE).edges
    return edges_over(store_in(state))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--state", choices=STATES, default="champion")
    options = parser.parse_args()
    over = over_state(options.state)
    if sign_in := SignIn.from_env(os.environ):
        over = dataclasses.replace(over, sign_in=sign_in, operators=sign_in.operators)
    serve(over, host="127.0.0.1", port=options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
