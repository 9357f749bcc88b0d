"""The rehearsal: the real deployment programs against a stand-in, scenario by scenario.

Each program runs as people run it, in a process of its own; what came of it is read from the
account and from the registry, never from what the program says of itself.
"""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from chartbuster.errors import Permanent
from compose import manifest
from compose.environment import kept, local_aws
from compose.health import app_answers
from compose.layout import HOST
from compose.manifest import Manifest
from scripts.aws import local_task
from scripts.aws.account import Account
from scripts.aws.images import AWS_IMAGES, digest_in
from scripts.aws.shown import NOTHING, Fact, changed, container, last_changes, shown, wiring
from scripts.aws.standin import StandIn, free_port
from scripts.aws.templates import template_of
from scripts.running import ROOT
from scripts.steps import Steps

STEPS = ("bootstrap", "images", "code", "data", "run", "compute", "scaling", "record", "smoke")
"""The steps of a deployment, after each of which it may be interrupted."""

ALLOWED = "203.0.113.7/32"
"""Who may open the app: an address that belongs to nobody."""

CANNOT_SHOW: Mapping[str, str] = {
    "whether a role may do what it does": "the stand-in allows everything; the calls of the local "
    "end-to-end run are held against the roles instead",
    "tasks that really start on Fargate": "it only says RUNNING; the deployed images are run on "
    "this machine as their task definitions say",
    "health checks, Linux parameters and the platform in a task definition": "it forgets them; the "
    "template is checked, and held against docker-compose.yml",
    "targets that become healthy, and stickiness at work": "there is no load balancer behind its "
    "settings; the app is asked directly",
    "a roll-out that fails and is rolled back by the circuit breaker": "every roll-out succeeds",
    "scaling, its alarms and the budget": "it refuses the template of scaling; cfn-lint and our "
    "own checks read it",
    "HTTPS, sign-in at the load balancer and domain names": "nothing listens there; the template's "
    "rules are checked",
    "the immutability of tags, image scans and the expiry of images": "its registry takes any "
    "push; the program looks before it pushes",
    "a bucket that is full and therefore not deleted": "it deletes full buckets; that is tested on "
    "LocalStack",
    "how long CloudFormation, ECS and a push take, and what they cost": "it answers at once and "
    "for nothing",
}
"""What a stand-in cannot show, each with where it is shown instead or why nobody shows it."""

_PATIENCE = 300.0
_POLL_SECONDS = 0.02


class Unexpected(Permanent):
    """A rehearsal that went otherwise than it has to; says what was expected and found."""


@dataclass(frozen=True)
class Ended:
    """How a program ended: its exit code (negative for a signal) and all it said."""

    code: int
    said: str

    @property
    def last(self) -> str:
        """The end of what it said."""
        return "\n".join(self.said.strip().splitlines()[-25:]) or "(nothing)"


def check(facts: Collection[Fact]) -> None:
    """Raise `Unexpected` naming every fact that does not hold; so does a check of nothing."""
    if not facts:
        raise Unexpected("there was nothing to check")
    if wrong := [str(fact) for fact in facts if not fact.holds]:
        raise Unexpected("; ".join(wrong))


class Programs:
    """The programs behind the `-aws` targets, over a stand-in and with a folder of artifacts."""

    def __init__(self, running: StandIn, environ: Mapping[str, str], *, build: Path) -> None:
        home = {name: environ[name] for name in ("HOME", "DOCKER_HOST") if name in environ}
        self._environ = {
            **kept(environ),
            **home,
            **running.environ,
            "PYTHONUNBUFFERED": "1",
            "CONFIRM": "yes",
        }
        self._build = build

    def over(self, build: Path, web_url: str) -> "Programs":
        """The same with other artifacts, and with the app at `web_url`."""
        made = Programs.__new__(Programs)
        made._environ = {**self._environ, "WEB_URL": web_url}
        made._build = build
        return made

    def run(self, verb: str, stage: str, *arguments: str, **settings: str) -> Ended:
        """Run `scripts/<verb>.py` on `stage` to its end; `settings` go into its environment."""
        with self._begun(verb, stage, arguments, settings) as process:
            try:
                said, _ = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                raise Unexpected(f"{verb} did not end within {_PATIENCE:.0f} s") from None
        return Ended(process.returncode, said)
