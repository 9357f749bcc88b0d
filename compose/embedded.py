"""The embedded stack's life: what it takes to start, whether it runs, and how it stops.

Everything here can be repeated: starting what runs and stopping what does not change nothing. The
kept state in .stack/state is never touched.
"""

import contextlib
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from chartbuster.errors import Misconfigured, NotFound, TryAgain
from compose.environment import of_stack as stack_environment
from compose.layout import HOST, Layout, Ports
from compose.locking import only_one
from compose.processes import end_stack, holder, port_is_free, wait_for_end
from compose.programs import Composition, Program, programs
from compose.supervision import (
    Supervisor,
    SupervisorAway,
    prepare,
    read_composition,
    start_supervisor,
)

# Longer than all programs' stop_seconds together.
_STOP_PATIENCE = 70.0


class StillThere(TryAgain):
    """Something of the stack would not end."""


def composition(
    layout: Layout,
    ports: Ports,
    environ: Mapping[str, str],
    *,
    consists_of: tuple[Program, ...] | None = None,
) -> Composition:
    """What would be started: the stack's own programs, unless `consists_of` names others."""
    return Composition(
        ports=ports,
        environment=stack_environment(layout, environ),
        programs=programs(layout, ports) if consists_of is None else consists_of,
        built=built(layout),
    )


def built(layout: Layout) -> str:
    """A digest of what the programs run: our packages as installed, and the Lambda's zip.

    The installed wheel's own record holds the digest of every file of it. Of the other packages the
    names and versions are enough: their contents are hash-locked.
    """
    seen = hashlib.sha256()
    for name in ("emulator", "trainer", "webapp", "scripts"):
        for record in sorted(layout.packages(name).glob("*.dist-info/RECORD")):
            seen.update(f"{name}/{record.parent.name}\n".encode())
            if record.parent.name.startswith(("chartbuster-", "localstack_process_executor-")):
                seen.update(record.read_bytes())
    for file in (layout.lambda_zip, layout.localstack_launcher, layout.demo_catalogue):
        if file.is_file():
            seen.update(hashlib.sha256(file.read_bytes()).digest())
    return seen.hexdigest()


def check_platform(platform: str = sys.platform) -> None:
    """Raise `Misconfigured` where the embedded stack cannot run."""
    if platform != "linux":
        raise Misconfigured(
            "without Docker the stack runs on Linux and WSL2 only; on this system, use Docker"
        )


def check_folder(layout: Layout) -> None:
    """Raise `Misconfigured` for a checkout LocalStack must not be run in.

    It removes its temporary files with `rm -rf "<path>"` through a shell, so a path that ends the
    quotation there would run, and remove, something else.
    """
    if bad := sorted(set(str(layout.root)) & set('"$`\\\n')):
        raise Misconfigured(
            f"the checkout is in {str(layout.root)!r}, and LocalStack cannot run safely under a "
            f"path with {' '.join(map(repr, bad))}; move it, then run this again"
        )


def check_artifacts(layout: Layout, consists_of: tuple[Program, ...]) -> None:
    """Raise `Misconfigured` naming everything that has to be built before a start."""
    needed = {program.command[0] for program in consists_of}
    needed |= {str(layout.lambda_zip), str(layout.lambda_runtime), str(layout.demo_catalogue)}
    missing = sorted(path for path in needed if not Path(path).exists())
    if missing:
        raise Misconfigured(f"not built yet: {', '.join(missing)}; `make up` builds them first")


def check_ports(ports: Ports) -> None:
    """Raise `Misconfigured` for each port another program holds, with what to do."""
    faults = []
    for variable, port in ports.named():
        try:
            if port_is_free(port):
                continue
            faults.append(
                f"port {port} is held by {holder(port)}; stop that, or choose another port: "
                f"{variable}={_suggested(port)} make up"
            )
        except PermissionError:
            faults.append(
                f"port {port} needs rights this user does not have; choose one from 1024 on: "
                f"{variable}={port % 1000 + 8000} make up"
            )
    if faults:
        raise Misconfigured("\n".join(faults))


