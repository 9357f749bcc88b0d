"""Answers a container's health check: `python -m chartbuster.probe`.

Either an address that must answer 200, or a file that must have been touched lately: the heartbeat
of a program that listens nowhere. Ends with 0 when well and with 1, and the reason, when not.
"""

import argparse
import http.client
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

HEARTBEAT_FILE = "HEARTBEAT_FILE"
_PATIENCE = 4.0


def answers(address: str) -> str:
    """What is wrong with the page at `address`; empty when it answers 200."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    try:
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{address} does not answer: {error}"
    finally:
        connection.close()
    return "" if status == http.client.OK else f"{address} answers {status}; expected 200"


def is_fresh(file: Path, seconds: float, *, now: float) -> str:
    """What is wrong with the heartbeat `file`; empty when it was touched `seconds` ago at most."""
    try:
        age = now - file.stat().st_mtime
    except OSError as error:
        return f"no heartbeat in {file}: {error.strerror}"
    late = f"the last heartbeat in {file} is {age:.0f} s old; expected at most {seconds:.0f} s"
    return "" if age <= seconds else late


def heartbeat(env: Mapping[str, str]) -> Callable[[], None]:
    """What a program calls whenever it is alive: touches HEARTBEAT_FILE, if that is set."""
    path = env.get(HEARTBEAT_FILE)
    return Path(path).touch if path else lambda: None


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m chartbuster.probe http://127.0.0.1:8501/_stcore/health",
    )
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("address", nargs="?", help="must answer 200")
    asked.add_argument(
        "--fresh", nargs=2, metavar=("FILE", "SECONDS"), help="touched at most SECONDS ago"
    )
    options = parser.parse_args()
    if options.fresh:
        file, seconds = options.fresh
        wrong = is_fresh(Path(file), float(seconds), now=time.time())
    else:
        wrong = answers(options.address)
    if wrong:
        sys.stderr.write(f"{wrong}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
