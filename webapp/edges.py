"""Where the app meets the world: the process's one `Serving`, made once and handed to pages."""

from collections.abc import Mapping

from chartbuster.aws import s3_store
from webapp.serving import Serving
from webapp.settings import Settings

_provided: list[Serving] = []


def serving_from_env(env: Mapping[str, str]) -> Serving:
    """The `Serving` over the bucket `env` names; raises `Misconfigured` where it names none."""
    return Serving(s3_store(Settings.from_env(env).artifacts_bucket))


def provide(serving: Serving) -> None:
    """Let every page of this process use `serving`. Tests provide one over a store in memory."""
    _provided[:] = [serving]


def serving() -> Serving:
    """What was provided; raises `LookupError` when nothing was."""
    if not _provided:
        raise LookupError("no Serving was provided; start the app with `python -m webapp`")
    return _provided[0]
