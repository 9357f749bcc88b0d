"""What every stack does with the files people give it, wherever it runs."""

import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError

from chartbuster import layout as keys
from chartbuster.identity import dataset_version
from tests.acceptance.page import Oracle, choose, expect_number, expect_run
from tests.acceptance.stack import Stack, Upload, fresh, songs
from tests.acceptance.targets import Running
from tests.chromium import Visit

type Open = Callable[..., Visit]

_BAD_ROW = b"Pop,,no popularity,,,,,,,,,,,,,,,\n"


@pytest.fixture(scope="module")
def mine(stack: Stack) -> Upload:
    """A file with a space and an accent in its name and a bad row at its end, all the way."""
    return stack.trained(fresh("mine"), songs(300) + _BAD_ROW, file="my songs é.csv")


def test_an_upload_is_cleaned_and_its_bad_rows_are_listed_beside_it(stack: Stack, mine: Upload):
    def table(name: str) -> pd.DataFrame:
        return pd.read_csv(io.BytesIO(stack.ready.read(mine.key.prepared(mine.id, name)).body))

    report = stack.report(mine)
    assert report is not None
    assert (report["status"], report["songs"], report["rows"]["rejected"]) == ("ready", 300, 1)
    assert len(table(keys.CLEANED)) == len(table(keys.READY)) == 300
    assert len(table(keys.REJECTS)) == 1
    assert stack.current(mine.key) == mine.id


def test_an_upload_becomes_exactly_one_run_and_its_best_model_champion(stack: Stack, mine: Upload):
    of_dataset = [
        run
        for run in map(stack.registry.manifest, stack.registry.runs())
        if run.dataset == mine.dataset
    ]

    (run,) = of_dataset
    assert (run.songs, run.uploads) == (300, (mine.id,))
    champion = stack.registry.champion(mine.dataset)
    assert champion is not None
    assert (champion.run_id, champion.model) == (run.run_id, run.best)
    assert len(champion.history) == 1


def test_a_browser_shows_the_champions_prediction_and_a_slider_moves_it(
    stack: Stack, mine: Upload, visit: Open
):
    oracle = Oracle.of(stack, mine.dataset)
    usual = oracle.popularity()
    lively = oracle.popularity(energy=oracle.highest("energy"))
    assert abs(lively - usual) > 1

    page = visit(stack.outputs["WebUrl"]).page
    choose(page, mine.dataset)
    expect_number(page, usual)
    slider = page.get_by_role("slider", name="Energy")
    slider.focus()
    slider.press("End")

    expect_number(page, lively)


def test_a_file_without_popularity_is_refused_with_the_reason_and_set_aside(stack: Stack):
    dataset = fresh("refused")

    upload = stack.upload(dataset, b"genre,artist_name\nPop,Somebody\n")

    stack.until(lambda: stack.report(upload) is not None, "the report")
    report = stack.report(upload)
    assert report is not None
    assert report["status"] == "refused"
    assert "popularity" in report["reason"]
    stack.until(
        lambda: bool(stack.take("LambdaDeadLetterQueueUrl", dataset)),
        "the event in the Lambda's dead-letter queue",
    )
    assert stack.registry.champion(dataset) is None


def test_a_message_that_is_no_job_is_set_aside_with_the_reason(stack: Stack):
    nonsense = f"no job {uuid.uuid4().hex}"
    stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=nonsense)

    aside: list[dict[str, Any]] = []

    def is_set_aside() -> bool:
        aside.extend(stack.take("TrainDeadLetterQueueUrl", nonsense))
        return bool(aside)

    stack.until(is_set_aside, "the message in the trainer's dead-letter queue")
    (message,) = aside
    assert "not JSON" in message["MessageAttributes"]["reason"]["StringValue"]


def test_the_same_event_again_changes_nothing(stack: Stack):
    body = songs()
    upload = stack.trained(fresh("again"), body)
    before = stack.of(upload.dataset)

    stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=stack.message(upload))
    stack.upload(upload.dataset, body)
    stack.see_through_everything_so_far()

    assert stack.of(upload.dataset) == before


def test_a_newer_upload_of_a_file_replaces_the_older_and_the_older_may_come_back(stack: Stack):
    dataset, older, newer = fresh("newer"), songs(), songs(hated=True)

    def champion_learnt_from(upload: Upload) -> bool:
        champion = stack.registry.champion(dataset)
        assert champion is not None
        run = stack.registry.manifest(champion.run_id)
        return run.dataset_version == dataset_version([upload.id])

    first = stack.trained(dataset, older)
    assert stack.current(first.key) == first.id
    assert champion_learnt_from(first)

    second = stack.trained(dataset, newer)
    assert stack.current(first.key) == second.id
    assert champion_learnt_from(second)

    stack.upload(dataset, older)
    stack.until(lambda: stack.current(first.key) == first.id, "the older file to be current again")
    stack.until(lambda: champion_learnt_from(first), "its model to be champion again")
    assert len(stack.runs(dataset)) == 2


