"""Measures how fast the app answers, over the running stack; prints each target as met or missed.

Every number comes from an app process of its own, started here on a free port of this machine and
ended again; the stack's own app is left alone. Beside it stands what an empty Streamlit page with
one slider and one text does in the same run: the part of each figure nobody can take away.

- The first page: how soon after the port opened the first visitor has everything.
- A key press: from a key on a slider, in Chromium, to the last change it causes being painted.
- A crowd: visitors who each move a slider every two seconds, over WebSockets as a browser would.

The crowd, its moves and the key presses are counted beforehand, so it ends by itself.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil
import websockets
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as TimedOut
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from chartbuster.errors import Unreachable
from scripts.command import run
from scripts.figures import Figure
from scripts.running import ROOT, running_stack
from scripts.screenshots import chromium

VISITORS, EVERY, MOVES = 40, 2.0, 10
"""How many people move a slider, how often (in seconds), and how many times each."""

PRESSES = 60

_HOST = "127.0.0.1"
_PATIENCE = 60.0
_SETTLED_MS = 250

_EMPTY = """\
import streamlit as st

st.title("Nothing but a slider")
value = st.slider("Slider", 0.0, 1.0, 0.5, step=0.01)
st.markdown(f"It says {value}.")
"""

# Notes when a key goes down, and when what it changed was painted: what a timer set in the frame
# after the last change to a text or picture sees. What blinks while a script runs is no result.
_WATCH = """
() => {
  window.pressed = 0; window.changed = 0; window.painted = 0;
  const results = '[data-testid=stHtml],[data-testid=stMarkdown]';
  addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
  new MutationObserver(all => {
    if (!all.some(m => (m.target.closest ?? (s => m.target.parentElement?.closest(s)))
        .call(m.target, results))) return;
    requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
  }).observe(document.querySelector('[data-testid=stMain]'),
             {subtree: true, childList: true, characterData: true, attributes: true});
}
"""


@dataclass(frozen=True)
class Measured:
    """What one app did; seconds and megabytes. `crowd` are all answers of all visitors."""

    port_open: float
    first_page: float
    presses: tuple[float, ...]
    crowd: tuple[float, ...]
    megabytes: float


@contextmanager
def serving(
    command: Sequence[str], env: Mapping[str, str]
) -> Iterator[tuple[psutil.Process, float]]:
    """A process of `command` once its port accepts, and how long that took; ended afterwards."""
    port = int(command[-1])
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = psutil.Popen(command, env=dict(env), stdout=said, stderr=said, cwd=ROOT)
        try:
            while not _accepts(port):
                if process.poll() is not None or time.monotonic() - started > _PATIENCE:
                    said.seek(0)
                    raise Unreachable(
                        f"no app on port {port} after {time.monotonic() - started:.0f} s: "
                        f"{said.read()[-2_000:].decode(errors='replace')}"
                    )
                time.sleep(0.005)
            yield process, time.monotonic() - started
        finally:
            process.terminate()
            try:
                process.wait(10)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((_HOST, port)) == 0


class Visitor:
    """One person's connection to an app, speaking its protocol as a browser does."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        # By a slider's id: the fragment it is in, and its ends.
        self._sliders: dict[str, tuple[str, float, float]] = {}
        self._values: dict[str, float] = {}

    @classmethod
    @asynccontextmanager
    async def arriving(cls, port: int) -> AsyncIterator[Self]:
        """A visitor whose first page is complete."""
        async with websockets.connect(
            f"ws://{_HOST}:{port}/_stcore/stream",
            subprotocols=[websockets.Subprotocol("streamlit")],
            origin=websockets.Origin(f"http://{_HOST}:{port}"),
            max_size=None,
        ) as connection:
            visitor = cls(connection)
            await visitor._run(BackMsg())
            yield visitor

    async def move(self, step: int) -> float:
        """Move a slider, another one each time; the seconds until the page was complete again."""
        moved = sorted(self._sliders)[step % len(self._sliders)]
        fragment, low, high = self._sliders[moved]
        self._values[moved] = low + (high - low) * ((step * 37 % 100) / 100)
        message = BackMsg()
        message.rerun_script.fragment_id = fragment
        for widget, value in self._values.items():
            state = message.rerun_script.widget_states.widgets.add()
            state.id = widget
            state.double_array_value.data.append(value)
        started = time.monotonic()
        await self._run(message)
        return time.monotonic() - started

    async def _run(self, message: BackMsg) -> None:
        """Send `message` and read until its script has finished, noting the sliders on the way."""
        if message.WhichOneof("type") is None:
            message.rerun_script.query_string = ""
        await self._connection.send(message.SerializeToString())
        async with asyncio.timeout(_PATIENCE):
            while True:
                raw = await self._connection.recv(decode=False)
                forward = ForwardMsg.FromString(raw)
                kind = forward.WhichOneof("type")
                if kind == "script_finished":
                    return
                if kind == "delta" and forward.delta.new_element.WhichOneof("type") == "slider":
                    slider = forward.delta.new_element.slider
                    if slider.options or slider.max <= slider.min:
                        continue
                    self._sliders[slider.id] = (forward.delta.fragment_id, slider.min, slider.max)


