"""The environment variables of a function: what LocalStack computes for it, and the least else."""

from collections.abc import Mapping
from pathlib import Path

# Orders to the program that LocalStack's container images start with; there is none here.
FOR_THE_CONTAINER = frozenset(
    {
        "LOCALSTACK_FUNCTION_ACCOUNT_ID",
        "LOCALSTACK_INIT_LOG_LEVEL",
        "LOCALSTACK_MAX_PAYLOAD_SIZE",
        "LOCALSTACK_POST_INVOKE_WAIT_MS",
        "LOCALSTACK_RUNTIME_ENDPOINT",
        "LOCALSTACK_RUNTIME_ID",
        "LOCALSTACK_USER",
    }
)


def function_environment(
    computed: Mapping[str, object],
    *,
    runtime: str,
    code: Path,
    runtime_dir: Path,
    interpreter: Path,
    private: Path,
    runtime_api: str,
) -> dict[str, str]:
    """The whole environment of the child; nothing of LocalStack's own comes along.

    `computed` is what LocalStack computed, the function's own variables included. `private` is
    the folder of this one environment: its /tmp, and its home, so that no `~/.aws` of the
    person who runs LocalStack is found. `runtime_api` is "host:port".
    """
    least = {
        "HOME": str(private),
        "LANG": "C.UTF-8",
        "PATH": f"{interpreter.parent}:/usr/local/bin:/usr/bin:/bin",
        "TMPDIR": str(private),
    }
    given = {name: str(value) for name, value in computed.items() if name not in FOR_THE_CONTAINER}
    search = [str(code), str(runtime_dir), *filter(None, [given.get("PYTHONPATH")])]
    return {
        **least,
        **given,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_RUNTIME_DIR": str(runtime_dir),
        "LAMBDA_TASK_ROOT": str(code),
        "PYTHONPATH": ":".join(search),
    }
