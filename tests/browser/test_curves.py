"""Curves and heatmaps in a browser: read by the arrow keys, chosen without JavaScript."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from experiments.models import TestRun
from tests.experiments.sweeps import sent, served

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def runs(live_server: LiveServer) -> list[TestRun]:
    """Two sweeps of the same loads on two machines, one at two depths."""
    depths = [served(users, context_depth=depth) for depth in (0, 4096) for users in (1, 4)]
    other = [served(users, gpu_model="RTX 3090", sweep="b") for users in (1, 4)]
    return sent(*depths, *other)


def read(page: Page, chart: str, *keys: str) -> list[str]:
    """Press keys on a chart; return what it says after each."""
    page.wait_for_selector(f"#{chart} .main-svg")
    page.locator(f"#{chart}").focus()
    said = []
    for key in keys:
        page.keyboard.press(key)
        said.append(page.locator(f".chart:has(#{chart}) [data-point]").inner_text())
    return said


def test_charts_of_a_sweep_are_read_by_the_arrow_keys(page: Page, runs: list[TestRun]) -> None:
    page.goto(f"/detail/{runs[0].pk}/")
    page.locator("#curve-chart").scroll_into_view_if_needed()
    assert read(page, "curve-chart", "ArrowRight", "ArrowRight", "ArrowDown") == [
        "1 user: 100 tok/s; TTFT mean 11 ms",
        "4 users: 400 tok/s; TTFT mean 14 ms",
        "4 users: 400 tok/s; TTFT p50 13 ms",
    ]
    expect(page.locator("#curve-chart .hovertext")).to_contain_text("TTFT p50 13 ms")
    page.locator("#heatmap-chart").scroll_into_view_if_needed()
    assert read(page, "heatmap-chart", "ArrowRight", "ArrowDown", "ArrowRight") == [
        "1 user, 4,096 tokens deep: 100 tok/s",
        "1 user, 0 tokens deep: 100 tok/s",
        "4 users, 0 tokens deep: 400 tok/s",
    ]
    expect(page.locator("#heatmap-chart .hovertext")).to_contain_text("4 users, 0 tokens deep")


def test_curves_of_a_comparison_are_read_by_the_arrow_keys(page: Page, runs: list[TestRun]) -> None:
    page.goto(f"/compare/{runs[0].pk}/{runs[4].pk}/")
    page.locator("#curves-chart").scroll_into_view_if_needed()
    assert read(page, "curves-chart", "ArrowRight", "ArrowDown") == [
        "A: 1 user: 100 tok/s; TTFT mean 11 ms",
        "B: 1 user: 100 tok/s; TTFT mean 11 ms",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_with_curves_have_no_accessibility_violation(
    page: Page, runs: list[TestRun], theme: str
) -> None:
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    for address in (f"/detail/{runs[0].pk}/", f"/compare/{runs[0].pk}/{runs[4].pk}/"):
        page.goto(address)
        page.locator(".chart__plot").first.scroll_into_view_if_needed()
        page.wait_for_selector(".main-svg")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_the_latency_is_chosen_without_javascript(
    browser: Browser, live_server: LiveServer, runs: list[TestRun]
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"/detail/{runs[0].pk}/")
    page.get_by_role("navigation", name="Latency of the curve").get_by_text("TPOT").click()
    expect(page).to_have_url(f"/detail/{runs[0].pk}/?latency=tpot_ms#curve")
    expect(page.get_by_role("columnheader", name="TPOT mean, ms")).to_be_visible()
    context.close()
