"""What the function is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from chartbuster.errors import Misconfigured


@dataclass(frozen=True)
class Settings:
    """`ready_bucket` is where prepared data goes; the raw bucket's name comes with each event."""

    ready_bucket: str

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Read from READY_BUCKET; raises `Misconfigured` when it is not set."""
        ready = environment.get("READY_BUCKET", "")
        if not ready:
            raise Misconfigured(
                "READY_BUCKET is not set; expected the name of the bucket prepared data goes to"
            )
        return cls(ready_bucket=ready)
