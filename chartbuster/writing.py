"""A file that is there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from chartbuster.errors import Misconfigured


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write into, which becomes `path` at the end; after any failure it is gone.

    It is made beside `path`, so a full disk or an interruption never leaves half a file under the
    name. What was at `path` before stays until then. Raises `Misconfigured` where no file can be
    made.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = partial.open("xb")
    except OSError as error:
        raise Misconfigured(
            f"OUT={str(path)!r} cannot be written ({error.strerror}); expected a file's name in a "
            "folder that is there"
        ) from error
    try:
        with file:
            yield file
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
