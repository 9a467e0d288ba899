"""The comparison in a browser: by keyboard alone, without JavaScript, its charts and pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, Request, expect
from pytest_django.live_server_helper import LiveServer

from experiments.models import TestRun
from tests.browser.keyboard import tab_to
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
Runs = tuple[TestRun, TestRun, TestRun]


@pytest.fixture
def runs() -> Runs:
    """Three models on three machines; two of them have scores."""
    first = make_run(model_name="Nimbus-14B", figures=FULL)
    second = make_run(model_name="Stratus-7B", figures=FASTER, gpu_model="NVIDIA GeForce RTX 3090")
    third = make_run(model_name="Cirrus-3B", figures=FULL, gpu_model="NVIDIA GeForce RTX 4080")
    make_score(variant=first.variant, benchmark="mmlu_pro", categories=CATEGORIES)
    make_score(variant=second.variant, benchmark="mmlu_pro", categories=CATEGORIES | {"law": 70.0})
    return first, second, third


@pytest.fixture
def plain_page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Open a page with JavaScript switched off."""
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def address(*runs: TestRun, extra: str = "") -> str:
    return "/compare/?" + "&".join(f"run={run.pk}" for run in runs) + extra


def press(page: Page, identity: str) -> None:
    """Walk to an element by the Tab key alone and press Enter on it."""
    tab_to(page, page.locator(f"#{identity}"))
    page.keyboard.press("Enter")


def expect_order(page: Page, *letters: str) -> None:
    """Wait until the runs stand in this order in the head of the first table."""
    table = page.get_by_role("region", name="Performance")
    expect(table.locator("thead .series")).to_have_text(list(letters))


def colours(page: Page, chart: str) -> dict[str, str]:
    """Return the colour of each trace of a chart by its letter, once it is drawn."""
    page.wait_for_selector(f"#{chart} .main-svg")
    found: dict[str, str] = page.evaluate(
        """id => Object.fromEntries(document.getElementById(id).data.map(
            trace => [trace.name[0], trace.marker.color]))""",
        chart,
    )
    return found


def test_comparison_is_walked_by_keyboard_alone(page: Page, runs: Runs) -> None:
    page.goto(address(*runs))
    press(page, "rows-differences")
    expect(page.locator("#rows-differences")).to_have_attribute("aria-current", "true")
    expect(page).to_have_url(address(*runs, extra="&only=differences"))
    expect(page.locator("#rows-differences")).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("Differences only")

    page.locator("h1").click()
    press(page, "pin-A")
    expect(page.get_by_role("region", name="Performance")).to_contain_text("+50 % ▲ better")
    expect(page.locator("#pin-A")).to_be_focused()
    expect(page.get_by_role("status").first).to_contain_text("Baseline is A")

    press(page, "swap-2")
    expect(page.locator("#swap-2")).to_be_focused()
    expect_order(page, "B", "A", "C")
    press(page, "remove-2")
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    expect(page.locator("#runs")).to_be_focused()
    expect_order(page, "B", "C")
    expect(page).to_have_url(address(runs[1], runs[2], extra="&letters=BC&only=differences"))

    page.go_back()
    expect(page.get_by_role("heading", name="3 runs")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")
    expect_order(page, "B", "A", "C")


def test_comparison_finds_and_adds_a_run_by_keyboard(page: Page, runs: Runs) -> None:
    page.goto(address(*runs[:2]))
    page.get_by_role("searchbox", name="Add a run").focus()
    page.keyboard.type("cirrus 4080")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Add Cirrus-3B")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Add a run")).to_be_focused()
    press(page, "add-1")
    expect(page.get_by_role("heading", name="3 runs")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing else is found")).to_be_visible()
    expect_order(page, "A", "B", "C")


def test_comparison_survives_back_forward_reload_and_copying(page: Page, runs: Runs) -> None:
    page.goto(address(*runs))
    page.get_by_role("link", name="Differences only").click()
    expect(page.locator("#rows-differences")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="Remove C").click()
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="3 runs")).to_be_visible()
    expect(page.locator("#rows-differences")).to_have_attribute("aria-current", "true")
    colours(page, "performance-chart")
    page.go_back()
    expect(page.locator("#rows-all")).to_have_attribute("aria-current", "true")
    for _ in range(2):
        page.go_forward()
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    expect(page.locator("#rows-differences")).to_have_attribute("aria-current", "true")
    page.get_by_role("button", name="Theme").click()  # the shell was not replaced
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    copied = page.context.new_page()
    copied.goto(page.url)
    for same in (page, copied):
        expect(same.get_by_role("heading", name="2 runs")).to_be_visible()
        expect(same.locator("#rows-differences")).to_have_attribute("aria-current", "true")
        expect_order(same, "A", "B")


