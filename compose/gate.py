"""A gate before LocalStack: trainer and app reach it through here, and only while it is open.

In containers nobody may stop another one, so whoever must not see half-filled buckets is kept out
by closing the door: while the gate is shut, connections are refused, and those that were open are
cut. To an AWS SDK that is a service which is away for a moment.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Coroutine

log = logging.getLogger(__name__)

_BLOCK = 1 << 16
_PATIENCE = 10.0
_WAITING = 128


class Gate:
    """Passes connections to the port `port` on to the address `to`, between `release` and `hold`.

    Listens on every interface of its container, and on no more than that: nothing publishes it.
    """

    def __init__(self, port: int, *, to: tuple[str, int], host: str = "0.0.0.0") -> None:  # noqa: S104
        self._host, self._port = host, port
        self._to = to
        self._door: socket.socket | None = None
        self._passing: dict[asyncio.Task[None], socket.socket] = {}
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="gate", daemon=True).start()

    def hold(self) -> None:
        """Shut the gate; returns once every connection is cut. One that is shut stays so."""
        self._do(self._shut())

    def release(self) -> None:
        """Open the gate; one that is open stays so."""
        self._do(self._open())

    def _do(self, action: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(_PATIENCE)

    async def _open(self) -> None:
        if self._door is not None:
            return
        self._door = socket.create_server((self._host, self._port), backlog=_WAITING)
        self._door.setblocking(False)
        # Not asyncio's own server: closed while somebody comes in, it leaves them waiting for ever.
        self._loop.add_reader(self._door, self._enter, self._door)
        log.info("gate_opened port=%d", self._port)

    async def _shut(self) -> None:
        if self._door is None:
            return
        self._loop.remove_reader(self._door)
        self._door.close()
        self._door = None
        passing = dict(self._passing)
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        for connection in passing.values():
            connection.close()  # also of one that had not taken its first step
        log.info("gate_shut port=%d", self._port)

    def _enter(self, door: socket.socket) -> None:
        try:
            connection, _ = door.accept()
        except OSError:
            return  # whoever knocked is gone
        connection.setblocking(False)
        task = self._loop.create_task(self._pass(connection))
        self._passing[task] = connection
        task.add_done_callback(self._passing.pop)

    async def _pass(self, connection: socket.socket) -> None:
        """One connection, until both ends have said all, or the gate shuts."""
        ends = list[asyncio.StreamWriter]()
        try:
            reader, writer = await asyncio.open_connection(sock=connection)
            ends.append(writer)
            there, back = await asyncio.open_connection(*self._to)
            ends.append(back)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
            for end in ends:
                end.close()
                await end.wait_closed()
        except (OSError, asyncio.CancelledError):
            # LocalStack is away, the gate shuts, or one end was cut: the other is to notice, too.
            for end in ends:
                end.transport.abort()
            if not ends:
                connection.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while block := await source.read(_BLOCK):
        target.write(block)
        await target.drain()
    target.write_eof()
