"""Measures speed and memory as a new user would meet them; prints each target as met or missed.

Everything is measured on a fresh clone of the last commit in a temporary folder, with empty caches,
on ports of its own; a running stack is not touched, and nothing is left behind. Preparing and
learning are measured from this checkout. Seconds depend on the machine and on what else it does;
ratios are measured side by side in one run. Without a Docker Engine the containers are left out,
which is said.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import psutil

from chartbuster import layout
from chartbuster.demo.catalogue import as_csv, generate
from chartbuster.errors import ChartBusterError, Permanent, TryAgain
from chartbuster.registry import Registry
from compose import engine, manifest
from compose.environment import MARK
from scripts.figures import Figure
from scripts.running import Running, running_stack
from scripts.status import queues_of

ROOT = Path(__file__).parents[1]
_POLL_SECONDS = 0.005
_DEV_PATIENCE = 180.0


class Clone:
    """A fresh clone with caches, state and ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "chartbuster"
        _run(["git", "clone", "--quiet", str(ROOT), str(self.path)], cwd=folder, env=os.environ)
        localstack, web = _free_ports(2)
        self._env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "UV_"))},
            "LOCALSTACK_PORT": str(localstack),
            "WEB_PORT": str(web),
            "MODE": "embedded",
            "UV_CACHE_DIR": str(folder / "uv-cache"),
            "PIP_CACHE_DIR": str(folder / "pip-cache"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }

    def make(self, *arguments: str) -> float:
        """Call make as a person would; the seconds it took."""
        started = time.monotonic()
        _run(["make", *arguments], cwd=self.path, env=self._env)
        return time.monotonic() - started

    def run(self, module: str, *arguments: str) -> float:
        """Call one of the programs behind the Makefile; the seconds it took."""
        started = time.monotonic()
        _run([self.python, "-m", module, *arguments], cwd=self.path, env=self._env)
        return time.monotonic() - started

    @contextmanager
    def developing(self, mode: str) -> Iterator[Iterator[str]]:
        """`make dev` while the block runs; gives its lines as they come."""
        with subprocess.Popen(
            ["make", "dev", f"MODE={mode}"],
            cwd=self.path,
            env={**self._env, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            if process.stdout is None:
                raise RuntimeError("make dev has no output to read")
            # Whatever hangs is interrupted, and its lines end.
            overdue = threading.Timer(_DEV_PATIENCE, os.killpg, (process.pid, signal.SIGINT))
            overdue.start()
            try:
                yield iter(process.stdout.readline, "")
            finally:
                overdue.cancel()
                os.killpg(process.pid, signal.SIGINT)
                process.stdout.read()

    def change(self, file: str) -> None:
        """Change a source file, as somebody at work would."""
        with (self.path / file).open("a", encoding="utf-8") as source:
            source.write("# changed\n")

    @property
    def python(self) -> str:
        """The interpreter of the programs behind the Makefile."""
        return str(self.path / ".venv" / "scripts" / "bin" / "python")

    @property
    def stack(self) -> Running:
        return running_stack(self.path)

    def processes(self) -> list[psutil.Process]:
        """The processes of this clone's stack, and their children."""
        mark, found = str(self.path / ".stack"), dict[int, psutil.Process]()
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == mark:
                    found[process.pid] = process
                    found |= {child.pid: child for child in process.children(recursive=True)}
            except psutil.Error:
                continue
        return list(found.values())


@contextmanager
def fresh_clone() -> Iterator[Clone]:
    """A clone in a temporary folder; on leaving, its stack is stopped and the folder removed."""
    folder = Path(tempfile.mkdtemp(prefix="chartbuster-bench-"))
    try:
        clone = Clone(folder)
        try:
            yield clone
        finally:
            clone.make("reset", "YES=1")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bringing_up(clone: Clone) -> Iterator[Figure]:
    """From nothing to a served prediction, and again with the state kept."""
    seconds = clone.make("up")
    _await(lambda: _served(clone.stack), "the app to serve", 60)
    yield Figure("make up, empty clone and caches, to a prediction", seconds, "s", 120)
    clone.make("down")
    seconds = clone.make("up")
    _await(lambda: _served(clone.stack), "the app to serve", 60)
    yield Figure("make up, warm and with its state, to a prediction", seconds, "s", 15)


def passing_through(clone: Clone) -> Iterator[Figure]:
    """What an upload takes to the queue, and to a new champion."""
    stack = clone.stack
    seconds = [*_to_the_queue(clone, stack, uploads=6)]
    warm = sorted(seconds[1:])
    yield Figure("small upload to its message, warm (median of 5)", warm[len(warm) // 2], "s", 0.3)
    _await(lambda: _messages(stack) == 0, "the trainer to be idle", 300)

    registry, dataset = Registry(stack.artifacts), "bench-catalogue"
    catalogue = as_csv(generate(seed=8))
    started = time.monotonic()
    stack.raw.write(str(layout.RawKey(dataset, "songs.csv")), catalogue)
    _await(lambda: registry.champion(dataset) is not None, "a champion", 300)
    yield Figure("20,000 songs, upload to new champion", time.monotonic() - started, "s", 45)


def resting(clone: Clone) -> Iterator[Figure]:
    """What the stack holds when nobody asks anything of it."""
    time.sleep(75)  # LocalStack lets go of an idle Lambda environment after a minute
    resident = sum(process.memory_info().rss for process in clone.processes())
    yield Figure("idle stack, resident", resident / 1e6, "MB", 1_000)


def composing(clone: Clone) -> Iterator[Figure]:
    """The same stack in containers: from nothing, again, and after changes of its code."""
    clone.make("down")
    clone.make("build")
    seconds = clone.run("scripts.build", "--images", "--no-cache")
    yield Figure("all images, no layer cached", seconds, "s", 120)
    for image, size, most in _sizes(clone):
        yield Figure(f"image of {image}", size / 1e6, "MB", most)
    clone.make("up", "MODE=docker")
    clone.make("down")
    seconds = clone.make("up", "MODE=docker")
    _await(lambda: _served(clone.stack), "the app to serve", 60)
    yield Figure("make up in containers, warm, with its state, to a prediction", seconds, "s", 25)
    clone.change("trainer/jobs.py")
    seconds = clone.make("up", "MODE=docker")
    yield Figure("a change of code to running, by make up in containers", seconds, "s", 10)
    for mode in ("docker", "embedded"):
        with clone.developing(mode) as lines:
            _line_with(lines, "watching")
            clone.change("webapp/words.py")
            told = _line_with(lines, "restarted in")
        yield Figure(f"the same, by make dev, {mode}", float(told.split()[-2]), "s", 3)


def _sizes(clone: Clone) -> Iterator[tuple[str, int, int]]:
    """The sizes of the images that go to AWS, and the most they may have in MB."""
    made = manifest.read(clone.path / manifest.FILE).images
    for name, most in (("trainer", 600), ("webapp", 820)):
        said = engine.call(("image", "inspect", "-f", "{{.Size}}", made[name].id), os.environ)
        yield name, int(said), most


def _line_with(lines: Iterator[str], words: str) -> str:
    for line in lines:
        if words in line:
            return line
    raise TryAgain(f"make dev ended without saying {words!r}")


def preparing(full: bool) -> Iterator[Figure]:
    """Our preparation of a table beside the original's, in one run."""
    command = [sys.executable, "-m", "scripts.bench_prepare", "--json"]
    told = _run(command + (["--full"] if full else []), cwd=ROOT, env=os.environ)
    for figure in json.loads(told):
        yield Figure(**figure)


def learning(full: bool) -> Iterator[Figure]:
    """Training, evaluation and prediction on as many songs as the original had."""
    command = [sys.executable, "-m", "scripts.bench_learn", "--json"]
    told = _run(command + (["--full"] if full else []), cwd=ROOT, env=os.environ, show=True)
    for figure in json.loads(told):
        yield Figure(**figure)


def _served(stack: Running) -> bool:
    with urllib.request.urlopen(f"{stack.web_url}/ready", timeout=5) as answer:  # noqa: S310
        status: int = answer.status
        return status == 200


def _to_the_queue(clone: Clone, stack: Running, *, uploads: int) -> Iterator[float]:
    """Seconds from a put of 50 songs to its message, the trainer held still so that none goes."""
    small = as_csv(generate(50, seed=7))
    (trainer,) = (process for process in clone.processes() if process.cmdline()[-1] == "trainer")
    trainer.suspend()
    try:
        for number in range(uploads):
            before, started = _messages(stack), time.monotonic()
            stack.raw.write(str(layout.RawKey("bench-small", f"songs-{number}.csv")), small)
            _await(partial(_more_messages, stack, before), "the message", 60)
            yield time.monotonic() - started
    finally:
        trainer.resume()


def _more_messages(stack: Running, before: int) -> bool:
    return _messages(stack) > before


def _messages(stack: Running) -> int:
    """How many messages the queue holds, waiting or in hand."""
    depth = queues_of(stack)["train"]()
    return depth.waiting + depth.in_hand


def _await(condition: Callable[[], bool], what: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TryAgain(f"gave up waiting for {what} after {patience:.0f} s")
        time.sleep(_POLL_SECONDS)


def _run(command: list[str], *, cwd: Path, env: Mapping[str, str], show: bool = False) -> str:
    """What `command` prints; with `show`, what it says of its progress is passed on."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if show else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Permanent(
            f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr or ''}"
        )
    return done.stdout


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def figures(full: bool) -> Iterator[Figure]:
    """Every figure, as it is measured."""
    yield from preparing(full)
    yield from learning(full)
    with fresh_clone() as clone:
        yield from bringing_up(clone)
        yield from passing_through(clone)
        yield from resting(clone)
        try:
            engine.find(os.environ)
        except engine.NoEngine as error:
            print(f"left out, the stack in containers: {error}", flush=True)
            return
        yield from composing(clone)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make bench ARGS=--full")
    parser.add_argument("--full", action="store_true", help="the original's work in full")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    measured = []
    try:
        for figure in figures(options.full):
            measured.append(figure)
            print(figure, flush=True)
    except ChartBusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    missed = [figure.name for figure in measured if not figure.met]
    print(f"{len(measured) - len(missed)} met, {len(missed)} missed on {os.cpu_count()} cores")
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in measured], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