def test_comparison_without_javascript(plain_page: Page, runs: Runs) -> None:
    page = plain_page
    page.goto(address(*runs[:2]))
    page.get_by_role("searchbox", name="Add a run").fill("cirrus")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Add Cirrus-3B").click()
    page.get_by_role("link", name="Differences only").click()
    expect(page.get_by_role("link", name="Differences only")).to_have_attribute(
        "aria-current", "true"
    )
    page.get_by_role("link", name="Pin A as baseline").click()
    expect(page.get_by_role("region", name="Performance")).to_contain_text("▲ better")
    page.get_by_role("link", name="Swap B with A").click()
    expect_order(page, "B", "A", "C")
    page.get_by_role("link", name="Remove A").click()
    expect_order(page, "B", "C")
    expect(page.get_by_text("The chart needs JavaScript").first).to_be_visible()
    expect(page.get_by_role("button", name="PNG")).to_have_count(0)


def test_colours_stay_with_their_runs(page: Page, runs: Runs) -> None:
    page.goto(address(*runs))
    before = colours(page, "performance-chart")
    assert set(before) == {"A", "B", "C"}
    assert colours(page, "quality-chart") == before
    page.get_by_role("link", name="Swap B with A").click()
    expect(page.locator("thead .series").first).to_have_text("B")
    assert colours(page, "performance-chart") == before
    page.get_by_role("link", name="Remove A").click()
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    left = {letter: colour for letter, colour in before.items() if letter != "A"}
    assert colours(page, "performance-chart") == left
    mark = page.locator(".series--2 .series__mark").first
    assert mark.evaluate("mark => getComputedStyle(mark).backgroundColor") == before["B"]


def test_chart_library_is_fetched_once_and_only_where_a_chart_is(page: Page, runs: Runs) -> None:
    fetched: list[str] = []

    def note(request: Request) -> None:
        if "plotly" in request.url:
            fetched.append(request.url)

    page.on("request", note)
    page.goto("/")
    page.goto(f"/detail/{runs[2].pk}/")
    page.wait_for_load_state("networkidle")
    assert fetched == []
    page.goto(address(*runs))
    colours(page, "performance-chart")
    colours(page, "quality-chart")
    page.get_by_role("link", name="Differences only").click()
    expect(page.locator("#rows-differences")).to_have_attribute("aria-current", "true")
    colours(page, "performance-chart")
    assert len(fetched) == 1


@pytest.mark.parametrize(("name", "start"), [("PNG", b"\x89PNG"), ("SVG", b"<svg")])
def test_chart_is_saved_as_a_picture(
    page: Page, runs: Runs, tmp_path: Path, name: str, start: bytes
) -> None:
    page.goto(address(*runs))
    colours(page, "quality-chart")
    with page.expect_download() as download:
        page.get_by_role("button", name=f"{name} picture: MMLU-Pro by category").click()
    picture = tmp_path / download.value.suggested_filename
    download.value.save_as(picture)
    assert picture.name == f"comparison-mmlu_pro.{name.lower()}"
    content = picture.read_bytes()
    assert content.startswith(start)
    if name == "SVG":
        assert "MMLU-Pro by category" in content.decode()
        assert "Stratus-7B" in content.decode()


def test_chart_is_read_by_keyboard(page: Page, runs: Runs) -> None:
    page.goto(address(*runs))
    colours(page, "quality-chart")
    chart = page.locator("#quality-chart")
    chart.focus()
    told = page.locator("figure", has=chart).get_by_role("status")
    page.keyboard.press("ArrowRight")
    expect(told).to_have_text("A: Nimbus-14B: art: 30.0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(told).to_have_text("B: Stratus-7B: law: 70.0")
    expect(chart.locator(".hoverlayer")).to_contain_text("law: 70.0")
    page.keyboard.press("ArrowDown")
    expect(told).to_have_text("C: Cirrus-3B: law: not known")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("extra", ["", "&only=differences&baseline={0}&find=nimbus"])
def test_comparison_is_accessible_with_charts_drawn(
    page: Page, runs: Runs, extra: str, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(address(*runs, extra=extra.format(runs[0].pk)))
    colours(page, "quality-chart")
    colours(page, "performance-chart")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_run_detail_is_accessible_with_its_chart_drawn(page: Page, runs: Runs, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(f"/detail/{runs[0].pk}/")
    page.locator("figure").scroll_into_view_if_needed()
    page.wait_for_selector("figure .main-svg")
    page.evaluate("document.querySelectorAll('details').forEach(item => { item.open = true; })")
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    """Return what axe finds, of any impact."""
    found = Axe().run(page).response["violations"]
    return [f"{item['id']}: {item['nodes'][0]['html']}" for item in found]


@pytest.mark.parametrize("width", [390, 1280])
def test_eight_runs_stand_side_by_side(page: Page, width: int) -> None:
    runs = [
        make_run(model_name="A-Model-Of-A-Rather-Long-Name", gpu_model=f"Unheard-of {number}")
        for number in range(8)
    ]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address(*runs))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    table = page.get_by_role("region", name="Performance")
    table.scroll_into_view_if_needed()
    first = table.locator("tbody th").first
    before = first.bounding_box()
    table.evaluate("region => { region.scrollLeft = region.scrollWidth; }")
    expect(table.locator("thead th").nth(8)).to_be_in_viewport()
    assert first.bounding_box() == before
    cut_off = table.locator("thead th").evaluate_all(
        "heads => heads.filter(head => head.scrollWidth > head.clientWidth).length"
    )
    assert cut_off == 0
