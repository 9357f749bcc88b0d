"""Names that make repeating free: equal input gives equal identities, whoever computes them.

Nothing here reads the clock, the environment or the git revision, so the same song data under the
same code is the same upload, the same dataset version and the same run on every machine.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from chartbuster.errors import InvalidName

_DATASET = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NOT_INSTALLED = {"__pycache__", "Dockerfile"}
_RUN = re.compile(r"[a-z0-9]{1,64}")
_FILE = re.compile(r"[\w. ()+,&'!@~=-]{1,180}\.csv(\.gz)?", re.IGNORECASE)


def digest(body: bytes) -> str:
    """SHA-256 as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def upload_id(stored: bytes) -> str:
    """The identity of an upload: the digest of the bytes exactly as they are stored."""
    return digest(stored)


def dataset_version(upload_ids: Iterable[str]) -> str:
    """The identity of a dataset's content: the digest over its current upload ids, in any order."""
    return digest("\n".join(sorted(set(upload_ids))).encode())


def run_id(*, version: str, configuration: Mapping[str, Any], code: str, lock: str) -> str:
    """The identity of a training run, 16 hexadecimal digits.

    `version` is the dataset version, `code` the digest of the code that decides a model
    (`code_digest`) and `lock` the digest of the trainer's lock file.
    """
    parts = {"code": code, "configuration": configuration, "lock": lock, "version": version}
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest(canonical.encode())[:16]


def code_digest(*packages: str) -> str:
    """The digest over every file of `packages` as installed: no byte code, no Dockerfile.

    A wheel and the source tree it was built from give the same digest.
    """
    seen = hashlib.sha256()
    for package in sorted(packages):
        for path, body in _files_of(files(package), package):
            seen.update(f"{path}\0{digest(body)}\n".encode())
    return seen.hexdigest()


def _files_of(folder: Traversable, path: str) -> Iterable[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name in _NOT_INSTALLED:
            continue
        inner = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _files_of(entry, inner)
        else:
            yield inner, entry.read_bytes()


def normalised(text: str) -> str:
    """`text` as it is compared: compatibility forms, case and runs of white space made equal."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def checked_dataset(name: str) -> str:
    """`name` itself; raises `InvalidName` unless it can be a dataset's name."""
    if not _DATASET.fullmatch(name):
        raise InvalidName(
            f"dataset name {name!r}; expected 1 to 63 lower-case letters, digits or hyphens, "
            "beginning with a letter or digit, like 'spotify-2019'"
        )
    return name


def checked_run(name: str) -> str:
    """`name` itself; raises `InvalidName` unless it can be the id of a training run."""
    if not _RUN.fullmatch(name):
        raise InvalidName(
            f"run id {name[:80]!r}; expected lower-case letters and digits, like '4ce0ee90880944dc'"
        )
    return name


def checked_file(name: str) -> str:
    """`name` itself; raises `InvalidName` unless it can be an uploaded file's name."""
    if not _FILE.fullmatch(name):
        raise InvalidName(
            f"file name {name!r}; expected letters, digits, spaces and simple punctuation, "
            "ending in .csv or .csv.gz, like 'songs.csv'"
        )
    return name
