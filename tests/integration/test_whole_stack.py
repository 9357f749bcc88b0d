"""From an upload to a prediction, nothing replaced: LocalStack, Lambda, trainer and app."""

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from chartbuster import layout as keys
from chartbuster.demo.catalogue import as_csv, generate
from chartbuster.errors import NotFound, TryAgain
from compose.processes import of_stack
from scripts.predict import command, environment
from tests.integration.whole_stack import WholeStack, brought_up
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeStack]:
    """One stack for the whole module, up with the demo catalogue; every test leaves it well."""
    with brought_up(tmp_path_factory.mktemp("whole")) as made:
        yield made


def songs(count: int, seed: int) -> bytes:
    return as_csv(generate(count, seed=seed))


def get(stack: WholeStack, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports.web, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def predicted(stack: WholeStack, song: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(song),
        env=environment(stack.running, os.environ),
        capture_output=True,
        text=True,
        check=False,
    )


def test_after_up_the_app_serves_the_demo_catalogues_champion(stack: WholeStack):
    champion = stack.registry.champion("demo")

    assert champion is not None
    assert stack.registry.active() == "demo"
    assert get(stack, "/ready") == 200
    manifest = stack.registry.manifest(champion.run_id)
    assert manifest.songs == 20_000
    assert len(manifest.models) == 5


def test_a_song_is_answered_with_where_the_answer_comes_from(stack: WholeStack):
    done = predicted(stack, '{"genre": "Pop", "danceability": 0.7}')

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    champion = stack.registry.champion("demo")
    assert champion is not None
    assert (answer["run_id"], answer["model"]) == (champion.run_id, champion.model)
    assert 40 < answer["popularity"] < 90


@pytest.mark.parametrize(
    ("song", "said"),
    [
        ('{"genre": "Gabber"}', "unknown genre 'Gabber'; expected one of"),
        ('{"danceability": 7}', "danceability"),
        ('{"dancability": 0.7}', "dancability"),
        ("{", "JSON"),
    ],
)
def test_a_song_that_cannot_be_gets_a_clear_error(stack: WholeStack, song: str, said: str):
    done = predicted(stack, song)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_an_upload_is_cleaned_prepared_trained_and_crowned(stack: WholeStack):
    key = keys.RawKey("mine", "my songs é.csv")
    body = songs(400, seed=1) + b"Pop,,no popularity,,,,,,,,,,,,,,,\n"

    upload = stack.upload(key, body)

    until(lambda: stack.decided("mine", upload), what="a champion for the upload")
    report = stack.report(key, upload)
    assert report is not None
    assert report["status"] == "ready"
    assert report["songs"] == 400
    names = {item.key.rsplit("/", 1)[1] for item in stack.running.ready.list(f"{key}/")}
    assert names == {keys.CLEANED, keys.REJECTS, keys.REPORT, keys.READY, "current.json"}
    (run,) = stack.runs_of(upload)
    assert (run.dataset, run.songs) == ("mine", 400)
    assert stack.registry.active() == "demo"


def test_the_same_upload_again_changes_nothing(stack: WholeStack):
    key = keys.RawKey("again", "songs.csv")
    upload = stack.upload(key, songs(300, seed=2))
    until(lambda: stack.decided("again", upload), what="the first run")
    before, begun = listing(stack), stack.started()

    stack.upload(key, songs(300, seed=2))
    # Another dataset's upload comes after it, so when that is done this one was looked at.
    other = stack.upload(keys.RawKey("after-again", "songs.csv"), songs(300, seed=3))
    until(lambda: stack.decided("after-again", other), what="the run after it")

    assert {name: etag for name, etag in listing(stack).items() if name in before} == before
    assert stack.started() == begun + 1


def test_a_newer_upload_of_the_same_name_replaces_the_older_and_may_be_taken_back(
    stack: WholeStack,
):
    key = keys.RawKey("newer", "songs.csv")
    older, newer = songs(300, seed=4), songs(300, seed=5)
    first = stack.upload(key, older)
    until(lambda: stack.decided("newer", first), what="the first run")

    second = stack.upload(key, newer)
    until(lambda: stack.decided("newer", second), what="the second run")
    stack.upload(key, older)

    def current_is_the_first_again() -> bool:
        pointer = json.loads(stack.running.ready.read(key.current).body)
        return bool(pointer["upload_id"] == first)

    until(current_is_the_first_again, what="the older upload to be current again")
    assert len(stack.runs_of(first)) == len(stack.runs_of(second)) == 1


def test_two_datasets_at_once_get_a_champion_each(stack: WholeStack):
    one = stack.upload(keys.RawKey("one", "songs.csv"), songs(300, seed=6))
    two = stack.upload(keys.RawKey("two", "songs.csv"), songs(300, seed=7))

    until(lambda: stack.decided("one", one) and stack.decided("two", two), what="two champions")


def test_several_files_of_a_dataset_are_learnt_from_together(stack: WholeStack):
    uploads = [
        stack.upload(keys.RawKey("many", f"songs-{number}.csv"), songs(200, seed=20 + number))
        for number in range(3)
    ]

    until(lambda: stack.decided("many", *uploads), what="the run of all three")

    (run,) = stack.runs_of(*uploads)
    assert run.songs == 600


def test_a_file_without_popularity_is_refused_and_its_event_set_aside(stack: WholeStack):
    key = keys.RawKey("refused", "songs.csv")

    upload = stack.upload(key, b"genre,artist_name\nPop,Somebody\n")

    until(lambda: stack.report(key, upload) is not None, what="the report")
    report = stack.report(key, upload)
    assert report is not None
    assert report["status"] == "refused"
    assert "popularity" in str(report["reason"])
    assert stack.registry.champion("refused") is None
    dead = stack.running.outputs["LambdaDeadLetterQueueUrl"]

    def set_aside() -> bool:
        answer = stack.running.sqs.receive_message(
            QueueUrl=dead, WaitTimeSeconds=1, VisibilityTimeout=0
        )
        return any("refused/songs.csv" in message["Body"] for message in answer.get("Messages", []))

    until(set_aside, what="the event in the Lambda's dead-letter queue")


def test_a_message_that_is_no_job_is_set_aside_with_its_reason(stack: WholeStack):
    outputs = stack.running.outputs
    stack.running.sqs.send_message(QueueUrl=outputs["QueueUrl"], MessageBody="not a job")

    def reason() -> str:
        answer = stack.running.sqs.receive_message(
            QueueUrl=outputs["TrainDeadLetterQueueUrl"],
            MessageAttributeNames=["reason"],
            VisibilityTimeout=0,
        )
        for message in answer.get("Messages", []):
            if message["Body"] == "not a job":
                return message["MessageAttributes"]["reason"]["StringValue"]
        return ""

    until(lambda: "not JSON" in reason(), what="the message in the trainer's dead-letter queue")


@pytest.mark.parametrize(
    ("victim", "seed"),
    [
        ("trainer", 31),
        ("the run", 32),
        ("localstack", 33),
        ("supervisor", 34),
        ("keeper", 35),
        ("guard", 36),
        ("webapp", 37),
    ],
)
def test_a_kill_in_the_middle_of_a_run_ends_in_one_completed_run(
    stack: WholeStack, victim: str, seed: int
):
    key = keys.RawKey("killed", f"{victim}.csv")
    known = [
        item.key.split("/")[3]
        for item in stack.running.ready.list(keys.dataset_prefix("killed"))
        if item.key.endswith(keys.READY)
    ]
    begun = stack.started()
    upload = stack.upload(key, songs(3_000, seed=seed))
    until(lambda: stack.started() > begun, what="the run to begin")

    os.kill(pid_of(stack, victim), signal.SIGKILL)

    def decided() -> bool:
        try:
            return stack.decided("killed", upload, *known)
        except (NotFound, TryAgain):
            return False  # LocalStack is away, or back and still empty

    until(decided, seconds=150, what="the run after the kill")
    until(stack.well, what="a healthy stack")
    assert len(stack.runs_of(upload, *known)) == 1
    assert stack.running.raw.etag(str(key)) is not None


def test_down_and_up_again_trains_nothing_and_serves_the_same_champions(stack: WholeStack):
    def everything() -> dict[str, str]:
        return {name: etag for name, etag in listing(stack).items() if "progress/" not in name}

    before, begun = everything(), stack.started()

    stack.down()
    assert not of_stack(stack.layout.stack)
    stack.up()

    assert set(everything()) == set(before)
    assert get(stack, "/ready") == 200
    until(stack.well, what="a healthy stack")
    assert stack.started() == begun


def listing(stack: WholeStack) -> dict[str, str]:
    """Every prepared and trained object with its ETag."""
    running = stack.running
    return {
        item.key: item.etag
        for store in (running.ready, running.artifacts)
        for item in store.list("")
    }


def pid_of(stack: WholeStack, victim: str) -> int:
    endings = {
        "trainer": lambda line: line[-2:] == ["-m", "trainer"],
        "the run": lambda line: "trainer.train_model" in line,
        "localstack": lambda line: any("launch.py" in part for part in line),
        "keeper": lambda line: "compose.keeper" in line,
        "guard": lambda line: "compose.guard" in line,
        "webapp": lambda line: "webapp" in line,
        "supervisor": lambda line: any("supervisord" in part for part in line),
    }
    found = [
        process.pid
        for process in of_stack(stack.layout.stack)
        if psutil.pid_exists(process.pid) and endings[victim](process.cmdline())
    ]
    assert found, f"no process is {victim}"
    return found[0]
