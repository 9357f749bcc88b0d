"""Whether LocalStack and the app answer, asked without an AWS SDK."""

import http.client
import json
from urllib.parse import urlsplit

_PATIENCE = 2.0


def localstack_is_healthy(endpoint: str) -> bool:
    """Whether LocalStack at `endpoint` answers and offers the services the stack needs."""
    body = _get(endpoint, "/_localstack/health")
    try:
        services = json.loads(body)["services"] if body else {}
    except (ValueError, KeyError, TypeError):
        return False
    needed = ("cloudformation", "lambda", "s3", "sqs")
    return all(services.get(name) in {"available", "running"} for name in needed)


def app_answers(url: str) -> bool:
    """Whether the app at `url` serves pages."""
    return _get(url, "/_stcore/health") is not None


def app_serves(url: str) -> bool:
    """Whether the app at `url` has a champion loaded and can predict."""
    return _get(url, "/ready") is not None


def _get(url: str, path: str) -> bytes | None:
    """The body of a 200 answer, or None for anything else."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if answer.status == 200 else None
