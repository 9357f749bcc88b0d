"""Start LocalStack without Docker: on one host only, offline, and kept to one folder.

LocalStack's default server ignores the host in GATEWAY_LISTEN for IPv4 and listens on every
interface. With Lambda functions running as child processes that would offer code execution to
the whole network, so this program hands the host to the server and checks the result.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

EXAMPLE = """\
example:
  GATEWAY_LISTEN=127.0.0.1:4566 \\
  PROCESS_EXECUTOR_RUNTIME_DIR=build/lambda-runtime \\
  .venv/emulator/bin/python compose/localstack/launch.py --home .stack/localstack

Every setting of LocalStack can be given in the environment and wins over the defaults here.
SIGTERM ends it, with the Lambda functions it runs, within a few seconds.
"""

LISTEN = "127.0.0.1:4566"

# Where LocalStack writes, and the folder under --home that each of these names. CONFIG_DIR is
# only read: settings in the caller's ~/.localstack are not meant for this one.
FOLDERS = {
    "CONFIG_DIR": "config",
    "FILESYSTEM_ROOT": "files",
    "TMPDIR": "tmp",
    "XDG_CACHE_HOME": "cache",
}


class SeamMissing(Exception):
    """This is another LocalStack than launch.py was written for."""


class CannotListen(Exception):
    """LocalStack would not listen where it was told to, and nowhere else."""


def defaults(env: Mapping[str, str], home: Path | None) -> dict[str, str]:
    """The settings that `env` does not give: offline, one port, and all files under `home`.

    Set rather than left to LocalStack, whose own defaults differ inside a container and use
    the caller's home folder and /tmp. Without `home` those folders are left as they are.
    """
    listen = env.get("GATEWAY_LISTEN") or LISTEN
    host, _, port = listen.partition(",")[0].rpartition(":")
    wanted = {
        "GATEWAY_LISTEN": listen,
        # What queue URLs and the like contain. Every interface is not an address to call.
        "LOCALSTACK_HOST": f"{'127.0.0.1' if host in {'', '0.0.0.0'} else host}:{port}",  # noqa: S104
        # Queue URLs are the endpoint, the account and the name, as AWS's are.
        "SQS_ENDPOINT_STRATEGY": "off",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "OVERRIDE_IN_DOCKER": "0",
    }
    if home is not None:
        wanted |= {name: str(home / folder) for name, folder in FOLDERS.items()}
    return {name: value for name, value in wanted.items() if not env.get(name)}


class EndpointsOn:
    """Stands in for `twisted.internet.endpoints`, with IPv4 servers on one host."""

    def __init__(self, endpoints: Any, host: str) -> None:
        self._endpoints = endpoints
        self._host = host

    def __getattr__(self, name: str) -> Any:
        return getattr(self._endpoints, name)

    def TCP4ServerEndpoint(self, reactor: Any, port: int, **options: Any) -> Any:  # noqa: N802
        return self._endpoints.TCP4ServerEndpoint(
            reactor, port, **{**options, "interface": self._host}
        )


def check_ports(listening: Iterable[tuple[str, int]], wanted: Iterable[tuple[str, int]]) -> None:
    """Raise CannotListen unless exactly the wanted (host, port) pairs are listened on."""
    listening, wanted = set(listening), set(wanted)
    if more := listening - wanted:
        raise CannotListen(
            f"LocalStack listens on {_spelt(more)} where only {_spelt(wanted)} was asked for in "
            "GATEWAY_LISTEN; it is another LocalStack than launch.py was written for (4.14.0)"
        )
    if missing := wanted - listening:
        raise CannotListen(
            f"LocalStack could not listen on {_spelt(missing)}: another program may hold the "
            "port, or the host is no address of this machine; set GATEWAY_LISTEN=host:port"
        )


def _spelt(pairs: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in sorted(pairs))


def bind_to_hosts(server: Any) -> None:
    """Make LocalStack's twisted server listen on the hosts it is given.

    `server` is the module `localstack.runtime.server.twisted`. The seam is its global name
    `endpoints`, swapped while its `register` runs, once for each host. Raises CannotListen
    when the seam is not there.
    """
    cls = getattr(server, "TwistedRuntimeServer", None)
    register: Callable[..., Any] | None = getattr(cls, "register", None)
    names = getattr(getattr(register, "__code__", None), "co_names", ())
    if register is None or not {"endpoints", "TCP4ServerEndpoint"} <= set(names):
        raise CannotListen(
            f"{server.__name__}.TwistedRuntimeServer.register does not use "
            "endpoints.TCP4ServerEndpoint any more, so its host cannot be set; "
            "launch.py was written for LocalStack 4.14.0"
        )
    original = server.endpoints

    def register_on_hosts(self: Any, gateway: Any, listen: Any, ssl_creds: Any = None) -> None:
        for place in listen:
            server.endpoints = EndpointsOn(original, place.host)
            try:
                register(self, gateway, [place], ssl_creds)
            finally:
                server.endpoints = original
        check_ports(
            (
                (reader.getHost().host, reader.getHost().port)
                for reader in server.reactor.getReaders()
                if hasattr(reader, "factory") and hasattr(reader, "interface")
            ),
            ((str(place.host), int(place.port)) for place in listen),
        )

    cls.register = register_on_hosts  # type: ignore[union-attr]


def keep_objects_in(folder: Path, provider: Any) -> None:
    """Keep the bytes of S3's objects under `folder`.

    LocalStack would keep them in a fixed folder under /tmp, by bucket: two of them at a time remove
    each other's. `provider` is the module `localstack.services.s3.provider`; the seam is its global
    DEFAULT_S3_TMP_DIR. Raises SeamMissing when its provider does not use that any more.
    """
    made = getattr(getattr(provider, "S3Provider", None), "__init__", None)
    if "DEFAULT_S3_TMP_DIR" not in getattr(getattr(made, "__code__", None), "co_names", ()):
        raise SeamMissing(
            f"{provider.__name__}.S3Provider does not use DEFAULT_S3_TMP_DIR any more, so where it "
            "keeps objects cannot be set; launch.py was written for LocalStack 4.14.0"
        )
    provider.DEFAULT_S3_TMP_DIR = str(folder)


def ask_no_name_server(aws_stack: Any) -> None:
    """Have LocalStack know S3 as localhost, without looking up its maker's name for that.

    The look-up would be the one question it asks of the network, and takes 8 s where there is
    none. `aws_stack` is the module `localstack.utils.aws.aws_stack`; the seam is its global
    CACHE_S3_HOSTNAME_DNS_STATUS. Raises SeamMissing when it is not there.
    """
    if not hasattr(aws_stack, "CACHE_S3_HOSTNAME_DNS_STATUS"):
        raise SeamMissing(
            f"{aws_stack.__name__} has no CACHE_S3_HOSTNAME_DNS_STATUS any more, so it would ask a "
            "name server; launch.py was written for LocalStack 4.14.0"
        )
    aws_stack.CACHE_S3_HOSTNAME_DNS_STATUS = False


def index_services() -> None:
    """Have another process make LocalStack's index of AWS's services, where there is none yet.

    LocalStack makes it by itself with the first request, which takes 3 s and leaves 330 MB
    resident until it ends: 520 MB in place of 190. The index is kept with LocalStack's files,
    so only the first start in a folder takes the time.
    """
    files = Path(os.environ.get("FILESYSTEM_ROOT", os.devnull))
    if any(files.glob("var/lib/localstack/cache/service-catalog-*.dill")):
        return
    code = (
        "from localstack import config; from localstack.aws import spec; "
        "config.dirs.mkdirs(); spec.get_service_catalog()"
    )
    made = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, check=False)
    if made.returncode != 0:
        print("the index of services was not made; LocalStack will need 330 MB more")  # noqa: T201


def clear(home: Path) -> None:
    """Remove the temporary files under `home`: the functions' code and their folders."""
    shutil.rmtree(home / FOLDERS["TMPDIR"], ignore_errors=True)