async def _first_page(port: int) -> float:
    started = time.monotonic()
    async with Visitor.arriving(port):
        return time.monotonic() - started


async def crowd(port: int, process: psutil.Process) -> tuple[tuple[float, ...], float]:
    """The seconds each move of each visitor took, and the most memory in megabytes meanwhile."""
    memory = 0.0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal memory
        while not done.is_set():
            memory = max(memory, process.memory_info().rss / 1e6)
            await asyncio.sleep(0.25)

    async def visit(number: int, visitor: Visitor) -> list[float]:
        # People do not move in step.
        await asyncio.sleep(EVERY * number / VISITORS)
        took = []
        for step in range(MOVES):
            due = time.monotonic() + EVERY
            took.append(await visitor.move(step + number))
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        return took

    watching = asyncio.create_task(watch())
    async with AsyncExitStack() as everybody:
        visitors = [
            await everybody.enter_async_context(Visitor.arriving(port)) for _ in range(VISITORS)
        ]
        moved = await asyncio.gather(*(visit(n, each) for n, each in enumerate(visitors)))
    done.set()
    await watching
    return tuple(seconds for each in moved for seconds in each), memory


def presses(page: Page) -> tuple[float, ...]:
    """Seconds from a key press on a slider to the last painted change, over several sliders."""
    sliders = page.locator("input[type=range], [role=slider]")
    sliders.first.wait_for(timeout=30_000)
    page.wait_for_timeout(1_500)
    page.evaluate(_WATCH)
    took = []
    count = min(sliders.count(), 6)
    for number in range(PRESSES):
        slider = sliders.nth(number % count)
        slider.focus()
        page.evaluate("window.painted = 0")
        slider.press("ArrowRight" if number // count % 2 == 0 else "ArrowLeft")
        with contextlib.suppress(TimedOut):
            page.wait_for_function("window.painted > window.pressed", timeout=2_000)
            # Nothing more may come: a result in two steps counts when its second is there.
            page.wait_for_timeout(_SETTLED_MS)
            took.append(page.evaluate("(window.painted - window.pressed) / 1000"))
    if len(took) < PRESSES / 2:
        raise Unreachable(f"{len(took)} of {PRESSES} key presses changed anything on the page")
    return tuple(took)


def measured(command: Sequence[str], env: Mapping[str, str]) -> Measured:
    """What the app of `command` does; its last word is the port."""
    port = int(command[-1])
    with serving(command, env) as (process, port_open):
        first = asyncio.run(_first_page(port))
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1_440, "height": 900})
            page.goto(f"http://{_HOST}:{port}")
            pressed = presses(page)
        moved, memory = asyncio.run(crowd(port, process))
    return Measured(port_open, first, pressed, moved, memory)


def figures(ours: Measured, empty: Measured) -> tuple[Figure, ...]:
    """What was measured, beside its targets, and beside the empty page where only that tells."""

    def ms(seconds: Sequence[float], part: float) -> float:
        ranked = sorted(seconds)
        return 1_000 * ranked[min(round(part * (len(ranked) - 1)), len(ranked) - 1)]

    crowd_of = f"a move in a crowd of {VISITORS}"
    return (
        Figure("a key press to everything painted, median", ms(ours.presses, 0.5), "ms", 120),
        Figure("the same, 95th percentile", ms(ours.presses, 0.95), "ms", 250),
        Figure(f"{crowd_of}, 95th percentile", ms(ours.crowd, 0.95), "ms", 200),
        Figure(f"memory of the app with {VISITORS} visitors", ours.megabytes, "MB", 400),
        Figure("the first page, once the port is open", ours.first_page, "s", 0.5),
        *(
            Figure(f"an empty page: {name}", value, unit, None)
            for name, value, unit in (
                ("a key press, median", ms(empty.presses, 0.5), "ms"),
                ("a key press, 95th percentile", ms(empty.presses, 0.95), "ms"),
                (f"{crowd_of}, 95th percentile", ms(empty.crowd, 0.95), "ms"),
                ("memory", empty.megabytes, "MB"),
                ("the first page", empty.first_page, "s"),
            )
        ),
    )


def measure(root: Path, environment: Mapping[str, str]) -> tuple[Figure, ...]:
    """The figures of the app of the checkout `root` over the stack of `environment`."""
    python = str(root / ".venv" / "webapp" / "bin" / "python")
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
    ours = measured([python, "-m", "webapp", "--port", str(_free_port())], env)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "empty.py"
        script.write_text(_EMPTY, encoding="utf-8")
        settings = {
            "server.address": _HOST,
            "server.headless": "true",
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": "false",
        }
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        empty = measured(
            [
                *(python, "-m", "streamlit", "run", str(script)),
                *options,
                *("--server.port", str(_free_port())),
            ],
            env,
        )
    return figures(ours, empty)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: make up && make bench-web",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    options = parser.parse_args()

    def bench() -> int:
        found = measure(ROOT, running_stack().environment)
        if options.format == "json":
            print(json.dumps([asdict(figure) for figure in found], indent=1))
        else:
            print("\n".join(map(str, found)))
        return 0

    return run(bench)


if __name__ == "__main__":
    sys.exit(main())
