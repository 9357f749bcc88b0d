"""What the app is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from chartbuster.errors import Misconfigured


@dataclass(frozen=True)
class Settings:
    """The bucket with runs and champions; where S3 is, the AWS SDK finds out by itself."""

    artifacts_bucket: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """The settings in `env`; raises `Misconfigured` naming what is missing."""
        bucket = env.get("ARTIFACTS_BUCKET", "").strip()
        if not bucket:
            raise Misconfigured(
                "ARTIFACTS_BUCKET is not set; expected the bucket with runs and champions, "
                "like 'chartbuster-local-000000000000-artifacts'"
            )
        return cls(bucket)
