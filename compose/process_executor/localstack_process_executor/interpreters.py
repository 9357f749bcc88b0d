"""Which Python runs a function."""

import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localstack_process_executor.settings import CannotRun


@dataclass(frozen=True)
class Interpreter:
    """A Python that answered: its "major.minor" and the program itself, links resolved."""

    version: str
    path: Path


def python_version(runtime: str, function: str) -> str:
    """The "3.13" of `python3.13`; raises CannotRun for what is not Python."""
    named = re.fullmatch(r"python(\d+\.\d+)", runtime)
    if named is None:
        raise CannotRun(
            f"function {function!r} asks for the runtime {runtime!r}; "
            "the process executor runs python3.N only"
        )
    return named[1]


def choose(
    runtime: str,
    function: str,
    *,
    configured: Mapping[str, str],
    own: Interpreter,
    find: Callable[[str], str | None],
    probe: Callable[[str], Interpreter],
) -> Interpreter:
    """The interpreter for `runtime`: the one set by hand, else LocalStack's own, else one on PATH.

    `probe` starts a program and says which Python it is; it raises CannotRun when it is none.
    An interpreter set by hand is never passed over in silence: if it is the wrong one, that is
    the error. Raises CannotRun, naming the runtime, the function and the variable to set.
    """
    version = python_version(runtime, function)
    variable = f"PROCESS_EXECUTOR_PYTHON_{version.replace('.', '_')}"
    wanted = f"function {function!r} asks for the runtime {runtime!r}"
    if path := configured.get(version):
        try:
            found = probe(path)
        except CannotRun as error:
            raise CannotRun(f"{wanted}, but {variable}={path} does not start: {error}") from error
        if found.version != version:
            raise CannotRun(f"{wanted}, but {variable}={path} is Python {found.version}")
        return found
    if own.version == version:
        return own
    reason = f"there is no python{version} on LocalStack's PATH"
    if on_path := find(f"python{version}"):
        try:
            found = probe(on_path)
        except CannotRun as error:
            reason = f"{on_path} does not start: {error}"
        else:
            if found.version == version:
                return found
            reason = f"{on_path} is Python {found.version}"
    raise CannotRun(
        f"{wanted}, but LocalStack runs on Python {own.version} and {reason}; "
        f"set {variable} to the path of a Python {version}"
    )


def own_interpreter() -> Interpreter:
    """The Python LocalStack runs on, outside its environment: a function must not see that one."""
    major, minor = sys.version_info[:2]
    return Interpreter(f"{major}.{minor}", Path(sys.executable).resolve())


@functools.cache
def probe_program(path: str) -> Interpreter:
    """Start `path` once and ask which Python it is; raises CannotRun when it cannot say."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable, sep='\\n')"
    try:
        answer = subprocess.run(
            [path, "-S", "-c", ask],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            env={"PATH": os.environ.get("PATH", os.defpath)},  # a version manager's stub needs it
        )
        version, executable = answer.stdout.splitlines()
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines()
        raise CannotRun(said[-1] if said else f"exit status {error.returncode}") from error
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise CannotRun(str(error)) from error
    return Interpreter(version, Path(executable).resolve())


def interpreter_for(runtime: str, function: str, configured: Mapping[str, str]) -> Interpreter:
    """`choose` on this machine."""
    return choose(
        runtime,
        function,
        configured=configured,
        own=own_interpreter(),
        find=shutil.which,
        probe=probe_program,
    )
