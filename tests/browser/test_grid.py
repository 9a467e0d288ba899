"""The grid in a browser: by keyboard, without scripts, through history, and when requests fail."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from experiments.grid import row_key
from experiments.models import TestRun
from tests.browser.keyboard import tab_to
from tests.factories import make_run

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

NIMBUS, STRATUS, CUMULUS = "Nimbus-14B", "Stratus-7B", "Cumulus-3B"
OTHER_GPU = "NVIDIA GeForce RTX 3090"


def figures(speed: float, memory: float) -> dict[str, tuple[float, str, str | None]]:
    return {
        "tokens_per_second": (speed, "tok/s", "decode"),
        "memory_usage_gb": (memory, "GB", None),
    }


@pytest.fixture
def runs() -> dict[str, TestRun]:
    """Three models; the fastest was measured on two machines."""
    make_run(model_name=NIMBUS, figures=figures(40.0, 12.0), gpu_model=OTHER_GPU)
    return {
        NIMBUS: make_run(model_name=NIMBUS, figures=figures(90.0, 11.0)),
        STRATUS: make_run(model_name=STRATUS, figures=figures(60.0, 5.0), backend="vllm"),
        CUMULUS: make_run(model_name=CUMULUS, figures=figures(30.0, 3.0)),
    }


@pytest.fixture
def plain_page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Open a page with JavaScript switched off."""
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def models(page: Page) -> list[str]:
    """Return the models of the table from top to bottom."""
    return page.locator("tbody > tr:first-child > th > a:first-of-type").all_inner_texts()


