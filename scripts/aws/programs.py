"""The programs behind the `-aws` targets as people run them: each in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from chartbuster.errors import Permanent
from compose.environment import kept
from scripts.aws.standin import StandIn

_ENGINES = ("HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR")
_PATIENCE = 300.0
_POLL_SECONDS = 0.02


class Unexpected(Permanent):
    """A rehearsal that went otherwise than it has to; says what was expected and found."""


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit `code`, negative for a signal, and all it `said`."""

    program: str
    code: int
    said: str

    def as_expected(self, code: int = 0, *words: str) -> "Ended":
        """Itself when it ended with `code` and said all of `words`; raises `Unexpected`."""
        lacking = [each for each in words if each not in self.said]
        if self.code != code or lacking:
            also = f" and said {' and '.join(map(repr, lacking))}" if lacking else ""
            end = "\n".join(self.said.strip().splitlines()[-25:]) or "(nothing)"
            raise Unexpected(
                f"{self.program}: expected that it ended with {code}{also}; it ended with "
                f"{self.code} and said:\n{end}"
            )
        return self


@dataclass(frozen=True)
class Programs:
    """The programs of the checkout at `root` over a stand-in; `environ` is all they are told."""

    root: Path
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def over(cls, running: StandIn, root: Path, environ: Mapping[str, str]) -> "Programs":
        """With nothing of the person's but the way to the Docker Engine."""
        engine = {name: environ[name] for name in _ENGINES if name in environ}
        alive = {"PYTHONUNBUFFERED": "1", "CONFIRM": "yes"}
        return cls(root, {**kept(environ), **engine, **running.environ, **alive})

    def told(self, **settings: str) -> "Programs":
        """The same with more in their environment."""
        return replace(self, environ={**self.environ, **settings})

    def at(self, root: Path) -> "Programs":
        """The same programs of another checkout."""
        return replace(self, root=root)

    def run(self, verb: str, stage: str, *arguments: str) -> Ended:
        """Run `scripts/<verb>.py` on `stage` to its end; raises `Unexpected` after 300 s."""
        with self._begun(verb, stage, arguments) as process:
            try:
                said, _ = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                raise Unexpected(f"{verb}: expected an end within {_PATIENCE:.0f} s") from None
        return Ended(_named(verb, arguments), process.returncode, said)

    def interrupted(
        self,
        verb: str,
        stage: str,
        *arguments: str,
        when: Callable[[str], bool],
        by: signal.Signals,
    ) -> Ended:
        """The same, sent a signal as soon as `when` is true of what it has said so far.

        Raises `Unexpected` if it ends before.
        """
        program, said = _named(verb, arguments), list[str]()
        with self._begun(verb, stage, arguments) as process:
            reader = threading.Thread(target=_read, args=(process, said), daemon=True)
            reader.start()
            deadline = time.monotonic() + _PATIENCE
            while not when("".join(said)):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Unexpected(
                        f"{program}: expected it to be at work when it is interrupted; it ended "
                        f"with {process.poll()} and said:\n{''.join(said)}"
                    )
                time.sleep(_POLL_SECONDS)
            process.send_signal(by)
            try:
                code = process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                raise Unexpected(f"{program}: expected that {by.name} ends it") from None
            reader.join(_PATIENCE)
        return Ended(program, code, "".join(said))

    @contextmanager
    def _begun(
        self, verb: str, stage: str, arguments: tuple[str, ...]
    ) -> Iterator["subprocess.Popen[str]"]:
        process = subprocess.Popen(
            [sys.executable, "-m", f"scripts.{verb}", *arguments],
            env={**self.environ, "STAGE": stage},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A group of its own, so that what it started ends with it.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _named(verb: str, arguments: tuple[str, ...]) -> str:
    return " ".join([verb, *arguments])


def _read(process: "subprocess.Popen[str]", said: list[str]) -> None:
    for line in process.stdout or ():
        said.append(line)  # noqa: PERF402 - line by line, while somebody looks at it
