"""Says how popular a song will be, or scores a whole prepared table.

Reads ARTIFACTS_BUCKET from the environment. Without --dataset the dataset the app shows first is
used, without --run and --model its champion. One song gives JSON on standard output; a table gives
a CSV file of song_id and prediction. Ends with 2 when a song cannot be scored as it is given.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chartbuster.aws import s3_store
from chartbuster.errors import ChartBusterError, InvalidSong, NotFound
from chartbuster.registry import Registry

if TYPE_CHECKING:
    import pandas as pd

INVALID_SONG = 2


@dataclass(frozen=True)
class Choice:
    """The model that answers."""

    dataset: str
    run_id: str
    model: str


def choose(
    registry: Registry, *, dataset: str | None, run: str | None, model: str | None
) -> Choice:
    """The model asked for; what is left open is the active dataset and its champion.

    Raises `NotFound` while there is no such model yet.
    """
    if run is not None:
        manifest = registry.manifest(run)
        return Choice(manifest.dataset, run, model or manifest.best)
    name = dataset or registry.active()
    if name is None:
        raise NotFound("no dataset has a model yet; put a file of songs in and wait for its run")
    champion = registry.champion(name)
    if champion is None:
        known = ", ".join(c.dataset for c in registry.champions()) or "none"
        raise NotFound(f"dataset {name!r} has no champion; datasets that have one: {known}")
    return Choice(name, champion.run_id, model or champion.model)


def score_song(registry: Registry, choice: Choice, song: dict[str, Any]) -> dict[str, Any]:
    """The answer for one song: popularity (0-100), where it comes from, and the song as used."""
    # Imported late, here and below: who asks for help need not wait for scikit-learn.
    from chartbuster.learn.predictor import Predictor
    from chartbuster.scoring import completed, song_table

    predictor = Predictor.load(registry, choice.run_id)
    inputs = predictor.manifest.inputs
    used = completed(song, inputs)
    popularity = predictor.predict(choice.model, song_table([song], inputs))[0]
    return {
        "popularity": round(float(popularity), 1),
        "dataset": choice.dataset,
        "run_id": choice.run_id,
        "model": choice.model,
        "song": used,
    }


def score_table(registry: Registry, choice: Choice, ready: "pd.DataFrame") -> bytes:
    """A CSV file of song_id and prediction, one line per row of the ready table."""
    import pandas as pd

    from chartbuster.learn.predictor import Predictor
    from chartbuster.tables import to_csv

    predicted = Predictor.load(registry, choice.run_id).predict(choice.model, ready)
    return to_csv(pd.DataFrame({"song_id": ready["song_id"], "prediction": predicted.round(3)}))


def song_from(text: str) -> dict[str, Any]:
    """The song in a JSON object; raises `InvalidSong`."""
    try:
        song = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidSong(f"the song is no JSON ({error}): {text[:200]!r}") from error
    if not isinstance(song, dict):
        raise InvalidSong(
            f'the song is {text[:200]!r}; expected a JSON object like {{"genre": "Pop"}}'
        )
    return song


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m trainer.score_model "
        """--song '{"genre": "Pop", "danceability": 0.7}'""",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--song", help="a JSON object of attributes; what it leaves out is assumed")
    what.add_argument("--ready", type=Path, help="a ready_data.csv to score")
    parser.add_argument("--out", type=Path, help="where the scores of --ready go (default: stdout)")
    parser.add_argument("--dataset", help="the dataset whose champion answers")
    parser.add_argument("--run", help="a run instead of the champion's")
    parser.add_argument("--model", help="a model of the run instead of its best")
    options = parser.parse_args(arguments)
    bucket = os.environ.get("ARTIFACTS_BUCKET")
    if not bucket:
        sys.stderr.write("error: the environment lacks ARTIFACTS_BUCKET\n")
        return os.EX_CONFIG
    try:
        registry = Registry(s3_store(bucket))
        song = song_from(options.song) if options.song is not None else None
        choice = choose(registry, dataset=options.dataset, run=options.run, model=options.model)
        if song is not None:
            answer = score_song(registry, choice, song)
            sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1) + "\n")
            return 0
        from chartbuster.features import read_ready

        scored = score_table(registry, choice, read_ready(options.ready.read_bytes()))
        if options.out is None:
            sys.stdout.write(scored.decode())
        else:
            options.out.write_bytes(scored)
    except InvalidSong as error:
        sys.stderr.write(f"error: {error}\n")
        return INVALID_SONG
    except (ChartBusterError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
