"""The app's log says why."""

import pytest

from chartbuster.errors import Unreachable
from tests.unit.test_webapp_serving import Moody
from webapp.serving import Serving


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
