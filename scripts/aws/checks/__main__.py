"""Says what is wrong with what goes to AWS, one line each; `make check` runs it.

The templates of infra/ are held against one another and against docker-compose.yml.
"""

import argparse
import sys
from pathlib import Path

from chartbuster.errors import ChartBusterError
from scripts.aws.checks.every import CHECKS
from scripts.aws.checks.sources import read


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.aws.checks", description=__doc__, epilog="example: make check"
    )
    parser.parse_args()
    try:
        sources = read(Path(__file__).parents[3])
        found = [line for check in CHECKS.values() for line in check(sources)]
    except ChartBusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
