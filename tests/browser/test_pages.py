"""The pages in a browser: charts drawn, htmx and plain HTML doing the same, themes."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from experiments.models import TestRun
from tests.factories import make_run, make_score

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FULL = {
    "tokens_per_second": (60.0, "tok/s", "decode"),
    "prompt_processing_speed": (1800.0, "tok/s", "prefill"),
    "ttft_ms": (120.0, "ms", "client"),
    "memory_usage_gb": (11.0, "GB", None),
}
FASTER = FULL | {"tokens_per_second": (90.0, "tok/s", "decode")}
CATEGORIES = {"art": 30.0, "history": 63.0, "law": 41.0, "physics": 52.0}


@pytest.fixture
def runs() -> tuple[TestRun, TestRun]:
    """Two models on two machines; the second one's score lacks a category."""
    first = make_run(model_name="Nimbus-14B", figures=FULL)
    second = make_run(model_name="Stratus-7B", figures=FASTER, gpu_model="NVIDIA GeForce RTX 3090")
    make_run(model_name="Nimbus-14B", gpu_model="NVIDIA GeForce RTX 3090", figures=FULL)
    make_score(variant=first.variant, benchmark="mmlu_pro", categories=CATEGORIES)
    without_law = {name: score for name, score in CATEGORIES.items() if name != "law"}
    make_score(variant=second.variant, benchmark="mmlu_pro", categories=without_law)
    return first, second


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def visitor(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer
) -> Iterator[Page]:
    """A visitor with JavaScript, and one without."""
    context = browser.new_context(base_url=live_server.url, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def traces(page: Page, chart: str) -> list[dict[str, Any]]:
    """Return what Plotly drew into a chart, once it has drawn it."""
    page.wait_for_selector(f"#{chart} .main-svg")
    drawn: list[dict[str, Any]] = page.evaluate(
        "id => document.getElementById(id).data.map(({type, theta, r}) => ({type, theta, r}))",
        chart,
    )
    return drawn


def test_comparison_draws_radars_in_which_a_gap_is_null(
    page: Page, runs: tuple[TestRun, TestRun]
) -> None:
    page.goto(f"/compare/{runs[0].pk}/{runs[1].pk}/")
    first, second = traces(page, "quality-chart")
    assert first["type"] == "scatterpolar"
    assert first["r"] == [30, 63, 41, 52, 30]
    assert second["r"] == [30, 63, None, 52, 30]
    speed = traces(page, "performance-chart")
    assert len(speed) == 2
    assert max(speed[1]["r"]) == 100


def test_charts_follow_the_theme(page: Page, runs: tuple[TestRun, TestRun]) -> None:
    page.goto(f"/compare/{runs[0].pk}/{runs[1].pk}/")
    traces(page, "quality-chart")
    colour = "document.getElementById('quality-chart').layout.font.color"
    button = page.get_by_role("button", name="Theme")
    button.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    light = page.evaluate(colour)
    button.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(colour) != light
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_from_grid_to_comparison_to_run(visitor: Page, runs: tuple[TestRun, TestRun]) -> None:
    visitor.goto("/")
    visitor.get_by_role("checkbox", name="Compare Nimbus-14B").check()
    visitor.get_by_label("Search").fill("stratus")
    visitor.get_by_label("Search").press("Enter")
    expect(visitor.locator("tbody")).to_have_count(1)
    expect(visitor.get_by_text("1 ticked", exact=True)).to_be_visible()
    visitor.get_by_role("checkbox", name="Compare Stratus-7B").check()
    compare = visitor.get_by_role("link", name="Compare 2 configurations")
    compare.or_(visitor.get_by_role("button", name="Compare what is ticked")).click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Comparison")
    expect(visitor.get_by_role("region", name="Performance")).to_contain_text("▲ better")
    visitor.get_by_role("link", name="Nimbus-14B").first.click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Nimbus-14B")


def test_pages_never_scroll_sideways(page: Page, runs: tuple[TestRun, TestRun]) -> None:
    first, second = (run.pk for run in runs)
    places = ("/", f"/detail/{first}/", f"/compare/{first}/{second}/", "/metrics/", "/nothing/")
    for width in (390, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for place in places:
            page.goto(place)
            assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), place


def test_theme_is_there_before_the_first_paint_and_the_same_everywhere(
    page: Page, runs: tuple[TestRun, TestRun]
) -> None:
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page.emulate_media(color_scheme="light")
    page.goto("/")
    light = page.evaluate(background)
    button = page.get_by_role("button", name="Theme: system")
    button.click()
    page.get_by_role("button", name="Theme: light").click()
    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    dark = page.evaluate(background)
    assert dark != light
    # Once the head is read, before there is a body to be painted.
    page.add_init_script(
        """new MutationObserver((_changes, observer) => {
          if (!document.body) return;
          window.themeAtBody = document.documentElement.dataset.theme;
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true });"""
    )
    for place in ("/metrics/", "/admin/login/"):
        page.goto(place)
        assert page.evaluate("window.themeAtBody") == "dark"
        expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    page.get_by_role("button", name="Theme: dark").click()
    page.goto("/")
    assert page.evaluate(background) == light


def test_theme_follows_the_system_without_javascript(
    browser: Browser, live_server: LiveServer
) -> None:
    with browser.new_context(
        base_url=live_server.url, java_script_enabled=False, color_scheme="dark"
    ) as context:
        page = context.new_page()
        page.goto("/metrics/")
        expect(page.get_by_role("button", name="Theme")).to_have_count(0)
        expect(page.locator("body")).to_have_css("color", "rgb(230, 233, 239)")