def main() -> int:
    """Run LocalStack until it is told to stop; returns only when it cannot be started."""
    parser = argparse.ArgumentParser(
        prog="launch.py",
        description=(__doc__ or "").partition("\n")[0],
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--home",
        type=Path,
        help="the folder for everything LocalStack writes (made when it is not there); without "
        f"it, {', '.join(FOLDERS)} of the environment say where",
    )
    given: Path | None = parser.parse_args().home
    home = given and given.absolute()
    os.environ.update(defaults(os.environ, home))
    if home is not None:
        clear(home)
    for name in FOLDERS.keys() & os.environ.keys():
        Path(os.environ[name]).mkdir(parents=True, exist_ok=True)
    if (other := os.environ.get("GATEWAY_SERVER", "twisted")) != "twisted":
        print(  # noqa: T201
            f"GATEWAY_SERVER={other} is not supported: only twisted stops reliably on SIGTERM",
            file=sys.stderr,
        )
        return 2

    index_services()
    # LocalStack reads its settings while it is imported, so they had to be there first.
    from localstack.runtime import main as runtime
    from localstack.runtime.server import twisted
    from localstack.services.s3 import provider
    from localstack.utils.aws import aws_stack

    try:
        bind_to_hosts(twisted)
        ask_no_name_server(aws_stack)
        if "TMPDIR" in os.environ:
            keep_objects_in(Path(os.environ["TMPDIR"], "s3"), provider)
        runtime.main()
        code = 0
    except (CannotListen, SeamMissing) as error:
        print(error, file=sys.stderr)  # noqa: T201
        code = 1
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    # LocalStack has stopped its services and functions by now, yet a scheduler thread of its
    # CloudWatch lingers for seconds, and for ever when the service was loaded during the stop.
    if home is not None:
        clear(home)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
