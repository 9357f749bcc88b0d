"""What a function meets when LocalStack runs it as a process."""

import shutil
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from running_localstack import LocalStack, eventually, is_running

pytestmark = pytest.mark.integration

ANYTHING = """
    import os, signal, sys, time

    def handler(event, context):
        match event:
            case {"raise": text}:
                raise ValueError(text)
            case {"exit": code}:
                print("about to exit")
                os._exit(code)
            case {"signal": name}:
                os.kill(os.getpid(), getattr(signal, name))
            case {"sleep": seconds}:
                print("going to sleep")
                time.sleep(seconds)
            case {"allocate": mib}:
                held = [bytearray(b"x" * 1048576) for _ in range(mib)]
            case {"answer": size}:
                return "x" * size
            case {"print": text}:
                print(text, end="")
                print("on stderr", file=sys.stderr)
            case {"getenv": _}:
                return dict(os.environ)
        return {"pid": os.getpid(), "request_id": context.aws_request_id}
"""


@pytest.fixture(scope="module")
def anything(localstack: LocalStack) -> str:
    return localstack.create(ANYTHING)


def test_a_warm_process_is_used_again(localstack: LocalStack, anything: str) -> None:
    first = localstack.invoke(anything)
    second = localstack.invoke(anything)

    assert first.error is None
    assert second.payload["pid"] == first.payload["pid"]
    assert second.payload["request_id"] != first.payload["request_id"]
    assert "Init Duration" not in second.log


def test_a_warm_call_is_quick(localstack: LocalStack, anything: str) -> None:
    client = localstack.client("lambda")
    took = []
    for _ in range(21):
        begun = time.perf_counter()
        client.invoke(FunctionName=anything, Payload=b"{}")["Payload"].read()
        took.append(time.perf_counter() - begun)
    client.close()

    # About 0.015 s on an idle machine; 0.09 s with Nagle's algorithm in the way.
    assert statistics.median(took[1:]) < 0.06


def test_an_exception_reaches_the_caller_with_type_message_and_trace(
    localstack: LocalStack, anything: str
) -> None:
    answer = localstack.invoke(anything, {"raise": "a bad song"})

    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "ValueError"
    assert answer.payload["errorMessage"] == "a bad song"
    assert any("raise ValueError(text)" in line for line in answer.payload["stackTrace"])
    assert "[ERROR] ValueError: a bad song" in answer.log


def test_output_stands_between_start_and_end_and_a_report_follows(
    localstack: LocalStack, anything: str
) -> None:
    answer = localstack.invoke(anything, {"print": "a line without its end"})

    request_id = answer.payload["request_id"]
    lines = answer.log.splitlines()
    start = lines.index(f"START RequestId: {request_id} Version: $LATEST")
    end = lines.index(f"END RequestId: {request_id}")
    assert sorted(lines[start + 1 : end]) == ["a line without its endon stderr"]
    assert lines[end + 1].startswith(f"REPORT RequestId: {request_id}\tDuration: ")
    assert "\tMemory Size: 256 MB\tMax Memory Used: " in lines[end + 1]


def test_the_log_reaches_cloudwatch(localstack: LocalStack) -> None:
    name = localstack.create(ANYTHING)
    request_id = localstack.invoke(name, {"print": "kept\n"}).payload["request_id"]
    logs = localstack.client("logs")

    def messages() -> list[str]:
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"].rstrip("\n") for event in found]

    eventually(lambda: any(line.startswith("REPORT ") for line in messages()), within=10)
    written = messages()
    logs.close()
    assert f"START RequestId: {request_id} Version: $LATEST" in written
    assert "kept" in written
    assert f"END RequestId: {request_id}" in written


def test_an_import_error_is_the_answer_and_its_output_is_in_the_log(localstack: LocalStack) -> None:
    name = localstack.create(
        """
        print("before the import")
        import no_such_module
        """
    )

    for _ in range(2):  # each invocation tries the initialisation anew, as on AWS
        answer = localstack.invoke(name)
        assert answer.error == "Unhandled"
        assert answer.payload["errorType"] == "Runtime.ImportModuleError"
        assert "No module named 'no_such_module'" in answer.payload["errorMessage"]
        assert "before the import" in answer.log
        assert "REPORT RequestId: " in answer.log


def test_a_process_that_exits_while_it_initialises_is_reported_with_its_output(
    localstack: LocalStack,
) -> None:
    name = localstack.create('import os; print("giving up"); os._exit(4)')

    answer = localstack.invoke(name)

    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: exit status 4")
    assert "giving up" in answer.log


def test_a_function_over_its_time_is_ended_and_the_next_call_gets_a_new_process(
    localstack: LocalStack,
) -> None:
    name = localstack.create(ANYTHING, Timeout=1)
    before = localstack.invoke(name).payload["pid"]

    answer = localstack.invoke(name, {"sleep": 60})
    after = localstack.invoke(name)

    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "Sandbox.Timedout"
    assert answer.payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert "going to sleep" in answer.log
    assert "Status: timeout" in answer.log
    assert not is_running(before)
    assert after.error is None
    assert after.payload["pid"] != before


