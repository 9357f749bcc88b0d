"""Says what is wrong between the templates of infra/, one line each; `make check` runs it."""

import argparse
import sys

from chartbuster.errors import ChartBusterError
from scripts.aws.checks.templates import load
from scripts.aws.checks.wiring import findings


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.aws.checks", description=__doc__, epilog="example: make check"
    )
    parser.parse_args()
    try:
        found = findings(
            **{part: load(f"{part}.yaml") for part in ("compute", "data", "scaling", "bootstrap")}
        )
    except ChartBusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
