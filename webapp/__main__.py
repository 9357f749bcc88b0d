"""`python -m webapp`: serves the app until a signal says stop."""

import argparse
import os
import signal
import sys

from chartbuster import logs

_PORTS = range(1, 65536)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) not in _PORTS:
        raise argparse.ArgumentTypeError(f"port {text!r}; expected a number from 1 to 65535")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """What the command line may say."""
    made = argparse.ArgumentParser(
        prog="python -m webapp",
        description="Serve the ChartBuster app. RAW_BUCKET, READY_BUCKET and ARTIFACTS_BUCKET "
        "name the stack's buckets, TRAIN_QUEUE_URL, TRAIN_DEAD_LETTER_QUEUE_URL and "
        "LAMBDA_DEAD_LETTER_QUEUE_URL its queues; AWS_ENDPOINT_URL and the other settings of the "
        "AWS SDK say where they are. The app starts without the store and without a model, and "
        "says so on its page. "
        "With OIDC_METADATA_URL and the settings it then asks for, people can sign in, and "
        "only operators change anything. GET /ready answers 200 once it can predict, "
        "GET /_stcore/health once it is up; GET /api/openapi.json describes what programs can "
        "ask.",
        epilog="example: RAW_BUCKET=chartbuster-local-000000000000-raw "
        "READY_BUCKET=chartbuster-local-000000000000-ready "
        "ARTIFACTS_BUCKET=chartbuster-local-000000000000-artifacts "
        "TRAIN_QUEUE_URL=http://127.0.0.1:4566/000000000000/chartbuster-local-train "
        "TRAIN_DEAD_LETTER_QUEUE_URL="
        "http://127.0.0.1:4566/000000000000/chartbuster-local-train-dead-letters "
        "LAMBDA_DEAD_LETTER_QUEUE_URL="
        "http://127.0.0.1:4566/000000000000/chartbuster-local-create-data-dead-letters "
        "python -m webapp --port 8501",
    )
    made.add_argument("--port", type=_port, default=8501, help="where to listen (%(default)s)")
    made.add_argument("--host", default="127.0.0.1", help="on which address (%(default)s)")
    return made


def main(arguments: list[str] | None = None) -> int:
    """Serve; 0 when asked to stop, 1 when the port is taken, 2 when a setting is missing."""
    given = parser().parse_args(arguments)
    logs.configure()
    # One song at a time gains nothing from threads, and they double the work under load. It must
    # be set before numpy is imported, hence the imports below.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Arrow's own allocator keeps what reading the songs took in between: 90 MB for 177,000 songs.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

    from chartbuster.errors import Misconfigured
    from webapp import edges

    try:
        over = edges.from_env(os.environ)
    except Misconfigured as error:
        print(f"error: {error}", file=sys.stderr)
        return 2

    from webapp.server import serve

    # The server shuts down in order and then raises the signal again; that is a clean end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    serve(over, host=given.host, port=given.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