def test_a_rollback_reaches_an_open_page_and_training_the_same_data_does_not_undo_it(
    stack: Stack, visit: Open
):
    dataset = fresh("rollback")
    stack.trained(dataset, songs())
    earlier = stack.registry.champion(dataset)
    # The trainer prefers what learnt from the songs there are now, and these contradict the first.
    upload = stack.trained(dataset, songs(hated=True))
    later = stack.registry.champion(dataset)
    assert earlier is not None
    assert later is not None
    assert later.run_id != earlier.run_id
    page = visit(stack.outputs["WebUrl"]).page
    choose(page, dataset)
    expect_run(page, later.run_id)

    stack.registry.rollback(dataset, now=datetime.now(UTC))

    expect_run(page, earlier.run_id)
    stack.sqs.send_message(QueueUrl=stack.outputs["QueueUrl"], MessageBody=stack.message(upload))
    stack.see_through_everything_so_far()
    champion = stack.registry.champion(dataset)
    assert champion is not None
    assert champion.is_model(earlier.run_id, earlier.model)
    stack.registry.promote(
        dataset, later.run_id, later.model, reason="chosen", now=datetime.now(UTC)
    )
    expect_run(page, later.run_id)


def test_two_datasets_at_once_get_a_champion_each(stack: Stack):
    one = stack.upload(fresh("one"), songs())
    two = stack.upload(fresh("two"), songs())

    stack.until(lambda: stack.decided(one) and stack.decided(two), "two champions")


def test_a_parked_job_is_worked_off_once_it_is_moved_back(
    stack: Stack, record_property: Callable[[str, object], None]
):
    upload = stack.trained(fresh("parked"), songs())
    (lost,) = stack.runs(upload.dataset)
    for key in stack.of(upload.dataset):
        if key.startswith((keys.RUNS, keys.CHAMPIONS)):
            stack.artifacts.delete(key)
    assert not stack.decided(upload)
    dead_letters = stack.outputs["TrainDeadLetterQueueUrl"]
    stack.sqs.send_message(QueueUrl=dead_letters, MessageBody=stack.message(upload))

    record_property("note", f"moved back by {move_back(stack)}")

    stack.until(lambda: stack.decided(upload), "the run that was lost")
    (again,) = stack.runs(upload.dataset)
    assert again.run_id == lost.run_id
    stack.until(stack.is_idle, "the end of all work")
    assert stack.take("TrainDeadLetterQueueUrl", upload.dataset) == []


def move_back(stack: Stack) -> str:
    """Redrive the trainer's dead letters, by SQS itself where it can; returns by what."""
    source, back = stack.outputs["TrainDeadLetterQueueUrl"], stack.outputs["QueueUrl"]

    def arn(url: str) -> str:
        answer = stack.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return answer["Attributes"]["QueueArn"]

    try:
        stack.sqs.start_message_move_task(SourceArn=arn(source), DestinationArn=arn(back))
    except ClientError:
        answer = stack.sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10)
        for message in answer["Messages"]:
            stack.sqs.send_message(QueueUrl=back, MessageBody=message["Body"])
            stack.sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        return "receiving, sending and deleting"
    return "StartMessageMoveTask"


def test_after_a_restart_all_is_as_before_and_nothing_is_trained_again(
    stack: Stack, running: Running, visit: Open
):
    kept = stack.trained(fresh("kept"), songs())
    champions, before = stack.registry.champions(), everything(stack)
    usual = Oracle.of(stack, kept.dataset).popularity()

    running.restart()

    stack.until(stack.is_idle, "the end of all work")
    assert stack.registry.champions() == champions
    assert everything(stack) == before
    page = visit(stack.outputs["WebUrl"]).page
    choose(page, kept.dataset)
    expect_number(page, usual)
    stack.see_through_everything_so_far()
    assert {key: etag for key, etag in everything(stack).items() if key in before} == before


def everything(stack: Stack) -> dict[str, str]:
    """Every object of the three buckets with its ETag."""
    return {
        f"{name}/{item.key}": item.etag
        for name, store in (
            ("raw", stack.raw),
            ("ready", stack.ready),
            ("artifacts", stack.artifacts),
        )
        for item in store.list("")
    }
