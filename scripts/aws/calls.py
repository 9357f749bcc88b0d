"""Calls of AWS's services, with their errors told in ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from chartbuster.errors import Unreachable


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Raise `Unreachable` saying `what` was wanted, like "ask ECR for ...", when the block fails.

    A block that expects an answer of its own, like "there is none", catches `ClientError` inside.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(f"could not {what}: {error}") from error


def code_of(error: ClientError) -> str:
    """AWS's short name of what is wrong, like `RepositoryNotFoundException`."""
    return str(error.response.get("Error", {}).get("Code", ""))
