"""Log lines are JSON, one each, with the event and its fields."""

import json
import logging
import sys

from chartbuster.logs import JsonLines


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
