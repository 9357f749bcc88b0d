import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import launch
import pytest
from launch import (
    CannotListen,
    SeamMissing,
    bind_to_hosts,
    check_ports,
    defaults,
    keep_objects_in,
)

HOME = Path("/home-of-it")


def place(host: str, port: int) -> SimpleNamespace:
    return SimpleNamespace(host=host, port=port)


class Reactor:
    """Remembers what listens, as twisted's reactor does with its readers."""

    def __init__(self) -> None:
        self.readers: list[Any] = [object()]

    def getReaders(self) -> list[Any]:  # noqa: N802
        return self.readers


class Endpoints:
    """Listens on every interface unless told otherwise, like `twisted.internet.endpoints`."""

    TCP6ServerEndpoint = "untouched"

    def TCP4ServerEndpoint(self, reactor: Reactor, port: int, interface: str = "0.0.0.0") -> Any:  # noqa: N802
        def listen() -> None:
            where = place(interface, port)
            reactor.readers.append(
                SimpleNamespace(factory=None, interface=interface, getHost=lambda: where)
            )

        return SimpleNamespace(listen=listen)


class Server(ModuleType):
    """A module like LocalStack's, whose `register` forgets the host."""

    def __init__(self) -> None:
        super().__init__("server")
        exec(
            """
class TwistedRuntimeServer:
    def register(self, gateway, listen, ssl_creds=None):
        for place in listen:
            endpoints.TCP4ServerEndpoint(reactor, place.port).listen()
""",
            self.__dict__,
        )
        self.endpoints = Endpoints()
        self.reactor = Reactor()

    def listening(self) -> list[tuple[str, int]]:
        return [(port.getHost().host, port.getHost().port) for port in self.reactor.readers[1:]]


def register(server: Server, *places: Any) -> None:
    server.TwistedRuntimeServer().register("gateway", list(places))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "192.0.2.1"])
def test_the_server_listens_on_the_host_it_is_given(host: str) -> None:
    server = Server()
    bind_to_hosts(server)

    register(server, place(host, 4566))

    assert server.listening() == [(host, 4566)]


def test_each_of_several_hosts_gets_its_own_port() -> None:
    server = Server()
    bind_to_hosts(server)

    register(server, place("127.0.0.1", 4566), place("0.0.0.0", 443))

    assert server.listening() == [("127.0.0.1", 4566), ("0.0.0.0", 443)]


def test_the_seam_is_put_back() -> None:
    server = Server()
    endpoints = server.endpoints
    bind_to_hosts(server)

    register(server, place("127.0.0.1", 4566))

    assert server.endpoints is endpoints


def test_a_localstack_without_the_seam_is_refused() -> None:
    class TwistedRuntimeServer:
        def register(self, gateway: Any, listen: Any, ssl_creds: Any = None) -> None:
            pass

    other = ModuleType("server")
    with pytest.raises(CannotListen, match=r"does not use endpoints\.TCP4ServerEndpoint any more"):
        bind_to_hosts(other)
    other.TwistedRuntimeServer = TwistedRuntimeServer  # type: ignore[attr-defined]
    with pytest.raises(CannotListen, match=r"written for LocalStack 4\.14\.0"):
        bind_to_hosts(other)


def test_listening_anywhere_else_is_an_error() -> None:
    with pytest.raises(CannotListen, match=r"listens on 0\.0\.0\.0:1 where only 127\.0\.0\.1:1"):
        check_ports([("0.0.0.0", 1)], [("127.0.0.1", 1)])


def test_not_listening_is_an_error_that_names_the_port() -> None:
    with pytest.raises(CannotListen, match=r"could not listen on 127\.0\.0\.1:1"):
        check_ports([], [("127.0.0.1", 1)])


class Provider(ModuleType):
    """A module like LocalStack's S3 provider, which keeps objects in `folder`."""

    def __init__(self, folder: str) -> None:
        super().__init__("provider")
        code = f"""
DEFAULT_S3_TMP_DIR = "/tmp/everybody"

class S3Provider:
    def __init__(self):
        self.keeps_in = {folder}
"""
        exec(code, self.__dict__)


def test_objects_are_kept_in_the_folder_given() -> None:
    provider = Provider("DEFAULT_S3_TMP_DIR")

    keep_objects_in(HOME / "s3", provider)

    assert provider.S3Provider().keeps_in == str(HOME / "s3")


def test_a_localstack_that_keeps_objects_elsewhere_is_refused() -> None:
    with pytest.raises(SeamMissing, match="does not use DEFAULT_S3_TMP_DIR"):
        keep_objects_in(HOME / "s3", Provider("'/tmp/elsewhere'"))


def test_what_the_environment_gives_wins_over_the_defaults() -> None:
    given = {"DISABLE_EVENTS": "0", "TMPDIR": "/elsewhere", "DNS_ADDRESS": ""}

    added = defaults(given, HOME)

    assert "DISABLE_EVENTS" not in added
    assert "TMPDIR" not in added
    assert added["DNS_ADDRESS"] == "0"
    assert added["XDG_CACHE_HOME"] == "/home-of-it/cache"


def test_without_a_home_the_folders_are_left_alone() -> None:
    assert not {"TMPDIR", "FILESYSTEM_ROOT"} & defaults({}, None).keys()


@pytest.mark.parametrize(
    ("listen", "host"),
    [
        ("127.0.0.1:4600", "127.0.0.1:4600"),
        ("0.0.0.0:4566", "127.0.0.1:4566"),
        (":4566", "127.0.0.1:4566"),
        ("0.0.0.0:4566,0.0.0.0:443", "127.0.0.1:4566"),
    ],
)
def test_urls_name_an_address_that_can_be_called(listen: str, host: str) -> None:
    assert defaults({"GATEWAY_LISTEN": listen}, HOME)["LOCALSTACK_HOST"] == host


def test_it_listens_on_the_loopback_address_unless_told_otherwise() -> None:
    assert defaults({}, HOME)["GATEWAY_LISTEN"] == "127.0.0.1:4566"


def test_help_shows_an_example() -> None:
    said = subprocess.run(
        [sys.executable, launch.__file__, "--help"], capture_output=True, text=True, check=True
    ).stdout

    assert "example:" in said
    assert "--home .stack/localstack" in said
