"""What axe, the accessibility checker, finds on every page: nothing that is ours."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe

from scripts.screenshots import PAGES
from tests.chromium import Visit

# Streamlit draws its uploader as a button that holds another, and nothing of ours can change that.
STREAMLITS_OWN = {"presentation-role-conflict"}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_of_ours(
    app_in: Callable[[str], str], visit: Callable[..., Visit], page: str, theme: str
) -> None:
    address = app_in("champion") if page == PAGES[0] else f"{app_in('champion')}/{page}"
    seen = visit(address, theme=theme)
    seen.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    seen.page.wait_for_timeout(1_000)

    found = Axe().run(seen.page).response["violations"]

    assert [
        (rule["id"], rule["help"], [node["html"][:160] for node in rule["nodes"]])
        for rule in found
        if rule["id"] not in STREAMLITS_OWN
    ] == []
