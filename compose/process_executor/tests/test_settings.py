from pathlib import Path

import pytest
from localstack_process_executor.settings import CannotRun, Settings, runtime_folder


def test_interpreters_are_read_by_version_and_empty_ones_are_unset() -> None:
    settings = Settings.from_env(
        {
            "PROCESS_EXECUTOR_PYTHON_3_13": "/a",
            "PROCESS_EXECUTOR_PYTHON_3_9": "/b",
            "PROCESS_EXECUTOR_PYTHON_3_12": "",
            "PROCESS_EXECUTOR_PYTHON": "/c",
        }
    )

    assert settings.pythons == {"3.13": "/a", "3.9": "/b"}


def test_an_unset_runtime_folder_says_what_to_set() -> None:
    with pytest.raises(CannotRun, match="PROCESS_EXECUTOR_RUNTIME_DIR is not set; make it with"):
        runtime_folder(Settings.from_env({}), "3.13")


def test_a_runtime_folder_without_awslambdaric_is_named(tmp_path: Path) -> None:
    settings = Settings.from_env({"PROCESS_EXECUTOR_RUNTIME_DIR": str(tmp_path)})

    with pytest.raises(CannotRun, match=f"DIR={tmp_path} has no awslambdaric in it"):
        runtime_folder(settings, "3.13")


def awslambdaric_in(folder: Path, compiled_for: str) -> Settings:
    (folder / "awslambdaric").mkdir(parents=True)
    (folder / f"runtime_client.cpython-{compiled_for}-x86_64-linux-gnu.so").touch()
    return Settings.from_env({"PROCESS_EXECUTOR_RUNTIME_DIR": str(folder)})


def test_a_runtime_folder_for_another_python_is_named(tmp_path: Path) -> None:
    settings = awslambdaric_in(tmp_path, compiled_for="312")

    with pytest.raises(CannotRun, match=r"has no awslambdaric for Python 3\.13; make it with"):
        runtime_folder(settings, "3.13")


def test_a_relative_runtime_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    awslambdaric_in(tmp_path / "here", compiled_for="313")
    monkeypatch.chdir(tmp_path)

    settings = Settings.from_env({"PROCESS_EXECUTOR_RUNTIME_DIR": "here"})

    assert runtime_folder(settings, "3.13") == tmp_path / "here"
