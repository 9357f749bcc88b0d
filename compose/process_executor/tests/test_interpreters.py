import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from localstack_process_executor.interpreters import (
    Interpreter,
    choose,
    own_interpreter,
    probe_program,
    python_version,
)
from localstack_process_executor.settings import CannotRun

OWN = Interpreter("3.13", Path("/emulator/python3.13"))


def chosen(
    runtime: str = "python3.12",
    *,
    configured: Mapping[str, str] | None = None,
    on_path: Mapping[str, str] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Interpreter:
    """`choose` on a machine with these programs on PATH; `versions` says what they really are."""

    def probe(path: str) -> Interpreter:
        if path not in (versions or {}):
            raise CannotRun("No such file")
        return Interpreter((versions or {})[path], Path(path))

    return choose(
        runtime,
        "create_data",
        configured=configured or {},
        own=OWN,
        find=(on_path or {}).get,
        probe=probe,
    )


def test_the_emulators_own_python_is_used_where_its_version_fits() -> None:
    assert (
        chosen("python3.13", on_path={"python3.13": "/bin/p"}, versions={"/bin/p": "3.13"}) == OWN
    )


def test_another_version_is_looked_for_on_path() -> None:
    found = chosen(on_path={"python3.12": "/bin/p"}, versions={"/bin/p": "3.12"})

    assert found == Interpreter("3.12", Path("/bin/p"))


def test_an_interpreter_set_by_hand_comes_before_all_others() -> None:
    found = chosen(
        "python3.13", configured={"3.13": "/mine/python"}, versions={"/mine/python": "3.13"}
    )

    assert found.path == Path("/mine/python")


def test_an_interpreter_set_by_hand_of_another_version_is_an_error() -> None:
    with pytest.raises(CannotRun, match=r"PROCESS_EXECUTOR_PYTHON_3_12=/p is Python 3\.11"):
        chosen(configured={"3.12": "/p"}, versions={"/p": "3.11"})


def test_an_interpreter_set_by_hand_that_does_not_start_is_an_error() -> None:
    with pytest.raises(CannotRun, match="PROCESS_EXECUTOR_PYTHON_3_12=/p does not start: No such"):
        chosen(configured={"3.12": "/p"})


@pytest.mark.parametrize(
    ("on_path", "versions", "reason"),
    [
        ({}, {}, "there is no python3.12 on LocalStack's PATH"),
        ({"python3.12": "/stub"}, {}, "/stub does not start: No such file"),
        ({"python3.12": "/stub"}, {"/stub": "3.10"}, "/stub is Python 3.10"),
    ],
)
def test_a_missing_interpreter_names_function_runtime_and_what_to_set(
    on_path: dict[str, str], versions: dict[str, str], reason: str
) -> None:
    with pytest.raises(CannotRun) as error:
        chosen(on_path=on_path, versions=versions)

    assert str(error.value) == (
        "function 'create_data' asks for the runtime 'python3.12', but LocalStack runs on "
        f"Python 3.13 and {reason}; set PROCESS_EXECUTOR_PYTHON_3_12 to the path of a Python 3.12"
    )


def test_a_runtime_that_is_not_python_is_refused() -> None:
    with pytest.raises(CannotRun, match=r"'nodejs22\.x'; the process executor runs python3\.N"):
        python_version("nodejs22.x", "create_data")


def test_a_program_is_asked_which_python_it_is() -> None:
    found = probe_program(sys.executable)

    assert found.version == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert found.path == Path(sys.executable).resolve()


def test_a_program_that_is_no_python_is_refused() -> None:
    with pytest.raises(CannotRun):
        probe_program("/bin/false")
    with pytest.raises(CannotRun, match="No such file"):
        probe_program("/nowhere/python")


def test_the_own_interpreter_is_the_one_outside_any_environment() -> None:
    assert own_interpreter().path == Path(sys.executable).resolve()
