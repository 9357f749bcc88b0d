"""The page Models in a real browser: promote, see it on Predict, and take it back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import Visit

type Open = Callable[..., Visit]
type AppIn = Callable[[str], str]


def models(app_in: AppIn, visit: Open, **window: object) -> Visit:
    """The page Models of the dataset demo."""
    seen = visit(f"{app_in('champion')}/models", **window)
    expect(seen.page.get_by_role("heading", name="How champions came and went")).to_be_visible()
    return seen


def decide(page: Page, opens: str, confirms: str, reason: str) -> None:
    page.get_by_role("button", name=opens).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=confirms).click()


def test_a_promotion_shows_on_predict_at_once_and_a_rollback_undoes_it(
    app_in: AppIn, visit: Open
) -> None:
    seen = models(app_in, visit)
    page = seen.page

    decide(page, "Promote…", "Promote", "heard it, likes it")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("status").filter(has_text="is the champion now")).to_be_visible()
    page.get_by_role("link", name="Predict").click()
    expect(page.get_by_role("radio", name="Gradient boosting champion")).to_be_checked()
    page.get_by_role("link", name="Models").click()
    decide(page, "Roll back…", "Roll back", "too kind to opera")
    expect(page.get_by_role("status").filter(has_text="Rolled back")).to_be_visible()
    newest = page.locator(".cb-history li").first
    expect(newest).to_contain_text("Returned to Linear (ridge)")
    expect(newest).to_contain_text("too kind to opera")
    assert seen.complaints == []


def test_a_reason_that_is_too_short_is_said_in_the_dialog_which_stays(
    app_in: AppIn, visit: Open
) -> None:
    page = models(app_in, visit).page

    decide(page, "Promote…", "Promote", "ok")

    dialog = page.get_by_role("dialog")
    refusal = page.get_by_role("alert").filter(has_text="3 to 300 characters")
    expect(refusal).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(refusal).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_scrolls_sideways_and_every_plot_is_drawn(
    app_in: AppIn, visit: Open, width: int
) -> None:
    page = models(app_in, visit, width=width).page
    page.get_by_text("Error by genre").click()
    expect(page.get_by_role("img", name="Mean absolute error by genre")).to_be_visible()

    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= width
    empty = page.locator("img.cb-picture").evaluate_all(
        "all => all.filter(i => i.complete && i.naturalWidth === 0).length"
    )
    assert empty == 0
