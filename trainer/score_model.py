"""Says how popular one song will be, or a whole file of songs.

Reads ARTIFACTS_BUCKET from the environment. Without --dataset the dataset the app shows first is
used, without --run and --model its champion. One song gives JSON on standard output: its
popularity, the song as it was used, and why, in words and as points per attribute against a typical
song; ends with 2 when it cannot be scored as it is given.

A file is read block by block, so it may be larger than the memory. It may be CSV or gzip, separated
by comma, semicolon or tab, its columns called as exports call them. Every row gives one line, in
the file's order: the song's id, artist and title as given, then
  popularity       the prediction, 0 to 100
  low, high        the interval it is in nine times in ten, unless the run says otherwise
  percentile       the percent of its genre's songs that are less popular
  hit_probability  the probability of being among the most popular, 0 to 1
  assumed          what was not given, and what was taken instead
  reason           why there is no prediction: an attribute that cannot be read or is out of range,
                   a line that is no row
  line             the line of the file, the header being line 1
A genre the model does not know is left out, which `assumed` says; a song without any that it knows
is scored as one without genre. A popularity in the file is not looked at.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from chartbuster.aws import s3_store
from chartbuster.errors import ChartBusterError, InvalidSong, Misconfigured, NotFound
from chartbuster.registry import Registry
from chartbuster.runs import Inputs
from chartbuster.writing import written_whole

if TYPE_CHECKING:
    from chartbuster.batches import Ask, Tally

INVALID_SONG = 2
_TERMINAL_SECONDS = 0.3
_LINE_SECONDS = 10.0
_MOST_TOLD = 8


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
    """The answer for one song: popularity (0-100), how sure it is, the song as used, and why.

    `why` tells the largest contributions in words, `contributions` gives all of them in points.
    """
    # Imported late, here and below: who asks for help need not wait for scikit-learn.
    from chartbuster.learn.explain import explained
    from chartbuster.learn.predictor import Predictor
    from chartbuster.scoring import completed, song_table

    predictor = Predictor.load(registry, choice.run_id)
    inputs = predictor.manifest.inputs
    used = completed(song, inputs)
    outlook = predictor.outlook(choice.model, song_table([song], inputs))
    (told,) = explained(lambda table: predictor.predict(choice.model, table), [song], inputs)
    return {
        "popularity": round(float(outlook.popularity[0]), 1),
        "low": round(float(outlook.low[0]), 1),
        "high": round(float(outlook.high[0]), 1),
        "percentile": round(float(outlook.percentile[0]), 1),
        "hit_probability": round(float(outlook.hit[0]), 4),
        "artist_known": bool(outlook.known[0]),
        "dataset": choice.dataset,
        "run_id": choice.run_id,
        "model": choice.model,
        "song": used,
        "why": told.why(),
        "base": round(told.base, 3),
        "contributions": [
            {**asdict(part), "points": round(part.points, 3)} for part in told.contributions
        ],
    }


def score_file(
    songs: BinaryIO,
    out: BinaryIO,
    *,
    ask: "Ask",
    inputs: Inputs,
    watch: Callable[["Tally"], object],
) -> "Tally":
    """Write the answers for the song file `songs` into `out`, and say what became of its rows.

    `watch` hears how far it is after every block. Raises `UnreadableUpload`.
    """
    from chartbuster.batches import Tally, score
    from chartbuster.reading import read_blocks

    tally = Tally()
    for block in score(read_blocks(songs), ask, inputs):
        if not tally.rows:
            out.write(block.header())
        out.write(block.to_csv())
        tally.add(block)
        watch(tally)
    return tally


class Progress:
    """Says how far a file is: one line that changes on a terminal, else a line now and then."""

    def __init__(
        self, songs: BinaryIO, told: TextIO, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._songs = songs
        self._told = told
        self._monotonic = monotonic
        self._began = self._last = monotonic()
        # A pipe has neither a size nor a place in it. Of a gzip file both are in packed bytes.
        self._size = os.fstat(songs.fileno()).st_size if songs.seekable() else 0

    def __call__(self, tally: "Tally") -> None:
        now = self._monotonic()
        if now - self._last < (_TERMINAL_SECONDS if self._told.isatty() else _LINE_SECONDS):
            return
        self._last = now
        self._told.write(self._start + self._line(tally.rows, now - self._began) + self._end)
        self._told.flush()

    def done(self, tally: "Tally") -> None:
        """The last word, in place of the line that changes."""
        self._told.write(self._start + summary(tally, self._monotonic() - self._began))

    @property
    def _start(self) -> str:
        return "\r\x1b[K" if self._told.isatty() else ""

    @property
    def _end(self) -> str:
        return "" if self._told.isatty() else "\n"

    def _line(self, rows: int, seconds: float) -> str:
        share = f"{min(1, self._songs.tell() / self._size):.0%}, " if self._size else ""
        return f"{share}{rows:,} rows, {rows / max(seconds, 0.001):,.0f} a second"


def summary(tally: "Tally", seconds: float) -> str:
    """What became of a file's rows, in lines for people; the commonest reasons first."""
    scored = f"{tally.scored:,} scored, {tally.assumed:,} of them with assumptions"
    lines = [f"{tally.rows:,} rows in {seconds:.1f} s: {scored}, {tally.rejected:,} rejected"]
    lines += [f"  {n:>9,}  {cause}" for cause, n in tally.causes.most_common(_MOST_TOLD)]
    if tally.unknown_genres:
        lines.append("genres the model does not know, scored as if they were not given:")
        lines += [f"  {n:>9,}  {name}" for name, n in tally.unknown_genres.most_common(_MOST_TOLD)]
    return "\n".join(lines) + "\n"


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
        """--song '{"genre": "Pop", "danceability": 0.7}'
example: python -m trainer.score_model --data songs.csv.gz --out scored.csv""",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--song", help="a JSON object of attributes; what it leaves out is assumed")
    what.add_argument("--data", help="a .csv or .csv.gz of songs; - is standard input")
    parser.add_argument("--out", default="-", help="the scored CSV file (default: standard output)")
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
        score_named(registry, choice, options.data, options.out)
    except InvalidSong as error:
        sys.stderr.write(f"error: {error}\n")
        return INVALID_SONG
    except BrokenPipeError:
        # Whoever read the answers has enough; Python would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ChartBusterError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    return 0


def score_named(registry: Registry, choice: Choice, data: str, out: str) -> None:
    """Score the file called `data` into the one called `out`; - is standard input or output."""
    from chartbuster.learn.predictor import Predictor

    if data != "-" and out != "-" and Path(data).resolve() == Path(out).resolve():
        raise Misconfigured(f"OUT={out!r} is the file to score; expected another name")
    predictor = Predictor.load(registry, choice.run_id)
    with ExitStack() as open_files:
        songs = sys.stdin.buffer if data == "-" else open_files.enter_context(Path(data).open("rb"))
        scored = (
            sys.stdout.buffer if out == "-" else open_files.enter_context(written_whole(Path(out)))
        )
        progress = Progress(songs, sys.stderr)
        tally = score_file(
            songs,
            scored,
            ask=lambda table: predictor.outlook(choice.model, table),
            inputs=predictor.manifest.inputs,
            watch=progress,
        )
        scored.flush()
        progress.done(tally)


def _stop(_number: int, _frame: object) -> None:
    """A stop is an interruption: what is half written is removed on the way out."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main())
