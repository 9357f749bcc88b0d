"""Changes one value at a time of what goes to AWS, and lists which changes no check notices.

Every leaf of infra/compute.yaml, of the roles and of the Compose services trainer and webapp is
changed in turn. First all checks of scripts/aws/checks are asked, milliseconds each, then cfn-lint
about what they did not notice. With --check what survives must be exactly what the document lists
with a reason. Ports, images, roles, health checks, stickiness, stop times and environment must
never survive, listed or not.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from chartbuster.errors import Misconfigured
from scripts.aws import mutation
from scripts.aws.checks.every import CHECKS, Check
from scripts.aws.checks.sources import COMPOSE, Sources, read
from scripts.aws.mutation import Mutant, Verdicts
from scripts.command import ended

DOCUMENT = Path("docs/aws.md")
_TEMPLATES = ("compute.yaml", "data.yaml")


def parts(sources: Sources) -> dict[str, tuple[mutation.Path, ...]]:
    """What is changed: by file the paths below which every leaf is."""
    compute, data = (sources.documents[name] for name in _TEMPLATES)
    return {
        "compute.yaml": tuple((section,) for section in compute),
        "data.yaml": mutation.parts_of(data, "AWS::IAM::"),
        COMPOSE: (("services", "trainer"), ("services", "webapp")),
    }


def all_mutants(sources: Sources) -> tuple[Mutant, ...]:
    """Every change there is, in the order of the files."""
    return tuple(
        mutant
        for name, paths in parts(sources).items()
        for mutant in mutation.mutants(name, sources.documents[name], paths)
    )


def applied(sources: Sources, mutant: Mutant) -> Sources:
    """The files with that one change."""
    document = mutation.changed(sources.documents[mutant.file], mutant.path, mutant.value)
    return sources.with_document(mutant.file, document)


def noticed_by(sources: Sources, checks: Mapping[str, Check]) -> str:
    """The first check that finds something wrong with `sources`, or an empty string.

    One that cannot even read them has noticed too: it would stop a test.
    """
    for name, check in checks.items():
        try:
            if check(sources):
                return name
        except (LookupError, TypeError, AttributeError, ValueError):
            return name
    return ""


def untouched(sources: Sources, checks: Mapping[str, Check]) -> None:
    """Raise `Misconfigured` when a check finds something before anything was changed."""
    lines = [f"{name}: {line}" for name, check in checks.items() for line in check(sources)]
    if lines:
        raise Misconfigured(
            "the checks must find nothing before anything is changed, and found:\n  "
            + "\n  ".join(lines)
        )


# --- cfn-lint, which takes a second for each ------------------------------------------------------


def _not_interrupted() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def lint(text: str) -> str:
    """What cfn-lint says of a template first, or an empty string."""
    from cfnlint import api  # takes two seconds, which only the workers need

    matches = api.lint(text)
    return str(matches[0]) if matches else ""


@contextmanager
def linting(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Workers that lint; on the way out, whatever waits is dropped."""
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_not_interrupted
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def linted(
    sources: Sources,
    suspects: Sequence[Mutant],
    *,
    enough: Callable[[], bool],
    progress: Callable[[int], None],
    workers: int = os.cpu_count() or 1,
) -> Verdicts:
    """Ask cfn-lint about each change of a template that nothing else noticed."""
    lintable = [mutant for mutant in suspects if mutant.file in _TEMPLATES]
    survivors = {mutant for mutant in suspects if mutant.file not in _TEMPLATES}
    done = 0
    with linting(workers) as pool:
        waiting = iter(lintable)
        running: dict[Future[str], Mutant] = {}
        while not enough():
            while len(running) < workers and (mutant := next(waiting, None)) is not None:
                document = applied(sources, mutant).documents[mutant.file]
                running[pool.submit(lint, json.dumps(document))] = mutant
            if not running:
                break
            for future in wait(running, timeout=1, return_when=FIRST_COMPLETED).done:
                mutant = running.pop(future)
                done += 1
                if not future.result():
                    survivors.add(mutant)
                progress(len(suspects) - len(lintable) + done)
        left = (*running.values(), *waiting)
    return Verdicts(
        {"cfn-lint": done - sum(mutant.file in _TEMPLATES for mutant in survivors)},
        tuple(mutant for mutant in suspects if mutant in survivors),
        left,
    )


# --- what is told ---------------------------------------------------------------------------------


