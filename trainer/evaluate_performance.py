"""Shows how good models are on songs they were not fitted on.

With --run, or --dataset for its champion's run, the scores stored with the run in ARTIFACTS_BUCKET;
with --ready, the models are fitted and tested on a prepared table, and nothing is stored.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from chartbuster.aws import s3_store
from chartbuster.errors import ChartBusterError, Misconfigured
from chartbuster.registry import Registry
from chartbuster.runs import ModelEntry, Scores
from trainer.configuration import default_text, read_configuration
from trainer.settings import jobs_from

_COLUMNS = ("model", "protocol", "R2", "MAE", "RMSE", "Spearman", "songs")


def as_table(models: Sequence[ModelEntry]) -> str:
    """The models' scores as lines of text, the best model first."""
    rows = [_COLUMNS]
    for entry in sorted(models, key=lambda entry: entry.deciding_mae):
        for protocol, scores in (
            ("new artists", entry.new_artists),
            ("known artists", entry.known_artists),
        ):
            rows.append((entry.name, protocol, *_cells(scores)))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def as_json(models: Sequence[ModelEntry]) -> str:
    """The models' scores as a JSON object, by the models' names."""
    scores = {
        entry.name: {
            "new_artists": entry.new_artists and asdict(entry.new_artists),
            "known_artists": entry.known_artists and asdict(entry.known_artists),
        }
        for entry in models
    }
    return json.dumps(scores, indent=1)


def _cells(scores: Scores | None) -> tuple[str, str, str, str, str]:
    if scores is None:
        return ("not available", "", "", "", "")
    rank = "-" if scores.spearman is None else f"{scores.spearman:.3f}"
    return (
        f"{scores.r2:.3f}",
        f"{scores.mae:.2f}",
        f"{scores.rmse:.2f}",
        rank,
        str(scores.songs),
    )


def _models(options: argparse.Namespace) -> Sequence[ModelEntry]:
    if options.ready:
        from chartbuster.features import read_ready
        from chartbuster.learn.dataset import merged
        from trainer.training import train

        text = (
            options.configuration.read_text(encoding="utf-8")
            if options.configuration
            else default_text()
        )
        songs = merged([read_ready(path.read_bytes()) for path in options.ready])
        trained = train(
            songs,
            read_configuration(text),
            jobs=jobs_from(os.environ),
            tell=lambda stage, fraction: _note(f"{fraction:4.0%} {stage}"),
        )
        return trained.models
    bucket = os.environ.get("ARTIFACTS_BUCKET")
    if not bucket:
        raise Misconfigured("the environment lacks ARTIFACTS_BUCKET")
    registry = Registry(s3_store(bucket))
    if options.run:
        return registry.manifest(options.run).models
    champion = registry.champion(options.dataset)
    if champion is None:
        raise Misconfigured(f"dataset {options.dataset!r} has no champion yet")
    return registry.manifest(champion.run_id).models


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m trainer.evaluate_performance --dataset spotify-2019",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", help="the id of a stored run")
    what.add_argument("--dataset", help="a dataset; its champion's run is shown")
    what.add_argument("--ready", type=Path, nargs="+", help="ready_data.csv files to train on")
    parser.add_argument("--configuration", type=Path, help="a YAML file for --ready")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    options = parser.parse_args(arguments)
    try:
        models = _models(options)
    except (ChartBusterError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    shown = as_json(models) if options.format == "json" else as_table(models)
    sys.stdout.write(f"{shown}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
