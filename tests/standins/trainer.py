"""Stands in for the trainer: a run is a manifest and a champion, and is made once per upload.

Each run it makes, rather than finds, is one line `trained <dataset>` of its log.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from chartbuster import layout
from chartbuster.aws import s3_store, sqs_queue
from chartbuster.errors import Conflict, Unreachable
from chartbuster.ports import Delivery
from chartbuster.registry import Registry

artifacts = s3_store(os.environ["ARTIFACTS_BUCKET"])
queue = sqs_queue(
    os.environ["TRAIN_QUEUE_URL"], dead_letters=os.environ["TRAIN_DEAD_LETTER_QUEUE_URL"]
)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def work(delivery: Delivery) -> None:
    for record in json.loads(delivery.body).get("Records", []):
        ready = layout.ReadyKey.parse(unquote_plus(record["s3"]["object"]["key"]))
        dataset, run = ready.raw.dataset, ready.upload[:16]
        try:
            artifacts.create(layout.run_manifest(run), b"{}")
            say(f"trained {dataset}")
        except Conflict:
            say(f"found {dataset}")
        registry = Registry(artifacts)
        registry.crown(dataset, run, "baseline", reason="it is the only one", now=datetime.now(UTC))
        registry.activate_first(dataset)


while True:
    try:
        for delivery in queue.receive(limit=1, wait=1):
            work(delivery)
            queue.done(delivery)
    except Unreachable as error:
        say(str(error))
        time.sleep(0.5)
