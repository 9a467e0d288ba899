"""The pages in a browser: charts drawn, htmx and plain HTML doing the same, accessibility."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
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


@pytest.fixture
def plain_page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Open a page with JavaScript switched off."""
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
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


def test_grid_filters_in_place_and_keeps_the_address(
    page: Page, runs: tuple[TestRun, TestRun]
) -> None:
    page.goto("/")
    expect(page.locator("tbody")).to_have_count(2)
    page.get_by_label("Search").fill("stratus")
    expect(page.locator("tbody")).to_have_count(1)
    expect(page).to_have_url("/?q=stratus")
    expect(page.get_by_role("status")).to_contain_text("1 model found")
    page.go_back()
    expect(page.locator("tbody")).to_have_count(2)
    expect(page.get_by_role("heading", level=1)).to_have_text("Performance grid")


def test_grid_unfolds_sorts_and_compares(page: Page, runs: tuple[TestRun, TestRun]) -> None:
    page.goto("/")
    page.get_by_role("link", name="2 of 2 platforms qualify").click()
    expect(page.locator(".table__row--nested")).to_have_count(2)
    page.locator(f"#tick-{runs[0].pk}").check()
    expect(page.get_by_text("1 ticked", exact=True)).to_be_visible()
    page.get_by_role("link", name="Memory", exact=True).click()
    expect(page.get_by_role("columnheader", name="Memory")).to_have_attribute(
        "aria-sort", "ascending"
    )
    page.get_by_role("checkbox", name="Compare Stratus-7B").check()
    expect(page.get_by_text("2 ticked", exact=True)).to_be_visible()
    page.get_by_role("button", name="Compare selected").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")
    assert sorted(page.url.split("?")[1].split("&")) == sorted(f"run={run.pk}" for run in runs)


def test_grid_recovers_in_place_from_a_wrong_filter(
    page: Page, runs: tuple[TestRun, TestRun]
) -> None:
    page.goto("/?min_speed=-5")
    expect(page.get_by_text("Speed at least (tok/s): Ensure this value")).to_be_visible()
    page.get_by_label("Speed at least").fill("70")
    page.get_by_label("Speed at least").blur()
    expect(page.locator("tbody")).to_have_count(1)
    expect(page).to_have_url("/?min_speed=70")


def test_journey_without_javascript(plain_page: Page, runs: tuple[TestRun, TestRun]) -> None:
    page = plain_page
    page.goto("/")
    page.get_by_role("checkbox", name="Compare Nimbus-14B").check()
    page.get_by_label("Search").fill("stratus")
    page.get_by_role("button", name="Apply filters").click()
    expect(page.locator("tbody")).to_have_count(1)
    expect(page.get_by_text("1 ticked", exact=True)).to_be_visible()
    page.get_by_role("checkbox", name="Compare Stratus-7B").check()
    page.get_by_role("button", name="Compare selected").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")
    expect(page.get_by_role("region", name="Performance")).to_contain_text("▲ better")
    page.get_by_role("link", name="Nimbus-14B").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nimbus-14B")
    page.goto("/")
    page.get_by_role("link", name="2 of 2 platforms qualify").click()
    expect(page.locator(".table__row--nested")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", ["/", "/detail/{0}/", "/compare/{0}/{1}/"])
def test_pages_are_accessible(
    page: Page, runs: tuple[TestRun, TestRun], place: str, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(place.format(runs[0].pk, runs[1].pk))
    page.wait_for_load_state("networkidle")
    found = Axe().run(page).response["violations"]
    serious = [
        f"{item['id']}: {item['nodes'][0]['html']}"
        for item in found
        if item["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.parametrize("width", [390, 1920])
@pytest.mark.parametrize("place", ["/", "/detail/{0}/", "/compare/{0}/{1}/"])
def test_pages_never_scroll_sideways(
    page: Page, runs: tuple[TestRun, TestRun], place: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(place.format(runs[0].pk, runs[1].pk))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
