"""What the trainer is told by its environment, checked all at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from chartbuster.errors import Misconfigured


@dataclass(frozen=True)
class Buckets:
    """The two buckets of the trainer; all a single run needs."""

    ready: str
    artifacts: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The buckets named by `env`; raises `Misconfigured` naming every missing variable."""
        ready, artifacts = _required(env, ("READY_BUCKET", "ARTIFACTS_BUCKET"))
        return cls(ready, artifacts)


@dataclass(frozen=True)
class Settings:
    """What the worker needs: `visibility` in seconds, `jobs` models fitted at a time.

    `agent` is where the container's ECS agent listens; empty where there is none.
    """

    buckets: Buckets
    queue_url: str
    dead_letter_queue_url: str
    visibility: int
    jobs: int
    agent: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The settings in `env`; raises `Misconfigured` naming every missing variable at once."""
        ready, artifacts, queue, dead_letters = _required(
            env,
            (
                "READY_BUCKET",
                "ARTIFACTS_BUCKET",
                "TRAIN_QUEUE_URL",
                "TRAIN_DEAD_LETTER_QUEUE_URL",
            ),
        )
        return cls(
            buckets=Buckets(ready, artifacts),
            queue_url=queue,
            dead_letter_queue_url=dead_letters,
            visibility=_whole(env, "TRAINER_VISIBILITY_SECONDS", default=30, low=6, high=43_200),
            jobs=jobs_from(env),
            agent=env.get("ECS_AGENT_URI", ""),
        )


def jobs_from(env: Mapping[str, str]) -> int:
    """How many models a run fits at a time, each on one thread; the models do not depend on it."""
    return _whole(env, "TRAINER_JOBS", default=2, low=1, high=256)


def _required(env: Mapping[str, str], names: tuple[str, ...]) -> list[str]:
    missing = [name for name in names if not env.get(name)]
    if missing:
        raise Misconfigured(f"the environment lacks {', '.join(missing)}; set every one")
    return [env[name] for name in names]


def _whole(env: Mapping[str, str], name: str, *, default: int, low: int, high: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise Misconfigured(f"{name} is {text!r}; expected a whole number from {low} to {high}")
    return int(text)
