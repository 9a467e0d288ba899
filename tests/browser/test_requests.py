"""What pages ask for: this host alone, no inline script, chart code only where a chart is."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Page, Request
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from benchsite.staticfiles import QuickCompressor
from experiments.models import TestRun
from tests.factories import make_run, make_score, make_staff

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

MOST_BYTES = 60_000
MODELS = 60
PATTERNS = "/patterns/"  # with DEBUG only
CATEGORIES = {"art": 30.0, "history": 63.0, "law": 41.0, "physics": 52.0}
# Scripts that run code; those that hold data are of another type.
SCRIPT = re.compile(r"<script(?![^>]*application/json)[^>]*>")
POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}


@pytest.fixture
def runs() -> tuple[TestRun, TestRun]:
    """Two models with scores by category, so that every page of a run has a chart."""
    first, second = make_run(model_name="Nimbus-14B"), make_run(model_name="Stratus-7B")
    for run in (first, second):
        make_score(variant=run.variant, benchmark="mmlu_pro", categories=CATEGORIES)
    return first, second


def addresses(first: TestRun, second: TestRun) -> dict[str, int]:
    """Return the address of each kind of page, with how often it asks for the chart library."""
    return {
        "/": 0,
        f"/?expand=x&run={first.pk}&columns=speed,power": 0,
        "/?min_speed=x": 0,
        f"/detail/{first.pk}/": 1,
        f"/compare/{first.pk}/{second.pk}/": 1,
        "/metrics/": 0,
        "/metrics/ttft_ms/": 0,
        "/api/docs": 0,
        "/nothing/": 0,
        PATTERNS: 1,
        "/admin/": 0,
        "/admin/experiments/testrun/": 0,
        "/admin/experiments/upload/add/": 0,
        "/admin/experiments/upload/mine/": 0,
    }


def test_pages_ask_this_host_alone_and_for_chart_code_where_a_chart_is(
    page: Page,
    live_server: LiveServer,
    runs: tuple[TestRun, TestRun],
    client: Client,
    settings: Settings,
) -> None:
    client.force_login(make_staff())
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    for address, library in addresses(*runs).items():
        settings.DEBUG = address == PATTERNS
        asked.clear()
        answer = page.goto(address)
        assert answer is not None
        while page.locator("[data-figure]:not([data-drawn])").count():
            page.locator("[data-figure]:not([data-drawn])").first.scroll_into_view_if_needed()
            page.wait_for_selector(".main-svg")
        foreign = [url for url in asked if not url.startswith((live_server.url, "data:", "blob:"))]
        assert foreign == [], address
        assert sum("plotly" in url for url in asked) == library, address
        directives = {part.strip() for part in answer.headers["content-security-policy"].split(";")}
        assert directives >= POLICY, address


def test_pages_have_no_script_of_their_own_and_none_that_holds_up_reading(
    client: Client, runs: tuple[TestRun, TestRun], settings: Settings
) -> None:
    client.force_login(make_staff())
    for address in addresses(*runs):
        settings.DEBUG = address == PATTERNS
        text = client.get(address).content.decode()
        scripts = SCRIPT.findall(text)
        assert all(" src=" in script for script in scripts), address
        assert not re.search(r"<[a-z][^>]*\son[a-z]+\s*=", text), address
        if address.startswith(("/admin", "/api")):
            continue
        blocking = [script for script in scripts if " defer" not in script]
        assert len(blocking) == 1, address  # the theme, before the first paint
        assert "theme.js" in blocking[0]


def test_grid_is_light_with_all_that_it_needs(client: Client) -> None:
    for number in range(MODELS):
        make_run(model_name=f"Model-{number * 7919:x}-Instruct", gpu_model=f"Device {number}")
    answer = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    text = client.get("/").content.decode()
    assert text.count('<tbody id="model-') == 50
    sizes = {"page": len(answer.content)}
    for name in re.findall(r'(?:href|src)="/static/([^"?]+)"', text):
        found = finders.find(name)
        assert found, name
        sizes[name] = len(QuickCompressor.compress_brotli(Path(found).read_bytes()))
    assert any("htmx" in name for name in sizes)
    assert sum(sizes.values()) <= MOST_BYTES, sizes
    assert not any("plotly" in name or "charts" in name or "runs.css" in name for name in sizes)
