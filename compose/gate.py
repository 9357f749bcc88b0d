"""A gate before LocalStack: trainer and app reach it through here, and only while it is open.

In containers nobody may stop another one, so whoever must not see half-filled buckets is kept out
by closing the door: while the gate is shut, connections are refused, and those that were open are
cut. To an AWS SDK that is a service which is away for a moment.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterable

log = logging.getLogger(__name__)

_BLOCK = 1 << 16
_PATIENCE = 10.0


class Gate:
    """Passes connections to the port `port` on to the address `to`, between `release` and `hold`.

    Listens on every interface of its container, and on no more than that: nothing publishes it.
    """

    def __init__(self, port: int, *, to: tuple[str, int], host: str = "0.0.0.0") -> None:  # noqa: S104
        self._host, self._port = host, port
        self._to = to
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()
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
        if self._server is None:
            self._server = await asyncio.start_server(self._pass, self._host, self._port)
            log.info("gate_opened port=%d", self._port)

    async def _shut(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for task in self._passing:
            task.cancel()
        await asyncio.gather(*self._passing, return_exceptions=True)
        log.info("gate_shut port=%d", self._port)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both ends have said all, or the gate shuts."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a connection is handled in a task of its own")
        self._passing.add(task)
        ends = [writer]
        try:
            there, back = await asyncio.open_connection(*self._to)
            ends.append(back)
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        except OSError:
            # LocalStack is away, or one end was cut: the other one is to notice, too.
            _cut(ends)
        except asyncio.CancelledError:
            _cut(ends)
        finally:
            self._passing.discard(task)
            for end in ends:
                end.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while block := await source.read(_BLOCK):
        target.write(block)
        await target.drain()
    target.write_eof()


def _cut(ends: Iterable[asyncio.StreamWriter]) -> None:
    for end in ends:
        end.transport.abort()
