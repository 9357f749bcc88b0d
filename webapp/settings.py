"""What the app is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from chartbuster.errors import Misconfigured

_NAMES = {
    "RAW_BUCKET": "the bucket uploads go to, like 'chartbuster-local-000000000000-raw'",
    "READY_BUCKET": "the bucket of prepared data, like 'chartbuster-local-000000000000-ready'",
    "ARTIFACTS_BUCKET": "the bucket with runs and champions, like "
    "'chartbuster-local-000000000000-artifacts'",
}


@dataclass(frozen=True)
class Settings:
    """The three buckets; where S3 is, the AWS SDK finds out by itself."""

    raw_bucket: str
    ready_bucket: str
    artifacts_bucket: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The settings in `env`; raises `Misconfigured` naming everything that is missing."""
        given = {name: env.get(name, "").strip() for name in _NAMES}
        missing = [
            f"{name} is not set; expected {_NAMES[name]}" for name in _NAMES if not given[name]
        ]
        if missing:
            raise Misconfigured(". ".join(missing))
        return cls(given["RAW_BUCKET"], given["READY_BUCKET"], given["ARTIFACTS_BUCKET"])
