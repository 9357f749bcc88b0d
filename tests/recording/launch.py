"""LocalStack as `compose/localstack/launch.py` starts it, with every AWS call written down.

Run by LocalStack's own Python, with its launcher's arguments; CALLS_FILE names the file. One line
of JSON a call: who made it by access key, the role whose credentials the key belongs to if it is
one of LocalStack's, and what was asked for and how it was answered. LocalStack's own calls between
its services are not among them.
"""

import importlib.util
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

LAUNCHER = Path(__file__).parents[2] / "compose" / "localstack" / "launch.py"
# What says who may do it: where, on what, and under which condition. No content is kept.
PARAMETERS = ("Bucket", "Key", "Prefix", "QueueUrl", "IfMatch", "IfNoneMatch", "CopySource")


class Calls:
    """A handler at the end of LocalStack's chain. Safe between threads."""

    def __init__(self, path: Path, access_key_of: Any) -> None:
        self._path = path
        self._access_key_of = access_key_of
        self._roles: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, _chain: Any, context: Any, response: Any) -> None:
        if context.operation is None:
            return
        if context.operation.name == "AssumeRole" and response.status_code == 200:
            # LocalStack takes a function's role in this way before it starts the function.
            credentials = context.service_response["Credentials"]
            with self._lock:
                self._roles[credentials["AccessKeyId"]] = context.service_request["RoleArn"]
        if context.is_internal_call:
            return
        key = self._access_key_of(context.request.headers) or ""
        asked = context.service_request or {}
        line = {
            "key": key,
            "role": self._roles.get(key, ""),
            "service": context.service.service_name,
            "operation": context.operation.name,
            "status": response.status_code,
            "parameters": {name: asked[name] for name in PARAMETERS if asked.get(name)},
        }
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def main() -> int:
    specification = importlib.util.spec_from_file_location("launch", LAUNCHER)
    if specification is None or specification.loader is None:
        raise FileNotFoundError(LAUNCHER)
    launch = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(launch)
    bind_to_hosts = vars(launch)["bind_to_hosts"]

    def bind_and_listen_in(server: Any) -> None:
        # The first moment at which LocalStack is imported, with the launcher's settings.
        from localstack.aws import handlers
        from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header

        bind_to_hosts(server)
        handlers.run_custom_response_handlers.append(
            Calls(Path(os.environ["CALLS_FILE"]), extract_access_key_id_from_auth_header)
        )

    vars(launch)["bind_to_hosts"] = bind_and_listen_in
    code: int = launch.main()
    return code


if __name__ == "__main__":
    sys.exit(main())
