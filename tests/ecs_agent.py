"""The part of an ECS agent that protects a task from being scaled in, on this machine."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

type Answer = Callable[[dict[str, object]], tuple[int, object]]

ON: dict[str, object] = {"ProtectionEnabled": True, "ExpiresInMinutes": 30}
OFF: dict[str, object] = {"ProtectionEnabled": False}
TASK = "arn:aws:ecs:eu-west-1:123456789012:task/made-up/1"


def as_asked(wanted: dict[str, object]) -> tuple[int, object]:
    """The answer of an agent that does what it is asked."""
    state = {"ProtectionEnabled": wanted["ProtectionEnabled"], "TaskArn": TASK}
    return 200, {"protection": state}


@dataclass
class Agent:
    """An agent at `uri`: what it was `asked`, and how it takes a request."""

    uri: str = ""
    asked: list[dict[str, object]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    answer: Answer = as_asked


@contextmanager
def listening() -> Iterator[Agent]:
    """An agent that answers while the block runs."""
    made = Agent()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.requests.append((self.path, self.headers["Content-Type"]))
            made.asked.append(body)
            status, said = made.answer(body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_arguments: object) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        made.uri = f"http://127.0.0.1:{serving.server_port}/api/task-1"
        yield made
        serving.shutdown()
        thread.join()
