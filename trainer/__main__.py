"""The trainer: waits for prepared tables and turns each changed dataset into a run.

Takes its settings from the environment: READY_BUCKET, ARTIFACTS_BUCKET, TRAIN_QUEUE_URL and
TRAIN_DEAD_LETTER_QUEUE_URL, and, where the defaults do not suit, TRAINER_VISIBILITY_SECONDS (30)
and TRAINER_JOBS (2 models at a time). HEARTBEAT_FILE, if set, is touched while all is well. SIGTERM
gives the work in hand back and ends the program. ECS_AGENT_URI, which ECS sets by itself, is where
protection from being scaled in is asked for while work is in hand.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from chartbuster import logs
from chartbuster.aws import sqs_queue
from chartbuster.errors import Misconfigured
from chartbuster.probe import heartbeat
from trainer.child import Outcome, command_for, run_in_child, threads_environment
from trainer.protection import protecting
from trainer.settings import Settings
from trainer.worker import Worker

log = logging.getLogger("trainer")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m trainer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: READY_BUCKET=ready ARTIFACTS_BUCKET=artifacts TRAIN_QUEUE_URL=... "
        "TRAIN_DEAD_LETTER_QUEUE_URL=... python -m trainer",
    )
    parser.parse_args(arguments)
    try:
        settings = Settings.from_env(os.environ)
    except Misconfigured as error:
        print(f"error: {error}", file=sys.stderr)
        return os.EX_CONFIG
    logs.configure()
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    environment = threads_environment(os.environ, settings.jobs)

    def train(dataset: str) -> Outcome:
        return run_in_child(
            command_for(dataset), env=environment, stopping=stopping, relay=_pass_on
        )

    queue = sqs_queue(settings.queue_url, dead_letters=settings.dead_letter_queue_url)
    log.info("trainer_started", extra={"queue": settings.queue_url})
    with protecting(settings.agent) as busy:
        Worker(
            queue=queue,
            train=train,
            stopping=stopping,
            alive=heartbeat(os.environ),
            busy=busy,
            visibility=settings.visibility,
        ).run()
    return 0


def _pass_on(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
