"""Fetches a run's model card from the running stack and keeps it as a file to open in a browser.

It is the card of the champion of the dataset the app shows first, unless a dataset or a run is
named. The file is written whole or not at all.
"""

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

from chartbuster import layout
from chartbuster.errors import Misconfigured, NotFound
from chartbuster.registry import Registry, RunManifest
from scripts.command import run
from scripts.running import running_stack

_MOST_NAMED = 5


def chosen_run(registry: Registry, *, run: str | None, dataset: str | None) -> RunManifest:
    """The run whose id is, or begins with, `run`; else the champion's of `dataset`.

    Without either, that of the dataset the app shows first. Raises `NotFound` when there is none,
    and `Misconfigured` when `run` begins several runs.
    """
    if run is not None:
        return registry.manifest(_whole(run, registry.runs()))
    name = dataset if dataset is not None else registry.active()
    if name is None:
        raise NotFound("no dataset has a model yet; put a file of songs in and wait for its run")
    champion = registry.champion(name)
    if champion is None:
        known = ", ".join(each.dataset for each in registry.champions()) or "none"
        raise NotFound(f"dataset {name!r} has no champion; datasets that have one: {known}")
    return registry.manifest(champion.run_id)


def _whole(run: str, known: tuple[str, ...]) -> str:
    """The one id of `known` that is `run` or begins with it."""
    begun = [run] if run in known else [each for each in known if each.startswith(run)]
    if not begun:
        raise NotFound(
            f"no run begins with {run!r}; the runs there are: {_named(known) if known else 'none'}"
        )
    if len(begun) > 1:
        raise Misconfigured(
            f"RUN={run!r} begins {len(begun)} runs; expected enough letters for one of "
            f"{_named(tuple(begun))}"
        )
    return begun[0]


def _named(runs: tuple[str, ...]) -> str:
    more = len(runs) - _MOST_NAMED
    return ", ".join(runs[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def card_of(registry: Registry, manifest: RunManifest) -> bytes:
    """The card stored with a run, as its manifest vouches for it; raises `NotFound`."""
    if layout.CARD not in manifest.files:
        raise NotFound(
            f"run {manifest.run_id} of dataset {manifest.dataset!r} has no {layout.CARD}: it is "
            "from before there were model cards; expected a run trained since"
        )
    return registry.file(manifest, layout.CARD)


def keep(body: bytes, out: Path) -> None:
    """Write the file `out` in one step, so that nobody ever reads half of it."""
    if not out.name or out.is_dir():
        raise Misconfigured(f"OUT={str(out)!r} is a folder; expected the path of a file")
    partial = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(body)
        partial.replace(out)
    except OSError as error:
        raise Misconfigured(
            f"OUT={str(out)!r} cannot be written ({error.strerror}); expected the path of a file "
            "in a folder that is there"
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make card DATASET=demo OUT=demo.html",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--run", help="a run's id, or enough of its first letters")
    which.add_argument("--dataset", help="the dataset whose champion it is about")
    parser.add_argument(
        "--out", type=Path, default=Path(layout.CARD), help="the file (default: card.html)"
    )
    options = parser.parse_args()

    def card() -> int:
        registry = Registry(running_stack().artifacts)
        manifest = chosen_run(registry, run=options.run, dataset=options.dataset)
        keep(card_of(registry, manifest), options.out)
        print(f"{options.out.resolve()}: {manifest.dataset}, run {manifest.run_id}")
        return 0

    return run(card)


if __name__ == "__main__":
    sys.exit(main())