def _suggested(port: int) -> int:
    """A port near `port` that is free now."""
    nearby = (port + step for step in range(1, 200) if port + step <= 65535)
    return next((candidate for candidate in nearby if port_is_free(candidate)), 18501)


@contextlib.contextmanager
def alone(layout: Layout, waiting: Callable[[str], None] = lambda _who: None) -> Iterator[None]:
    """Hold the lock of everything that starts or stops this stack."""
    with only_one(layout.stack / "lock", patience=150, waiting=waiting):
        yield


def runs(layout: Layout, wanted: Composition) -> bool:
    """Whether exactly the wanted stack is running."""
    current = read_composition(layout)
    return (
        current is not None
        and current.fingerprint == wanted.fingerprint
        and Supervisor(layout).pid() is not None
    )


def start(layout: Layout, wanted: Composition) -> None:
    """Start supervisor with all programs; nothing of this stack may run. Needs the lock.

    Raises `Misconfigured` when something is missing or a port is taken.
    """
    check_folder(layout)
    check_artifacts(layout, wanted.programs)
    check_ports(wanted.ports)
    _remove_what_is_temporary(layout)
    prepare(layout, wanted)
    start_supervisor(layout)


def stop(layout: Layout) -> bool:
    """Stop everything in order and keep the state; whether anything was running. Needs the lock."""
    supervisor = Supervisor(layout)
    pid = supervisor.pid()
    if pid is not None:
        with contextlib.suppress(SupervisorAway):
            supervisor.shutdown()
        wait_for_end(pid, patience=_STOP_PATIENCE)
    # What supervisor left, or what was left of it.
    orphans = end_stack(layout.stack)
    _remove_what_is_temporary(layout)
    return pid is not None or orphans > 0


def _remove_what_is_temporary(layout: Layout) -> None:
    layout.outputs.unlink(missing_ok=True)
    for folder in (layout.run, layout.stack / "tmp"):
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise StillThere(f"could not remove {folder}; remove it by hand, then run this again")
    # LocalStack's index of services took seconds to make, and stays right.
    spared = layout.localstack_home / "files" / "var" / "lib" / "localstack" / "cache"
    _clear(layout.localstack_home, spared)


def _clear(folder: Path, spared: Path) -> None:
    """Remove everything in `folder` but `spared`, which lies somewhere below."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.is_symlink() or not entry.is_dir():
            entry.unlink(missing_ok=True)
        elif spared.is_relative_to(entry) and entry != spared:
            _clear(entry, spared)
        elif entry != spared:
            shutil.rmtree(entry, ignore_errors=True)


def forget(layout: Layout) -> None:
    """Remove all of .stack, the kept state included. Needs the lock, and nothing running."""
    shutil.rmtree(layout.stack, ignore_errors=True)
    if layout.stack.exists():
        raise StillThere(f"could not remove all of {layout.stack}; remove it by hand")


def outputs(layout: Layout) -> dict[str, str]:
    """The running stack's names and addresses; raises `NotFound` when it is not up.

    RawBucket, ReadyBucket, ArtifactsBucket, QueueUrl, TrainDeadLetterQueueUrl,
    LambdaDeadLetterQueueUrl, FunctionName, Endpoint and WebUrl.
    """
    try:
        found: dict[str, str] = json.loads(layout.outputs.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound("the stack is not up; `make up` brings it up") from error
    return found


def report(layout: Layout) -> dict[str, object]:
    """The keeper's last word: phase, trouble, objects, seconds, pid; empty before its first."""
    try:
        found: dict[str, object] = json.loads(layout.report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def addresses(ports: Ports) -> str:
    """Where the stack answers, in one line."""
    return f"app http://{HOST}:{ports.web}, LocalStack {ports.endpoint}"