def survey(
    sources: Sources, checks: Mapping[str, Check], *, seconds: float, with_lint: bool, tell: Console
) -> Verdicts:
    """Change everything in turn and ask everybody, for at most `seconds`, showing how far it is."""
    deadline = time.monotonic() + seconds

    def enough() -> bool:
        return time.monotonic() > deadline

    given = all_mutants(sources)
    with Progress(console=tell, transient=True, disable=not tell.is_terminal) as bar:
        tell.print(f"asking {len(checks)} checks about {len(given)} changes")
        task = bar.add_task("asking the checks", total=len(given))
        first = mutation.verdicts(
            given,
            noticed_by=lambda mutant: noticed_by(applied(sources, mutant), checks),
            enough=enough,
            progress=lambda done: bar.update(task, completed=done),
        )
        if not with_lint:
            return first
        tell.print(f"asking cfn-lint about the {len(first.survivors)} that none of them noticed")
        task = bar.add_task("asking cfn-lint", total=len(first.survivors))
        second = linted(
            sources,
            first.survivors,
            enough=enough,
            progress=lambda done: bar.update(task, completed=done),
        )
    return Verdicts(
        {**first.noticed, **second.noticed},
        second.survivors,
        (*second.waiting, *first.waiting),
    )


def report(found: Verdicts, roles: Mapping[str, Sequence[mutation.Path]]) -> list[str]:
    """What happened, in lines: counts first, then each survivor."""
    counts = ", ".join(f"{name} {count}" for name, count in found.noticed.items())
    noticed = sum(found.noticed.values())
    lines = [f"{found.total} changes, {len(found.waiting)} of them not asked about"]
    lines.append(f"noticed {noticed} ({counts}); survived {len(found.survivors)}:")
    for mutant in found.survivors:
        never = mutation.forbidden(mutant, roles.get(mutant.file, ()))
        lines.append(f"  {mutant}" + (f"  <- {never} must never survive" if never else ""))
    return lines


def failures(
    found: Verdicts,
    roles: Mapping[str, Sequence[mutation.Path]],
    listed: Sequence[mutation.Listed] | None,
) -> list[str]:
    """Why this run is no good: what must never survive, what is listed wrongly, what was not asked.

    Without a list every survivor of another kind is fine.
    """
    lines = [
        f"{mutant}: {never} must never survive"
        for mutant in found.survivors
        if (never := mutation.forbidden(mutant, roles.get(mutant.file, ())))
    ]
    if listed is not None:
        lines += mutation.differences(found.survivors, listed, complete=found.finished)
    if not found.finished:
        lines.append(
            f"not finished: {len(found.waiting)} changes were not asked about; "
            "give it more time, like SECONDS=900"
        )
    return lines


def roles_of(sources: Sources) -> dict[str, tuple[mutation.Path, ...]]:
    """By template the paths of what says who may do what."""
    return {name: mutation.parts_of(sources.documents[name], "AWS::IAM::") for name in _TEMPLATES}


def reasons(path: Path) -> tuple[mutation.Listed, ...]:
    """The list in the document at `path`; raises `Misconfigured` where there is none."""
    try:
        return mutation.listed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} lists no survivors: {error}") from error


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: make mutate-aws SECONDS=600"
    )
    parser.add_argument(
        "--seconds", type=float, default=300, help="stop after so many seconds (%(default)s)"
    )
    parser.add_argument(
        "--check", action="store_true", help="fail unless the survivors are those listed"
    )
    parser.add_argument(
        "--document", type=Path, default=DOCUMENT, help="where they are listed (%(default)s)"
    )
    parser.add_argument("--no-lint", action="store_true", help="ask our own checks alone")
    options = parser.parse_args()

    def action() -> int:
        root = Path(__file__).parents[1]
        listed = reasons(root / options.document) if options.check else None
        sources = read(root)
        untouched(sources, CHECKS)
        found = survey(
            sources,
            CHECKS,
            seconds=options.seconds,
            with_lint=not options.no_lint,
            tell=Console(stderr=True),
        )
        roles = roles_of(sources)
        print("\n".join(report(found, roles)), flush=True)
        wrong = failures(found, roles, listed)
        for line in wrong:
            print(f"error: {line}", file=sys.stderr)
        return 1 if wrong else 0

    return ended(action, interrupted="stopped; nothing was changed on disk")


if __name__ == "__main__":
    sys.exit(main())
