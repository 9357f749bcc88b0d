"""Prints the running stack's names and addresses as JSON."""

import argparse
import json
import sys

from scripts.command import run
from scripts.running import running_stack


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: make -s outputs | python3 -m json.tool"
    )
    parser.parse_args()

    def outputs() -> int:
        print(json.dumps(running_stack().outputs, indent=2))
        return 0

    return run(outputs)


if __name__ == "__main__":
    sys.exit(main())
