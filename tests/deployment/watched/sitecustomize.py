"""Put before a program on PYTHONPATH: writes down whom it calls, and ends it before it calls out.

Python tells its audit hooks of a call before it is made, so nothing has left when the program ends.
"""

import ipaddress
import os
import sys

# How a program ends that would have called another host.
_ENDED = 97

_CALLS = {
    *("socket.connect", "socket.sendto", "socket.sendmsg"),
    *("socket.getaddrinfo", "socket.gethostbyname"),
}
_STARTS = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system"}


def _host(event: str, arguments: tuple[object, ...]) -> str:
    """Who is called, or "" for a socket file of this machine."""
    if event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        address = arguments[1]
        if not isinstance(address, tuple):
            return ""
        host = address[0]
    return host.decode() if isinstance(host, bytes) else str(host or "localhost")


def _stays(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in _STARTS:
        _write(f"starts {arguments[0]}")
    elif event in _CALLS:
        host = _host(event, arguments)
        _write(f"calls {host or 'a socket file'}")
        if not _stays(host):
            os._exit(_ENDED)


def _write(line: str) -> None:
    with open(os.environ["WATCHED_CALLS"], "a") as record:  # noqa: PTH123 - as little as can be
        record.write(f"{line}\n")


sys.addaudithook(_watch)
