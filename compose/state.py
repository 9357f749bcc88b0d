"""The kept state on disk: one file per object of the three buckets, under readable names.

Every file is complete or not there: it is written beside its place, made durable, and moved in.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from chartbuster.errors import InvalidName, Permanent, TryAgain
from compose.layout import BUCKETS
from compose.mirror import Place, path_of, place_of

FORMAT = 1


class StateUnusable(Permanent):
    """The kept state cannot be read as it is; nothing was changed."""


class CannotKeep(TryAgain):
    """The disk did not take a file of the state: what is new since then is not kept."""


class StateFolder:
    """The objects kept under `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partial = folder / ".partial"
        self._about = folder / "about.json"

    def is_new(self) -> bool:
        """Whether no stack has kept anything here yet.

        Raises `StateUnusable` for a state that another version of ChartBuster wrote.
        """
        try:
            text = self._about.read_text(encoding="utf-8")
        except FileNotFoundError:
            return not any(self.places())
        except OSError as error:
            raise StateUnusable(f"cannot read {self._about}: {error.strerror}") from error
        try:
            found = json.loads(text)["format"]
        except (ValueError, KeyError, TypeError):
            found = text[:80]
        if found != FORMAT:
            raise StateUnusable(
                f"{self._about} says format {found!r}; this version keeps format {FORMAT}. Keep a "
                "copy of the folder if it matters, then `make reset`"
            )
        return False

    def begin(self) -> None:
        """Remember that this state has begun, so that an emptied one is not taken for a new one."""
        if not self._about.exists():
            self._store(self._about, json.dumps({"format": FORMAT}).encode())

    def places(self) -> Iterator[Place]:
        """Every object that is kept. A file that is none of ours is passed over."""
        for bucket in BUCKETS:
            for folder, _folders, names in (self._folder / bucket).walk():
                for name in names:
                    path = PurePosixPath((folder / name).relative_to(self._folder).as_posix())
                    with contextlib.suppress(InvalidName):
                        yield place_of(path)

    def read(self, place: Place) -> bytes:
        """The bytes of a kept object; raises `StateUnusable` when the disk does not give them."""
        try:
            return self._file(place).read_bytes()
        except OSError as error:
            raise StateUnusable(
                f"cannot read the kept object {place} from {self._file(place)}: {error.strerror}"
            ) from error

    def keep(self, place: Place, body: bytes) -> None:
        """Keep `body` for the object, durably; raises `CannotKeep`. Equal bytes cost no write."""
        file = self._file(place)
        with contextlib.suppress(OSError):
            if file.stat().st_size == len(body) and file.read_bytes() == body:
                return
        self._store(file, body)

    def forget(self, place: Place) -> None:
        """Remove an object, and the folders it leaves empty."""
        file = self._file(place)
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise CannotKeep(f"cannot remove {file}: {error.strerror}") from error
        for folder in file.parents:
            if folder == self._folder / place.bucket:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def _file(self, place: Place) -> Path:
        return self._folder / path_of(place)

    def _store(self, file: Path, body: bytes) -> None:
        try:
            self._partial.mkdir(parents=True, exist_ok=True)
            file.parent.mkdir(parents=True, exist_ok=True)
            # One writer, so one name: what a crash left is written over.
            partial = self._partial / "object"
            with partial.open("wb") as output:
                output.write(body)
                output.flush()
                os.fsync(output.fileno())
            partial.replace(file)
            _make_durable(file.parent)
        except OSError as error:
            raise CannotKeep(f"cannot write {file}: {error.strerror}") from error


def _make_durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
