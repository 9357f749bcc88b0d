"""`python -m chartbuster.demo`: writes the demo catalogue to a file."""

import argparse
import gzip
import sys
from pathlib import Path

from chartbuster.demo.catalogue import SEED, SONGS, as_csv, generate
from chartbuster.errors import ChartBusterError, Misconfigured


def stored(body: bytes, name: str) -> bytes:
    """`body` as a file of that name holds it: gzip (without a time in it) for `.csv.gz`.

    Raises:
        Misconfigured: the name ends in neither `.csv` nor `.csv.gz`.
    """
    if name.endswith(".csv.gz"):
        return gzip.compress(body, mtime=0)
    if name.endswith(".csv"):
        return body
    raise Misconfigured(f"output {name!r}; expected a name ending in .csv or .csv.gz")


def main(arguments: list[str] | None = None) -> int:
    """Write the catalogue; 0 when it is there, 1 when it could not be made."""
    parser = argparse.ArgumentParser(
        prog="python -m chartbuster.demo",
        description="Write a catalogue of synthetic songs (no real song, artist or title), with "
        "the 18 columns of SpotifyFeatures.csv. The same --songs and --seed give the same table.",
        epilog="example: python -m chartbuster.demo demo.csv.gz --songs 20000",
    )
    parser.add_argument("output", metavar="OUT.csv[.gz]", type=Path, help="the file to write")
    parser.add_argument("--songs", type=int, default=SONGS, help="how many (default %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="which (default %(default)s)")
    given = parser.parse_args(arguments)
    output: Path = given.output
    try:
        stored(b"", output.name)  # a wrong name is told before the songs are made
        body = stored(as_csv(generate(given.songs, given.seed)), output.name)
        output.write_bytes(body)
    except (ChartBusterError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{given.songs} synthetic songs written to {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
