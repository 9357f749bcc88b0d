"""Which uploads a dataset consists of now, and their prepared tables."""

from dataclasses import dataclass

from chartbuster import layout
from chartbuster.identity import dataset_version
from chartbuster.layout import ReadyKey
from chartbuster.pointers import file_of, pointer_of
from chartbuster.ports import ObjectStore


@dataclass(frozen=True)
class Dataset:
    """A dataset as it is now: one prepared upload per file, in the order of the files' names."""

    name: str
    uploads: tuple[ReadyKey, ...]

    @property
    def version(self) -> str:
        """The identity of its content."""
        return dataset_version(key.upload for key in self.uploads)


def current_dataset(ready: ObjectStore, name: str) -> Dataset:
    """The dataset `name` as its `current.json` files say; raises `Corrupt`.

    A refused upload does not count, and neither does one whose prepared table is not there yet:
    its own message is still to come.
    """
    found = []
    for item in list(ready.list(layout.dataset_prefix(name))):
        raw = file_of(item.key)
        if raw is None:
            continue
        key = pointer_of(raw, ready.read(item.key).body).ready
        if key is not None and ready.etag(str(key)) is not None:
            found.append(key)
    return Dataset(name, tuple(sorted(found, key=str)))
