import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from typing import Any

import pytest
from localstack_process_executor.runtime_api import (
    Answered,
    AnsweredTooMuch,
    InitFailed,
    RuntimeApi,
    Task,
    Waiting,
)

TASK = Task("id-1", "arn:f", "Root=1", 1_700_000_000_000, b'{"a": 1}')
INVOCATION = "/2018-06-01/runtime/invocation"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    running = RuntimeApi(largest_answer=10)
    yield running
    running.close()


def said(api: RuntimeApi, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection(api.address, timeout=5)) as connection:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def test_a_task_is_handed_over_with_its_headers(api: RuntimeApi) -> None:
    api.hand_over(TASK)

    with closing(http.client.HTTPConnection(api.address, timeout=5)) as connection:
        connection.request("GET", f"{INVOCATION}/next")
        response = connection.getresponse()
        assert response.read() == TASK.payload

    assert api.events.get_nowait() == Waiting()
    assert response.headers["Lambda-Runtime-Aws-Request-Id"] == "id-1"
    assert response.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:f"
    assert response.headers["Lambda-Runtime-Deadline-Ms"] == "1700000000000"
    assert response.headers["Lambda-Runtime-Trace-Id"] == "Root=1"


def test_answers_and_errors_come_out_as_events(api: RuntimeApi) -> None:
    assert said(api, "POST", f"{INVOCATION}/id-1/response", b"1")[0] == 202
    assert said(api, "POST", f"{INVOCATION}/id-2/error", b"{}")[0] == 202
    assert said(api, "POST", "/2018-06-01/runtime/init/error", b"bad")[0] == 202

    assert api.events.get_nowait() == Answered("id-1", b"1", is_error=False)
    assert api.events.get_nowait() == Answered("id-2", b"{}", is_error=True)
    assert api.events.get_nowait() == InitFailed(b"bad")


def test_an_answer_of_the_largest_size_passes_and_one_byte_more_does_not(api: RuntimeApi) -> None:
    assert said(api, "POST", f"{INVOCATION}/id-1/response", b"x" * 10)[0] == 202
    assert said(api, "POST", f"{INVOCATION}/id-1/response", b"x" * 11)[0] == 413

    assert api.events.get_nowait() == Answered("id-1", b"x" * 10, is_error=False)
    assert api.events.get_nowait() == AnsweredTooMuch("id-1")


def test_what_is_no_part_of_the_api_is_not_found(api: RuntimeApi) -> None:
    assert said(api, "GET", "/anything")[0] == 404
    assert said(api, "POST", "/anything", b"")[0] == 404


def test_closing_lets_a_waiting_runtime_go_and_gives_the_port_back() -> None:
    api = RuntimeApi(largest_answer=10)
    ended: list[BaseException] = []

    def wait_for_work() -> None:
        try:
            said(api, "GET", f"{INVOCATION}/next")
        except (http.client.HTTPException, ConnectionError) as error:
            ended.append(error)

    runtime = Thread(target=wait_for_work)
    runtime.start()
    assert api.events.get(timeout=5) == Waiting()

    api.close()
    api.close()

    runtime.join(5)
    assert ended
    with pytest.raises(ConnectionRefusedError):
        said(api, "GET", "/anything")
