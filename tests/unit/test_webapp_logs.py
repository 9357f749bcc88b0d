"""The app's log says why, in lines a program can read."""

import json
import logging
import sys

import pytest

from chartbuster.errors import Unreachable
from tests.unit.test_webapp_serving import Moody
from webapp.logs import JsonLines
from webapp.serving import Serving


def test_a_line_is_json_with_the_event_and_its_fields() -> None:
    record = logging.makeLogRecord({"msg": "model_refused", "levelname": "WARNING"})
    record.model = "boosting"

    line = json.loads(JsonLines().format(record))

    assert (line["event"], line["level"], line["model"]) == ("model_refused", "warning", "boosting")


def test_an_error_keeps_its_trace_in_the_log_on_one_line() -> None:
    try:
        raise ValueError("what went wrong")
    except ValueError:
        record = logging.makeLogRecord({"msg": "page_failed", "exc_info": sys.exc_info()})

    written = JsonLines().format(record)

    assert "what went wrong" in json.loads(written)["error"]
    assert "\n" not in written


def test_a_store_that_stays_away_is_logged_once_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Moody()
    store.failure = Unreachable("no answer from the bucket")
    serving = Serving(store)

    for _ in range(3):
        serving.refresh()

    (told,) = (r for r in caplog.records if r.getMessage() == "store_not_answering")
    assert told.why == "no answer from the bucket"  # type: ignore[attr-defined]
