"""Makes a model of a run the champion of its dataset, whatever its scores; says how to undo it.

The run may be named by the first characters of its id. Without a model it is the run's best one.
"""

import argparse
import sys
from datetime import UTC, datetime

from chartbuster.registry import Registry
from chartbuster.runs import datasets_of
from scripts.champions import moved, said, the_dataset, the_run
from scripts.command import run
from scripts.running import running_stack


def promote(
    registry: Registry, prefix: str, model: str | None, dataset: str | None, *, now: datetime
) -> list[str]:
    """Move the champion; returns what to say of it, line by line."""
    run_id = the_run(prefix, registry.runs())
    found = registry.manifest(run_id)
    if not dataset:
        belongs = datasets_of(found, registry.champions())
        dataset = the_dataset(None, belongs, command=f"make promote RUN={run_id}")
    before = registry.champion(dataset)
    after = registry.promote(
        dataset, run_id, model or found.best, reason="promoted by a person", now=now
    )
    if after == before:
        now_is = said(registry, after.run_id, after.model)
        return [f"nothing changed: the champion of {dataset} is {now_is} already"]
    return moved(registry, after, undo="make rollback DATASET={dataset}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: make promote RUN=3f9a MODEL=forest DATASET=mine",
    )
    parser.add_argument("--run", required=True, help="a run's id, or how it begins")
    parser.add_argument("--model", help="the model's name (default: the run's best)")
    parser.add_argument("--dataset", help="the dataset's name (default: the run's)")
    options = parser.parse_args()
    if not options.run.strip():
        parser.error(
            "RUN is empty; `make models` lists the runs; for example: make promote RUN=3f9a"
        )

    def action() -> int:
        registry = Registry(running_stack().artifacts)
        lines = promote(
            registry, options.run.strip(), options.model, options.dataset, now=datetime.now(UTC)
        )
        print("\n".join(lines))
        return 0

    return run(action)


if __name__ == "__main__":
    sys.exit(main())
