"""Walking through a page as people without a mouse do."""

import pytest
from playwright.sync_api import Locator, Page

MOST_TABS = 120


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus, and see that it shows."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            assert target.evaluate("element => element.matches(':focus-visible')")
            return
    pytest.fail(f"{target} was not reached by {MOST_TABS} presses of Tab")
