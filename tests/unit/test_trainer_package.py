"""What the installed trainer needs beside its code comes with it."""

from importlib.resources import files

from chartbuster.identity import digest
from trainer.train_model import lock_digest


def test_the_configuration_and_the_lock_are_part_of_the_package() -> None:
    assert "seed:" in files("trainer").joinpath("config.yaml").read_text(encoding="utf-8")
    assert lock_digest() == digest(files("trainer").joinpath("requirements.txt").read_bytes())


def test_the_lock_has_hashes_and_no_address() -> None:
    lock = files("trainer").joinpath("requirements.txt").read_text(encoding="utf-8")

    assert "--hash=sha256:" in lock
    assert "://" not in lock
    for package in ("scikit-learn==", "skops==", "pandas==", "pyarrow==", "boto3==", "pyyaml=="):
        assert package in lock
