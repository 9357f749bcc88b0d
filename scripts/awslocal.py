"""Runs an AWS command against the local stack, with credentials as fake as they look."""

import argparse
import os
import subprocess
import sys

from compose.environment import local_aws, of_program
from compose.layout import Layout
from scripts.command import run
from scripts.running import ROOT, running_stack


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: make awslocal CMD='s3 ls'"
    )
    parser.add_argument("command", nargs="*", help="what would come after `aws`")
    options = parser.parse_args()
    if not options.command:
        parser.error("no command; for example: make awslocal CMD='s3 ls'")
    return run(lambda: call(options.command))


def call(command: list[str]) -> int:
    """Run awslocal with `command` against the running stack; returns its exit code."""
    endpoint = running_stack().outputs["Endpoint"]
    python = Layout(ROOT).python("emulator")
    program = str(python.with_name("awslocal"))
    environment = {**of_program(os.environ), **local_aws(endpoint)}
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    environment["AWS_PAGER"] = ""
    return subprocess.run([program, *command], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
