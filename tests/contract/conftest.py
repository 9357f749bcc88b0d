"""Each port in memory and over AWS's own SDK against LocalStack, behind the same fixtures.

LocalStack runs once as a process and once in a container.
"""

import uuid
from collections.abc import Callable

import pytest

from chartbuster.aws import S3Store, SqsDeadLetters, SqsPostbox, SqsQueue
from chartbuster.memory import InMemoryDeadLetters, InMemoryQueue, InMemoryStore
from chartbuster.ports import DeadLetters, ObjectStore, Postbox, Queue
from tests.emulator import Emulator

IMPLEMENTATIONS = [
    "in memory",
    pytest.param("as a process", marks=pytest.mark.integration),
    pytest.param("in a container", marks=pytest.mark.integration),
]
EMULATORS = {"as a process": "emulator", "in a container": "container_emulator"}


@pytest.fixture(params=IMPLEMENTATIONS)
def store(request: pytest.FixtureRequest) -> ObjectStore:
    if request.param == "in memory":
        return InMemoryStore()
    emulator: Emulator = request.getfixturevalue(EMULATORS[request.param])
    client = emulator.client("s3")
    bucket = f"contract-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=bucket)
    return S3Store(client, bucket)


@pytest.fixture(params=IMPLEMENTATIONS)
def queue(request: pytest.FixtureRequest) -> Queue:
    if request.param == "in memory":
        return InMemoryQueue()
    emulator: Emulator = request.getfixturevalue(EMULATORS[request.param])
    client = emulator.client("sqs")
    name = f"contract-{uuid.uuid4().hex}"
    url, dead_letters = (
        client.create_queue(QueueName=f"{name}{suffix}")["QueueUrl"] for suffix in ("", "-dead")
    )
    return SqsQueue(client, url, dead_letters=dead_letters)


@pytest.fixture
def postbox(queue: Queue) -> Postbox:
    """The queue `queue`, as whoever puts messages in sees it."""
    if isinstance(queue, InMemoryQueue):
        return queue
    assert isinstance(queue, SqsQueue)
    return SqsPostbox(queue._client, queue._url)


@pytest.fixture(params=IMPLEMENTATIONS)
def dead_letters(request: pytest.FixtureRequest) -> DeadLetters:
    if request.param == "in memory":
        return InMemoryDeadLetters()
    emulator: Emulator = request.getfixturevalue(EMULATORS[request.param])
    client = emulator.client("sqs")
    name = f"contract-{uuid.uuid4().hex}"
    return SqsDeadLetters(client, client.create_queue(QueueName=name)["QueueUrl"])


@pytest.fixture
def put(dead_letters: DeadLetters) -> Callable[..., None]:
    """Puts a letter in, as whoever sets a message aside would."""
    if isinstance(dead_letters, InMemoryDeadLetters):
        return lambda body, reason="": dead_letters.put(body, reason=reason)
    assert isinstance(dead_letters, SqsDeadLetters)
    client, url = dead_letters._client, dead_letters._url

    def send(body: str, reason: str = "") -> None:
        said = {"reason": {"DataType": "String", "StringValue": reason}} if reason else {}
        void(client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=said))  # type: ignore[arg-type]

    return send


@pytest.fixture
def send(queue: Queue) -> Callable[[str], None]:
    """Puts a message in, as a producer outside the port would."""
    if isinstance(queue, InMemoryQueue):
        return queue.send
    assert isinstance(queue, SqsQueue)
    client, url = queue._client, queue._url
    return lambda body: void(client.send_message(QueueUrl=url, MessageBody=body))


@pytest.fixture
def put_aside(queue: Queue) -> Callable[[], list[tuple[str, str]]]:
    """Reads the dead-letter queue: bodies with their reasons."""
    if isinstance(queue, InMemoryQueue):
        return lambda: [(message.body, message.reason) for message in queue.put_aside]
    assert isinstance(queue, SqsQueue)
    client, url = queue._client, queue._dead_letters

    def read() -> list[tuple[str, str]]:
        answer = client.receive_message(
            QueueUrl=url, MessageAttributeNames=["reason"], WaitTimeSeconds=2
        )
        return [
            (message["Body"], message["MessageAttributes"]["reason"]["StringValue"])
            for message in answer.get("Messages", [])
        ]

    return read


def void(_anything: object) -> None:
    """Drop a value, where a callable should return none."""
