from pathlib import Path

from localstack_process_executor.environment import function_environment


def environment(**computed: object) -> dict[str, str]:
    return function_environment(
        computed,
        runtime="python3.13",
        code=Path("/code"),
        runtime_dir=Path("/runtime"),
        interpreter=Path("/python/bin/python3.13"),
        private=Path("/private"),
        runtime_api="127.0.0.1:4000",
    )


def test_it_holds_the_least_and_nothing_of_ours() -> None:
    assert environment() == {
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:4000",
        "HOME": "/private",
        "LAMBDA_RUNTIME_DIR": "/runtime",
        "LAMBDA_TASK_ROOT": "/code",
        "LANG": "C.UTF-8",
        "PATH": "/python/bin:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": "/code:/runtime",
        "TMPDIR": "/private",
    }


def test_what_localstack_computed_is_there_as_text() -> None:
    env = environment(AWS_LAMBDA_FUNCTION_TIMEOUT=60, BUCKET="ready")

    assert env["AWS_LAMBDA_FUNCTION_TIMEOUT"] == "60"
    assert env["BUCKET"] == "ready"


def test_orders_to_the_container_program_are_left_out() -> None:
    env = environment(LOCALSTACK_USER="root", LOCALSTACK_RUNTIME_ID="x", LOCALSTACK_HOSTNAME="h")

    assert "LOCALSTACK_USER" not in env
    assert "LOCALSTACK_RUNTIME_ID" not in env
    assert env["LOCALSTACK_HOSTNAME"] == "h"


def test_a_function_may_choose_its_language_and_add_to_its_python_path() -> None:
    env = environment(LANG="de_DE.UTF-8", PYTHONPATH="/code/vendored")

    assert env["LANG"] == "de_DE.UTF-8"
    assert env["PYTHONPATH"] == "/code:/runtime:/code/vendored"


def test_a_function_cannot_change_what_belongs_to_the_platform() -> None:
    env = environment(AWS_LAMBDA_RUNTIME_API="elsewhere", LAMBDA_TASK_ROOT="/var/task")

    assert env["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:4000"
    assert env["LAMBDA_TASK_ROOT"] == "/code"
