"""LocalStack in a container of our own image, by testcontainers: gone when its block ends.

As a program, `python -m tests.containers --port 4600` runs one in the foreground until told to
stop; so a supervised stack can have LocalStack in a container.
"""

import argparse
import os
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

# Its reaper is an image of its own, which need not be there; every container here ends by a block.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

from testcontainers.community.localstack import LocalStackContainer

from chartbuster.errors import Misconfigured
from compose import engine, manifest
from compose.composed import Composed
from compose.layout import HOST, REGION, Ports
from tests.emulator import ROOT, Emulator, free_port

_INNER_PORT = 4566


def lacking() -> str | None:
    """Why nothing can run in containers here, or None; `make test` builds the images."""
    try:
        engine.find(os.environ)
        manifest.built(ROOT)
    except (engine.NoEngine, Misconfigured) as error:
        return str(error)
    return None


def fresh_project() -> Composed:
    """docker-compose.yml with the built images, in a project and on ports of its own."""
    return Composed(
        ROOT,
        {**os.environ, "COMPOSE_PROJECT_NAME": f"chartbuster-test-{uuid.uuid4().hex[:8]}"},
        Ports(localstack=free_port(), web=free_port()),
        manifest.built(ROOT),
    )


@contextmanager
def localstack_container(port: int) -> Iterator[Emulator]:
    """LocalStack from the built image, as hardened as in docker-compose.yml, on 127.0.0.1."""
    image = manifest.built(ROOT)["LOCALSTACK_IMAGE"]
    container = (
        LocalStackContainer(image, edge_port=_INNER_PORT, region_name=REGION)
        .with_env("LOCALSTACK_HOST", f"{HOST}:{port}")
        .with_env("LAMBDA_RETRY_BASE_DELAY", "5")
        .with_env("LS_LOG", "warning")
        .with_tmpfs_mount("/tmp", "mode=1777")
        .with_tmpfs_mount("/var/lib/localstack", "exec,uid=10001,gid=10001,mode=0700")
        .with_kwargs(
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            mem_limit="4g",
            pids_limit=512,
            init=True,
        )
    )
    # with_bind_ports takes no host, and would publish on every interface.
    container.ports[str(_INNER_PORT)] = (HOST, port)  # type: ignore[assignment]
    with container:
        yield Emulator(f"http://{HOST}:{port}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m tests.containers --port 4600",
    )
    parser.add_argument("--port", type=int, default=free_port(), help="on 127.0.0.1")
    port = parser.parse_args().port
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with localstack_container(port) as emulator:
        sys.stdout.write(f"LocalStack answers at {emulator.endpoint}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
