"""What the executor is told by LocalStack's environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

RUNTIME_DIR = "PROCESS_EXECUTOR_RUNTIME_DIR"
_PYTHON = re.compile(r"PROCESS_EXECUTOR_PYTHON_(\d+)_(\d+)")


class CannotRun(Exception):
    """This machine is not set up for the function; the message says what to set."""


@dataclass(frozen=True)
class Settings:
    """The folder with awslambdaric, and the interpreters named by hand ("3.13" -> its path)."""

    runtime_dir: str
    pythons: Mapping[str, str]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings; an unset one stays empty and fails only what needs it."""
        pythons = {
            f"{named[1]}.{named[2]}": value
            for name, value in env.items()
            if value and (named := _PYTHON.fullmatch(name))
        }
        return cls(runtime_dir=env.get(RUNTIME_DIR, ""), pythons=pythons)


def runtime_folder(settings: Settings, version: str) -> Path:
    """The folder that holds awslambdaric for this "3.13"; raises CannotRun when there is none."""
    how = (
        f"make it with `uv pip install --python {version} --target FOLDER -r runtime.txt` "
        f"(awslambdaric and boto3) and set {RUNTIME_DIR}=FOLDER for LocalStack"
    )
    if not settings.runtime_dir:
        raise CannotRun(f"no runtime folder for Lambda functions: {RUNTIME_DIR} is not set; {how}")
    folder = Path(settings.runtime_dir).absolute()
    if not (folder / "awslambdaric").is_dir():
        raise CannotRun(f"{RUNTIME_DIR}={settings.runtime_dir} has no awslambdaric in it; {how}")
    # Its compiled part, without which awslambdaric is there and does not work.
    if not any(folder.glob(f"runtime_client.cpython-{version.replace('.', '')}-*.so")):
        raise CannotRun(
            f"{RUNTIME_DIR}={settings.runtime_dir} has no awslambdaric for Python {version}; {how}"
        )
    return folder