@pytest.mark.parametrize(
    ("event", "how"),
    [
        ({"exit": 3}, "exit status 3"),
        ({"exit": 0}, "Runtime exited without providing a reason"),
        ({"signal": "SIGSEGV"}, "signal: segmentation fault"),
    ],
)
def test_a_crash_is_named_and_the_next_call_works(
    localstack: LocalStack, anything: str, event: dict[str, object], how: str
) -> None:
    answer = localstack.invoke(anything, event)

    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "Runtime.ExitError"
    assert answer.payload["errorMessage"].endswith(how)
    assert "Error Type: Runtime.ExitError" in answer.log
    if "exit" in event:
        assert "about to exit" in answer.log
    assert localstack.invoke(anything).error is None


def test_a_function_over_its_memory_is_killed(localstack: LocalStack) -> None:
    name = localstack.create(ANYTHING, MemorySize=128)

    answer = localstack.invoke(name, {"allocate": 600})

    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "Runtime.OutOfMemory"
    assert answer.payload["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert localstack.invoke(name, {"allocate": 20}).error is None


def test_an_answer_over_six_mebibytes_is_refused(localstack: LocalStack, anything: str) -> None:
    largest = localstack.invoke(anything, {"answer": 6 * 1024 * 1024})
    too_large = localstack.invoke(anything, {"answer": 6 * 1024 * 1024 + 200})

    assert len(largest.payload) == 6 * 1024 * 1024
    assert too_large.error == "Unhandled"
    assert too_large.payload["errorType"] == "Function.ResponseSizeTooLarge"
    assert "(6291556 bytes)" in too_large.payload["errorMessage"]
    assert localstack.invoke(anything).error is None


def test_invocations_at_the_same_time_get_processes_of_their_own(
    localstack: LocalStack, anything: str
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: localstack.invoke(anything, {"sleep": 1.5}), range(4)))

    assert len({answer.payload["pid"] for answer in answers}) == 4


def test_an_idle_process_is_freed_with_its_folder(localstack: LocalStack) -> None:
    name = localstack.create(
        """
        import os, tempfile
        from pathlib import Path

        def handler(event, context):
            Path(tempfile.gettempdir(), "left").write_text("behind")
            return [os.getpid(), tempfile.gettempdir()]
        """
    )
    pid, private = localstack.invoke(name).payload
    assert is_running(pid)

    eventually(lambda: not is_running(pid), within=10)
    eventually(lambda: not Path(private).exists(), within=5)


def test_new_code_ends_the_old_process_and_runs_in_a_new_one(localstack: LocalStack) -> None:
    name = localstack.create(ANYTHING)
    old = localstack.invoke(name).payload["pid"]

    localstack.replace_code(name, "def handler(event, context): return 'new'")

    assert localstack.invoke(name).payload == "new"
    eventually(lambda: not is_running(old), within=5)


def test_the_environment_holds_nothing_of_the_emulators(localstack: LocalStack) -> None:
    name = localstack.create(ANYTHING, Environment={"Variables": {"BUCKET": "ready"}})

    env = localstack.invoke(name, {"getenv": True}).payload

    assert env["BUCKET"] == "ready"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert env["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{localstack.port}"
    assert env["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert not env["HOME"].endswith("of-the-caller")
    others = {
        other
        for other in env
        if not other.startswith(("AWS_", "_AWS_", "LAMBDA_", "LOCALSTACK_", "_X_AMZN_"))
    }
    assert others == {
        "BUCKET", "EDGE_PORT", "HOME", "LANG", "PATH", "PYTHONPATH", "TMPDIR", "TZ", "_HANDLER",
    }  # fmt: skip


def test_a_function_sees_boto3_but_no_package_of_the_emulator(localstack: LocalStack) -> None:
    name = localstack.create(
        """
        import importlib.util

        def handler(event, context):
            return [name for name in event if importlib.util.find_spec(name)]
        """
    )

    found = localstack.invoke(name, ["boto3", "localstack", "moto", "pip"]).payload

    assert found == ["boto3"]


def test_a_function_reaches_localstack_through_boto3(localstack: LocalStack) -> None:
    name = localstack.create(
        """
        import boto3

        def handler(event, context):
            boto3.client("s3").create_bucket(Bucket=event)
            return [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
        """
    )

    assert "made-by-a-function" in localstack.invoke(name, "made-by-a-function").payload


def test_a_missing_interpreter_is_named_in_the_answer_and_in_the_log(
    localstack: LocalStack,
) -> None:
    versions = ["3.12", "3.11", "3.10", "3.9"]
    missing = next(v for v in versions if not shutil.which(f"python{v}", path="/usr/bin:/bin"))
    name = localstack.create(ANYTHING, Runtime=f"python{missing}")

    answer = localstack.invoke(name)

    assert answer.error == "Unhandled"
    assert answer.payload["errorType"] == "Runtime.CannotRun"
    for said in (answer.payload["errorMessage"], answer.log):
        assert f"runtime 'python{missing}'" in said
        assert name in said
        assert f"PROCESS_EXECUTOR_PYTHON_{missing.replace('.', '_')}" in said
