"""Where every object lives: the only module that knows how keys are spelt.

raw        datasets/<dataset>/<file>
ready      datasets/<dataset>/<file>/current.json
           datasets/<dataset>/<file>/<upload id>/cleaned_data.csv, rejects.csv, report.json
           datasets/<dataset>/<file>/<upload id>/ready_data.csv
artifacts  runs/<run id>/manifest.json, runs/<run id>/<attempt>/card.html, and the run's other files
           champions/<dataset>.json, active.json, progress/<dataset>.json
           drift/<dataset>/<dataset version>.json
"""

from dataclasses import dataclass

from chartbuster.errors import InvalidName
from chartbuster.identity import checked_dataset, checked_file

CLEANED = "cleaned_data.csv"
REJECTS = "rejects.csv"
REPORT = "report.json"
READY = "ready_data.csv"

CARD = "card.html"
"""The model card's name among a run's files."""

SONGS = "songs.parquet"
"""The song catalogue's name among a run's files."""

SCHEMA_VERSION = 2
"""Of ready data: changes whenever a fixed column of `features` changes name, place or meaning."""

ACTIVE = "active.json"
CHAMPIONS = "champions/"
DATASETS = "datasets/"
DRIFT = "drift/"
PROGRESS = "progress/"
RUNS = "runs/"


@dataclass(frozen=True)
class RawKey:
    """One uploaded file of a dataset: `datasets/<dataset>/<file>` in the raw bucket."""

    dataset: str
    file: str

    def __str__(self) -> str:
        return f"{DATASETS}{self.dataset}/{self.file}"

    @classmethod
    def parse(cls, key: str) -> "RawKey":
        """The key `str()` gave; raises `InvalidName` with what a key should look like."""
        match key.split("/"):
            case ["datasets", dataset, file]:
                return cls(checked_dataset(dataset), checked_file(file))
        raise InvalidName(f"object key {key!r}; expected datasets/<dataset>/<file>.csv[.gz]")

    @property
    def current(self) -> str:
        """The key, in the ready bucket, of the pointer to the upload this raw key holds now."""
        return f"{self}/current.json"

    def prepared(self, upload: str, name: str) -> str:
        """The key, in the ready bucket, of the file `name` prepared from the upload `upload`."""
        return f"{self}/{upload}/{name}"


@dataclass(frozen=True)
class ReadyKey:
    """One prepared upload: `datasets/<dataset>/<file>/<upload id>/ready_data.csv`."""

    raw: RawKey
    upload: str

    def __str__(self) -> str:
        return self.raw.prepared(self.upload, READY)

    @classmethod
    def parse(cls, key: str) -> "ReadyKey":
        """The key `str()` gave; raises `InvalidName` with what a key should look like."""
        match key.split("/"):
            case ["datasets", dataset, file, upload, "ready_data.csv"]:
                return cls(RawKey(checked_dataset(dataset), checked_file(file)), upload)
        raise InvalidName(
            f"object key {key!r}; expected datasets/<dataset>/<file>/<upload id>/{READY}"
        )


def dataset_prefix(dataset: str) -> str:
    """Where all files of a dataset begin, in the raw and in the ready bucket."""
    return f"{DATASETS}{checked_dataset(dataset)}/"


def run_manifest(run: str) -> str:
    """The key of a run's manifest; nothing of a run counts before it is there."""
    return f"{RUNS}{run}/manifest.json"


def attempt_prefix(run: str, attempt: str) -> str:
    """Where the files of one attempt at a run begin."""
    return f"{RUNS}{run}/{attempt}/"


def champion(dataset: str) -> str:
    """The key of a dataset's champion pointer."""
    return f"{CHAMPIONS}{checked_dataset(dataset)}.json"


def progress(dataset: str) -> str:
    """The key of the note saying how far the latest training run of a dataset has come."""
    return f"{PROGRESS}{checked_dataset(dataset)}.json"


def drift_prefix(dataset: str) -> str:
    """Where the drift reports of a dataset begin."""
    return f"{DRIFT}{checked_dataset(dataset)}/"


def drift_report(dataset: str, version: str) -> str:
    """The key of how one version of a dataset differs from its champion's songs."""
    return f"{drift_prefix(dataset)}{version}.json"
