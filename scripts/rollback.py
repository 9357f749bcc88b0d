"""Makes the champion before this one the champion again; says how to undo it.

Each repeat goes one more step back.
"""

import argparse
import sys
from datetime import UTC, datetime

from chartbuster.registry import Registry
from scripts.champions import moved, the_dataset
from scripts.command import run
from scripts.running import running_stack


def rollback(registry: Registry, dataset: str | None, *, now: datetime) -> list[str]:
    """Move the champion one step back; returns what to say of it, line by line."""
    if not dataset:
        names = (champion.dataset for champion in registry.champions())
        dataset = the_dataset(None, names, command="make rollback")
    after = registry.rollback(dataset, now=now)
    undo = "make promote RUN={run} MODEL={model} DATASET={dataset}"
    return moved(registry, after, undo=undo)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make rollback DATASET=mine",
    )
    parser.add_argument("--dataset", help="the dataset's name (default: the only one)")
    options = parser.parse_args()

    def action() -> int:
        registry = Registry(running_stack().artifacts)
        print("\n".join(rollback(registry, options.dataset, now=datetime.now(UTC))))
        return 0

    return run(action)


if __name__ == "__main__":
    sys.exit(main())
