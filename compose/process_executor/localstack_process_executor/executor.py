"""LocalStack's side: turns its function versions and calls into a sandbox's."""

import logging
import os
import shutil
import tempfile
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import (
    LambdaRuntimeException,
    RuntimeExecutor,
)

from localstack_process_executor.child import Child
from localstack_process_executor.environment import function_environment
from localstack_process_executor.interpreters import interpreter_for
from localstack_process_executor.sandbox import Invocation, Limits, Sandbox, SandboxStopped
from localstack_process_executor.settings import CannotRun, Settings, runtime_folder

LOG = logging.getLogger(__name__)


class ProcessRuntimeExecutor(RuntimeExecutor):
    """Runs one environment of a function version as a child process of LocalStack."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002
        super().__init__(id=id, function_version=function_version)
        self._sandbox: Sandbox | None = None
        self._private = Path(tempfile.gettempdir()) / "process-executor" / id

    def start(self, env_vars: dict[str, str]) -> None:
        self._private.mkdir(parents=True, mode=0o700)
        wanted = self.function_version.config

        def launch(runtime_api: str) -> Child:
            # Read at every start: a setting put right needs no new environment.
            settings = Settings.from_env(os.environ)
            name = self.function_version.id.function_name
            found = interpreter_for(wanted.runtime or "", name, settings.pythons)
            runtime_dir = runtime_folder(settings, found.version)
            code = wanted.code.get_unzipped_code_location()
            env = function_environment(
                env_vars,
                runtime=wanted.runtime,
                code=code,
                runtime_dir=runtime_dir,
                interpreter=found.path,
                private=self._private,
                runtime_api=runtime_api,
            )
            # -S: no site-packages, neither LocalStack's nor those of the machine.
            command = [str(found.path), "-S", "-m", "awslambdaric", wanted.handler]
            return Child(command, env=env, cwd=code)

        self._sandbox = Sandbox(
            launch,
            version=self.function_version.id.qualifier,
            limits=Limits(
                timeout_seconds=wanted.timeout,
                memory_mib=wanted.memory_size,
                answer_bytes=config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES,
            ),
        )
        try:
            self._sandbox.start()
        except SandboxStopped as error:
            raise LambdaRuntimeException(str(error)) from error

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        if self._sandbox is None:
            raise LambdaRuntimeException(f"environment {self.id} was invoked before it was started")
        request_id = payload["invoke-id"]
        invocation = Invocation(
            request_id=request_id,
            arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
            payload=payload["payload"].encode(),
        )
        try:
            outcome = self._sandbox.invoke(invocation)
        except SandboxStopped as error:
            raise LambdaRuntimeException(str(error)) from error
        return InvocationResult(request_id, outcome.payload, outcome.is_error, outcome.log)

    def stop(self) -> None:
        if self._sandbox is not None:
            self._sandbox.stop()
        shutil.rmtree(self._private, ignore_errors=True)

    def get_logs(self) -> str:
        return self._sandbox.last_log if self._sandbox is not None else ""

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        host = str(config.GATEWAY_LISTEN[0].host)
        return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104

    def get_runtime_endpoint(self) -> str:
        # Part of the interface, and of no use here: it addresses the program that LocalStack's
        # container images start with.
        return f"http://{self.get_endpoint_from_executor()}:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code. What this machine lacks is told early, and again by each invocation."""
        wanted = function_version.config
        if wanted.code:
            wanted.code.prepare_for_execution()
        settings = Settings.from_env(os.environ)
        try:
            found = interpreter_for(
                wanted.runtime or "", function_version.id.function_name, settings.pythons
            )
            runtime_folder(settings, found.version)
        except CannotRun as error:
            LOG.warning("%s", error)

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing to do: LocalStack itself removes the unpacked code."""