def backend(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Backend")


def status(page: Page) -> Locator:
    return page.get_by_role("status")


def settled(page: Page, text: str) -> None:
    """Wait until the status region says something."""
    expect(status(page)).to_contain_text(text)


def test_grid_by_keyboard_alone(page: Page, runs: dict[str, TestRun]) -> None:
    page.goto("/")
    search = page.get_by_label("Search")
    tab_to(page, search)
    page.keyboard.type("us-")
    expect(page).to_have_url("/?q=us-")
    expect(search).to_be_focused()
    speed = page.get_by_label("Speed at least")
    tab_to(page, speed)
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    settled(page, "2 models found")
    expect(page).to_have_url("/?q=us-&min_speed=50")
    expect(speed).to_be_focused()
    expander = page.get_by_role("link", name="1 of 2 platforms qualify")
    tab_to(page, expander)
    page.keyboard.press("Enter")
    expect(page.locator(".table__row--nested")).to_have_count(1)
    expect(expander).to_be_focused()
    expect(expander).to_have_attribute("aria-expanded", "true")
    for number, name in enumerate((NIMBUS, STRATUS), start=1):
        tick = page.locator(f"#tick-{runs[name].pk}")
        tab_to(page, tick)
        page.keyboard.press("Space")
        settled(page, f"{number} configuration")
        expect(tick).to_be_focused()
    tab_to(page, page.get_by_role("link", name="Compare 2 configurations"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")


def test_grid_without_scripts_keeps_ticks_through_everything(
    plain_page: Page, runs: dict[str, TestRun]
) -> None:
    page = plain_page
    page.goto(f"/?page_size=2&max_memory_gb=90&expand={row_key(NIMBUS, '')}")
    expect(page.locator("button.expander").first).to_be_visible()
    assert page.locator(".with-script:visible").count() == 0
    page.goto("/?page_size=2")
    page.get_by_role("checkbox", name=f"Compare {NIMBUS}").check()
    page.get_by_role("button", name="Next").click()
    assert models(page) == [CUMULUS]
    expect(page.get_by_text("1 ticked", exact=True)).to_be_visible()
    page.get_by_role("checkbox", name=f"Compare {CUMULUS}").check()
    page.get_by_role("columnheader", name="Memory").get_by_role("button").click()
    assert models(page) == [CUMULUS, STRATUS]
    expect(page.get_by_text("2 ticked", exact=True)).to_be_visible()
    page.get_by_label("Search").fill(NIMBUS)
    page.get_by_role("button", name="Apply filters").click()
    page.get_by_role("button", name="2 of 2 platforms qualify").click()
    expect(page.locator(".table__row--nested")).to_have_count(2)
    expect(page.locator(f"#tick-{runs[NIMBUS].pk}")).to_be_checked()
    page.get_by_role("group", name="Ticked").get_by_role("checkbox").uncheck()
    page.get_by_role("checkbox", name=f"Compare {NIMBUS}, Q4_K_M, 1× RTX 3090").check()
    page.get_by_role("button", name=f"Remove filter search: {NIMBUS}").click()
    assert models(page) == [CUMULUS, STRATUS]
    expect(page.get_by_text("2 ticked", exact=True)).to_be_visible()
    page.get_by_role("button", name="concurrent users (0)").click()
    page.get_by_role("button", name="Clear all filters").first.click()
    page.get_by_role("button", name="Compare what is ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")
    expect(page.locator("main")).to_contain_text("1× RTX 3090")
    assert page.url.count("run=") == 2


def test_grid_without_scripts_shows_the_columns_chosen(
    plain_page: Page, runs: dict[str, TestRun]
) -> None:
    page = plain_page
    page.goto("/")
    page.get_by_text("Choose columns").click()
    page.get_by_role("checkbox", name="Quality", exact=True).uncheck()
    page.get_by_role("checkbox", name="GPU power").check()
    page.get_by_role("button", name="Show these columns").click()
    expect(page.get_by_role("columnheader", name="Quality")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="Power")).to_be_visible()


def test_grid_state_survives_back_forward_reload_and_copying(
    page: Page, runs: dict[str, TestRun]
) -> None:
    page.goto("/")
    page.get_by_label("Search").fill("us")
    expect(page).to_have_url("/?q=us")
    backend(page).select_option("vllm")
    settled(page, "1 model found")
    page.get_by_label("Speed at least").fill("70")
    page.get_by_label("Speed at least").press("Enter")
    settled(page, "0 models found")
    for _ in range(2):
        page.go_back()
    settled(page, "3 models found")
    expect(page).to_have_url("/?q=us")
    expect(page.get_by_label("Search")).to_have_value("us")
    expect(backend(page)).to_have_value("")
    expect(page.get_by_label("Speed at least")).to_have_value("")
    page.go_forward()
    settled(page, "1 model found")
    expect(backend(page)).to_have_value("vllm")
    page.get_by_role("button", name="Theme").click()  # the shell was not replaced
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("checkbox", name=f"Compare {STRATUS}").check()
    settled(page, "1 configuration ticked")
    page.reload()
    expect(page.get_by_role("checkbox", name=f"Compare {STRATUS}")).to_be_checked()
    copied = page.context.new_page()
    copied.goto(page.url)
    expect(copied.get_by_label("Search")).to_have_value("us")
    expect(copied.get_by_role("checkbox", name=f"Compare {STRATUS}")).to_be_checked()
    assert models(copied) == models(page) == [STRATUS]


def test_grid_goes_back_to_a_wrong_filter(page: Page, runs: dict[str, TestRun]) -> None:
    page.goto("/?backend=vllm&min_speed=x")
    expect(page.get_by_text("These filters cannot be read").last).to_be_visible()
    page.get_by_role("link", name="Clear all filters").click()
    assert len(models(page)) == 3
    page.get_by_label("Search").fill(NIMBUS)
    settled(page, "1 model found")
    for _ in range(2):
        page.go_back()
    expect(page.get_by_text("These filters cannot be read").last).to_be_visible()
    page.go_forward()
    settled(page, "3 models found")


def test_grid_recovers_in_place_from_a_wrong_filter(page: Page, runs: dict[str, TestRun]) -> None:
    page.goto(f"/?min_speed=-5&sort_by=name&run={runs[NIMBUS].pk}")
    expect(page.get_by_text("Speed at least (tok/s): This must be 0 or more.")).to_be_visible()
    speed = page.get_by_label("Speed at least")
    expect(speed).to_have_accessible_description("This must be 0 or more.")
    speed.fill("50")
    speed.blur()
    settled(page, "2 models found, sorted by model, A to Z. 1 configuration ticked.")
    expect(page).to_have_url(f"/?min_speed=50&sort_by=name&run={runs[NIMBUS].pk}")


def test_grid_chips_change_the_form_too(page: Page, runs: dict[str, TestRun]) -> None:
    page.goto("/?q=nimbus&min_speed=10&max_memory_gb=24&include_unknown=on&backend=llama.cpp")
    fields = {
        "min speed 10 tok/s": page.get_by_label("Speed at least"),
        "search: nimbus": page.get_by_label("Search"),
        "backend: llama.cpp": backend(page),
    }
    for text, field in fields.items():
        page.get_by_role("link", name=f"Remove filter {text}").click()
        expect(field).to_have_value("")
        expect(page.get_by_role("link", name="Clear all filters")).to_be_focused()
    expect(page).to_have_url("/?max_memory_gb=24&include_unknown=on")
    page.keyboard.press("Enter")
    settled(page, "3 models found")
    expect(page).to_have_url("/")
    expect(page.get_by_label("Memory at most")).to_have_value("")
    expect(page.get_by_label("or not known")).not_to_be_checked()
    expect(page.locator("#grid-table")).to_be_focused()


def test_grid_keeps_the_focus_while_paging_and_sorting(
    page: Page, runs: dict[str, TestRun]
) -> None:
    page.goto("/?page_size=2")
    page.get_by_role("link", name="Next").press("Enter")
    settled(page, "Page 2 of 2")
    expect(page.get_by_role("link", name="Previous")).to_be_focused()
    page.get_by_role("link", name="Memory", exact=True).press("Enter")
    settled(page, "sorted by memory used, lowest first. Page 1 of 2.")
    expect(page.get_by_role("link", name="Memory", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    settled(page, "highest first")
    assert models(page) == [NIMBUS, STRATUS]


def test_grid_unticks_from_the_bar(page: Page, runs: dict[str, TestRun]) -> None:
    page.goto(f"/?q={NIMBUS}&run={runs[STRATUS].pk}&run={runs[NIMBUS].pk}")
    page.get_by_role("link", name=f"Untick {STRATUS}").click()
    settled(page, "1 configuration ticked")
    expect(page.locator("#grid-selection")).to_be_focused()
    page.get_by_role("link", name=f"Untick {NIMBUS}").click()
    expect(page.get_by_role("checkbox", name=f"Compare {NIMBUS}")).not_to_be_checked()
    expect(page).to_have_url(f"/?q={NIMBUS}")


def test_grid_changes_columns_in_place(page: Page, runs: dict[str, TestRun]) -> None:
    page.goto("/?page_size=2&page=2")
    page.get_by_text("Choose columns").click()
    page.get_by_role("checkbox", name="Quality", exact=True).uncheck()
    expect(page.get_by_role("columnheader", name="Quality")).to_have_count(0)
    expect(page.get_by_role("checkbox", name="Quality", exact=True)).to_be_focused()
    settled(page, "Page 2 of 2")
    assert "columns=quantization%2Cspeed%2C" in page.url
    assert "page=2" in page.url
    page.get_by_role("checkbox", name="Quality", exact=True).check()
    expect(page.get_by_role("columnheader", name="Quality")).to_be_visible()
    assert "columns" not in page.url
    page.get_by_role("columnheader", name="Quality").get_by_role("link").click()
    assert "columns" not in page.url


def test_grid_stays_where_it_was_scrolled(page: Page) -> None:
    for index in range(30):
        make_run(model_name=f"M{index:02}")
    page.set_viewport_size({"width": 390, "height": 700})
    page.goto("/?sort_by=name")
    table = page.locator("#grid-table")
    expander = page.locator(f"#expand-{row_key('M25', '')}")
    expander.scroll_into_view_if_needed()
    table.evaluate("element => element.scrollLeft = 150")
    top = table.evaluate("element => element.scrollTop")
    assert top > 0
    expander.evaluate("element => element.click()")
    expect(page.locator(".table__row--nested")).to_have_count(1)
    assert table.evaluate("element => [element.scrollTop, element.scrollLeft]") == [top, 150]
    first = page.locator("tbody th").first
    assert first.evaluate("element => element.getBoundingClientRect().left") < 20
    page.get_by_role("link", name="Runs", exact=True).evaluate("element => element.click()")
    settled(page, "sorted by runs")
    assert table.evaluate("element => [element.scrollTop, element.scrollLeft]") == [0, 150]


@pytest.mark.parametrize("answer", [500, None])
def test_grid_tells_when_a_request_fails(
    page: Page, runs: dict[str, TestRun], answer: int | None
) -> None:
    def fail(route: Route) -> None:
        if answer:
            route.fulfill(status=answer, body="broken")
        else:
            route.abort()

    page.goto("/")
    page.route("**/?*", fail)
    page.get_by_role("link", name="Memory", exact=True).click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("could not be brought up to date")
    expect(alert).to_contain_text("answered 500" if answer else "was not reached")
    expect(page.locator("#grid-results")).not_to_have_attribute("aria-busy", "true")
    assert len(models(page)) == 3
    page.unroute("**/?*")
    alert.get_by_role("link", name="Try again").click()
    expect(page).to_have_url("/?sort_by=memory")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_grid_never_takes_another_page_for_its_results(
    page: Page, runs: dict[str, TestRun]
) -> None:
    page.goto("/")
    page.route(
        "**/?*",
        lambda route: route.fulfill(body="<h1>Log in</h1>", content_type="text/html"),
        times=1,
    )
    page.get_by_role("link", name="Memory", exact=True).click()
    expect(page).to_have_url("/?sort_by=memory")
    expect(page.get_by_role("heading", level=1)).to_have_text("Performance grid")


def test_grid_is_busy_while_it_waits(page: Page, runs: dict[str, TestRun]) -> None:
    waiting: list[Route] = []
    page.goto("/")
    page.route("**/?*", lambda route: waiting.append(route))
    page.get_by_role("link", name="Memory", exact=True).click()
    results = page.locator("#grid-results")
    expect(results).to_have_attribute("aria-busy", "true")
    height = page.locator("#grid-table").evaluate("element => element.offsetHeight")
    expect(results).to_have_css("opacity", "0.55")
    waiting[0].continue_()
    settled(page, "sorted by memory used")
    expect(results).to_have_css("opacity", "1")
    assert page.locator("#grid-table").evaluate("element => element.offsetHeight") == height


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "query",
    [
        "expand={key}&run={run}&run={other}&columns=speed,power",
        "q=nothing&min_speed=5",
        "min_speed=x",
        "page_size=1",
    ],
)
def test_grid_states_are_accessible_and_fit(
    page: Page, runs: dict[str, TestRun], query: str, width: int, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    key = row_key(NIMBUS, "")
    page.goto("/?" + query.format(key=key, run=runs[NIMBUS].pk, other=runs[STRATUS].pk))
    for summary in page.locator("main summary").all():
        if summary.is_visible():
            summary.click()
    found = Axe().run(page).response["violations"]
    assert [f"{item['id']}: {item['nodes'][0]['html']}" for item in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_grid_without_any_run_is_accessible(page: Page) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="No results here yet")).to_be_visible()
    assert Axe().run(page).response["violations"] == []
