"""The Runtime API: the small HTTP service through which awslambdaric gets its work.

One server per child process, on an ephemeral port of 127.0.0.1. What the child says comes out
as events on a queue; what it is to do goes in through `hand_over`.
Paths and headers: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import queue
import re
import socket
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, override

NEXT = "/2018-06-01/runtime/invocation/next"
INIT_ERROR = "/2018-06-01/runtime/init/error"
OUTCOME = re.compile(r"/2018-06-01/runtime/invocation/(?P<id>[^/]+)/(?P<kind>response|error)")


@dataclass(frozen=True)
class Task:
    """One invocation, as the runtime is told of it."""

    request_id: str
    arn: str
    trace_id: str
    deadline_ms: int
    payload: bytes


@dataclass(frozen=True)
class Waiting:
    """The runtime asked for work: its initialisation is over."""


@dataclass(frozen=True)
class InitFailed:
    payload: bytes


@dataclass(frozen=True)
class Answered:
    request_id: str
    payload: bytes
    is_error: bool


@dataclass(frozen=True)
class AnsweredTooMuch:
    request_id: str


Event = Waiting | InitFailed | Answered | AnsweredTooMuch


class RuntimeApi:
    """Serves one runtime process until `close`. `largest_answer` is in bytes."""

    def __init__(self, largest_answer: int) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._largest_answer = largest_answer
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._closed = False
        self._server = _Server(self)
        self._port = self._server.server_port
        self.address = f"127.0.0.1:{self._port}"
        self._thread = threading.Thread(target=self._serve, name="runtime-api", daemon=True)
        self._thread.start()

    def hand_over(self, task: Task) -> None:
        """Give the runtime its next invocation, when it asks for one."""
        self._tasks.put(task)

    def close(self) -> None:
        """Stop serving and give the port back; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._tasks.put(None)
        # The accepting thread sleeps without a timeout; a connection is what wakes it.
        socket.create_connection(("127.0.0.1", self._port)).close()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        while not self._closed:
            self._server.handle_request()

    def next_task(self) -> Task | None:
        """Block until there is work; None once the server is closed."""
        self.events.put(Waiting())
        task = self._tasks.get()
        if task is None:
            self._tasks.put(None)  # for whoever else is waiting
        return task

    def take_answer(self, request_id: str, body: bytes, *, is_error: bool) -> HTTPStatus:
        """Note what the runtime answered, and say what it is told in return."""
        if len(body) > self._largest_answer:
            self.events.put(AnsweredTooMuch(request_id))
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        self.events.put(Answered(request_id, body, is_error))
        return HTTPStatus.ACCEPTED


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    timeout = None

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a runtime that was killed leaves broken connections behind."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one write, at once. Otherwise Nagle's algorithm waits for the
    # acknowledgement that the other side delays, and a warm call takes 100 ms instead of 10.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        if self.path != NEXT:
            self._reply(HTTPStatus.NOT_FOUND, {"errorType": "NotFound"})
            return
        task = self.server.api.next_task()
        if task is None:
            self.close_connection = True
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(task.payload)))
        self.send_header("Lambda-Runtime-Aws-Request-Id", task.request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(task.deadline_ms))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", task.arn)
        self.send_header("Lambda-Runtime-Trace-Id", task.trace_id)
        self.end_headers()
        self.wfile.write(task.payload)
        self.wfile.flush()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length")
        if length is None:
            self.close_connection = True
            self._reply(HTTPStatus.LENGTH_REQUIRED, {"errorType": "LengthRequired"})
            return
        body = self.rfile.read(int(length))
        if self.path == INIT_ERROR:
            self.server.api.events.put(InitFailed(body))
            self._reply(HTTPStatus.ACCEPTED, {"status": "OK"})
        elif outcome := OUTCOME.fullmatch(self.path):
            status = self.server.api.take_answer(
                outcome["id"], body, is_error=outcome["kind"] == "error"
            )
            self._reply(status, {"status": status.phrase})
        else:
            self._reply(HTTPStatus.NOT_FOUND, {"errorType": "NotFound"})

    def _reply(self, status: HTTPStatus, said: dict[str, str]) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the function's log is not the place for this."""
