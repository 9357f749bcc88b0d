"""Shows how good models are on songs they were not fitted on.

With --data, a song file is prepared, models are trained on it as in a run, and the original
system's forest is fitted beside them on the same songs. With --ready, models are trained on tables
that are prepared already. Nothing is stored by either. With --run, or --dataset for its champion's
run, the scores stored with the run in ARTIFACTS_BUCKET are shown.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from chartbuster.aws import s3_store
from chartbuster.errors import ChartBusterError, Misconfigured
from chartbuster.records import to_json
from chartbuster.registry import Registry
from chartbuster.runs import Interval, ModelEntry, Scores
from trainer.configuration import Configuration, default_text, read_configuration
from trainer.settings import jobs_from

if TYPE_CHECKING:
    from trainer.evaluation import Evaluation, Measured

_COLUMNS = (
    *("model", "protocol", "R2", "95 %", "MAE", "95 %", "RMSE", "Spearman", "AP", "P@k"),
    *("covered", "songs"),
)


def as_table(models: "Sequence[ModelEntry | Measured]") -> str:
    """The models' scores as lines of text, the best model first.

    AP is the average precision of hit probabilities, P@k the precision among the first k songs.
    """
    rows: list[Sequence[str]] = [_COLUMNS]
    for entry in sorted(models, key=lambda entry: entry.deciding_mae):
        for protocol, scores in (
            ("new artists", entry.new_artists),
            ("known artists", entry.known_artists),
        ):
            rows.append((entry.name, protocol, *_cells(scores)))
    return _laid_out(rows)


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


def as_text(found: "Evaluation") -> str:
    """An evaluation as tables and sentences."""
    share = f"{found.interval:.0%} intervals, hits from popularity {found.hit_from:g}"
    return "\n\n".join(
        part
        for part in (
            f"{found.file}: {found.songs:,} songs, {found.artists:,} artists; {share}",
            as_table(found.models),
            _gains(found),
            _leaks(found),
            _targets(found),
            found.search_note,
        )
        if part
    )


def _gains(found: "Evaluation") -> str:
    rows: list[Sequence[str]] = [
        ("model", "protocol", "R2 higher by", "95 %", "MAE lower by", "95 %", "songs")
    ]
    for gain in found.gains:
        r2, mae = _range(gain.r2_interval, 3), _range(gain.mae_interval, 2)
        cells = (f"{gain.r2:+.3f}", r2, f"{gain.mae:+.2f}", mae, str(gain.songs))
        rows.append((gain.model, gain.protocol, *cells))
    protocols = {gain.protocol for gain in found.gains}
    where = "under both protocols" if len(protocols) > 1 else f"for {' '.join(protocols)}"
    verdict = (
        f"The best model, {found.best}, is better beyond chance {where}."
        if found.better
        else f"The best model, {found.best}, is not better beyond chance {where}."
    )
    heading = "Against the original system's forest, on the same songs and the same draws:"
    return f"{heading}\n{_laid_out(rows)}\n{verdict}"


def _leaks(found: "Evaluation") -> str:
    if not found.leaks:
        return ""
    rows: list[Sequence[str]] = [("model", "", "R2 claimed", "R2 honest", "flatters by", "shared")]
    rows += [
        (
            *(leak.model, "", f"{leak.claimed:.3f}", f"{leak.honest:.3f}"),
            *(f"{leak.flatters:+.3f}", f"{leak.shared:.1%}"),
        )
        for leak in found.leaks
    ]
    return f"What a split of unmerged rows at random would have claimed:\n{_laid_out(rows)}"


def _targets(found: "Evaluation") -> str:
    if not found.targets:
        return ""
    lines = [f"Targets for {found.promised}:"]
    for target in found.targets:
        right = (
            f"at least {target.least:.3f}"
            if target.most == 1
            else f"{target.least:.3f} to {target.most:.3f}"
        )
        verdict = "met" if target.met else "MISSED"
        lines.append(f"{target.name:<24} {target.measured:.4f}  {right:<16}  {verdict}")
    return "\n".join(lines)


def _laid_out(rows: Sequence[Sequence[str]]) -> str:
    """Lines of `rows`, the first two columns to the left and the others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(scores: Scores | None) -> Iterable[str]:
    if scores is None:
        return ("not available", *[""] * (len(_COLUMNS) - 3))
    hits = scores.hits
    return (
        f"{scores.r2:.3f}",
        _range(scores.intervals.get("r2"), 3),
        f"{scores.mae:.2f}",
        _range(scores.intervals.get("mae"), 2),
        f"{scores.rmse:.2f}",
        "-" if scores.spearman is None else f"{scores.spearman:.3f}",
        f"{hits.average_precision:.3f}" if hits else "-",
        f"{hits.precision:.2f}" if hits else "-",
        "-" if scores.covered is None else f"{scores.covered:.3f}",
        str(scores.songs),
    )


def _range(interval: Interval | None, decimals: int) -> str:
    if interval is None:
        return "-"
    return f"{interval.low:.{decimals}f} to {interval.high:.{decimals}f}"


def _models(options: argparse.Namespace) -> Sequence[ModelEntry]:
    if options.ready:
        from chartbuster.features import read_ready
        from chartbuster.learn.dataset import merged
        from trainer.training import train

        songs = merged([read_ready(path.read_bytes()) for path in options.ready])
        trained = train(songs, _configuration(options), jobs=jobs_from(os.environ), tell=_tell)
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


def _evaluation(options: argparse.Namespace) -> "Evaluation":
    # Read before scikit-learn is imported, so that a wrong name is said at once.
    configuration = _configuration(options)
    try:
        stored = options.data.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"the song file {str(options.data)!r} cannot be read ({error.strerror}); expected the "
            "path of a .csv or .csv.gz file"
        ) from error
    from trainer.evaluation import evaluate

    jobs = jobs_from(os.environ)
    return evaluate(stored, options.data.name, configuration, jobs=jobs, tell=_tell)


def _configuration(options: argparse.Namespace) -> Configuration:
    given = options.configuration
    return read_configuration(given.read_text(encoding="utf-8") if given else default_text())


def _tell(stage: str, fraction: float) -> None:
    sys.stderr.write(f"{fraction:4.0%} {stage}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m trainer.evaluate_performance --dataset spotify-2019",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", type=Path, help="a .csv or .csv.gz of songs to train on")
    what.add_argument("--run", help="the id of a stored run")
    what.add_argument("--dataset", help="a dataset; its champion's run is shown")
    what.add_argument("--ready", type=Path, nargs="+", help="ready_data.csv files to train on")
    parser.add_argument("--configuration", type=Path, help="a YAML file for --data or --ready")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    options = parser.parse_args(arguments)
    as_object = options.format == "json"
    try:
        if options.data:
            found = _evaluation(options)
            shown = to_json(found).decode().rstrip() if as_object else as_text(found)
        else:
            models = _models(options)
            shown = as_json(models) if as_object else as_table(models)
    except (ChartBusterError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    sys.stdout.write(f"{shown}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
