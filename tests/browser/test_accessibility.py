"""Pages by axe in both themes (grid, run and comparison have tests of their own), and the focus."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect
from pytest_django import Settings

from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.review import set_review_state
from experiments.models import TestRun
from tests.factories import ingest, make_run, make_staff

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FOCUS_CONTRAST = 3.0  # WCAG 2.2, 1.4.11 and 2.4.13
MOST_STEPS = 100
# Of the element that has the focus: whether it is in sight, and the contrast of its outline to
# what is behind it. Colours are drawn on a canvas to read them as they are shown.
FOCUSED = """() => {
  const it = document.activeElement;
  if (it === document.body) return null;
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b]
    .map((it) => it / 255)
    .map((it) => (it <= 0.03928 ? it / 12.92 : ((it + 0.055) / 1.055) ** 2.4))
    .reduce((sum, it, index) => sum + it * [0.2126, 0.7152, 0.0722][index], 0);
  let around = it.parentElement;
  while (around && channels(getComputedStyle(around).backgroundColor)[3] < 255) {
    around = around.parentElement;
  }
  const [dark, light] = [
    luminance(channels(getComputedStyle(it).outlineColor)),
    luminance(channels(getComputedStyle(around ?? document.body).backgroundColor)),
  ].sort((a, b) => a - b);
  const style = getComputedStyle(it);
  const box = it.getBoundingClientRect();
  const seen = document.elementFromPoint(
    Math.min(Math.max(box.x + box.width / 2, 1), innerWidth - 2),
    Math.min(Math.max(box.y + box.height / 2, 1), innerHeight - 2),
  );
  return {
    name: `${it.localName} ${it.id || it.name || it.textContent.trim().slice(0, 30)}`,
    outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    contrast: (light + 0.05) / (dark + 0.05),
    in_sight: box.width > 1 && seen !== null && (it.contains(seen) || seen.contains(it)),
  };
}"""


@pytest.fixture
def runs() -> list[TestRun]:
    """A model on two machines, and a run that was withdrawn."""
    made = [
        make_run(model_name="Nimbus-14B"),
        make_run(model_name="Nimbus-14B", gpu_model="NVIDIA GeForce RTX 3090"),
        make_run(model_name="Cirrus-3B"),
    ]
    set_review_state(
        run_ids=[made[2].pk],
        state=ReviewState.WITHDRAWN,
        who=Actor(is_curator=True).who,
        reason="The driver was wrong.",
    )
    return made


def check(page: Page) -> None:
    """Fail with what axe finds on the page as it is: every rule in light, colours in dark too."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        # Without preload: axe would put imported styles into the page, which its policy forbids.
        options: dict[str, Any] = {"preload": False}
        if scheme == "dark":
            options["runOnly"] = ["color-contrast"]
        for item in Axe().run(page, options=options).response["violations"]:
            nodes = ", ".join(node["target"][0] for node in item["nodes"][:5])
            found.append(f"{page.url} ({scheme}): {item['id']} at {nodes}")
    page.emulate_media(color_scheme="light")
    assert not found, "\n".join(found)


def check_all(page: Page, *addresses: str) -> None:
    """Open each address with all that folds unfolded, and let axe look at it."""
    for address in addresses:
        page.goto(address)
        if page.locator("[data-figure]").count():
            page.wait_for_load_state("networkidle")  # charts are drawn
        page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
        check(page)


def log_in(page: Page) -> None:
    make_staff(name="ann")
    page.goto("/admin/login/")
    page.fill("[name=username]", "ann")
    page.fill("[name=password]", "secret")
    page.locator("#login-form [type=submit]").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_metrics_and_api_are_accessible(page: Page) -> None:
    check_all(page, "/metrics/", "/metrics/ttft_ms/", "/api/docs")


def test_pages_for_what_cannot_be_shown_are_accessible(
    page: Page, runs: list[TestRun], settings: Settings, tmp_path: Path
) -> None:
    settings.ROOT_URLCONF = "tests.failing_urls"
    withdrawn, twice = f"/detail/{runs[2].pk}/", f"/compare/{runs[0].pk}/{runs[0].pk}/"
    check_all(page, "/nothing/", withdrawn, twice, "/fail/", "/admin/login/")
    settings.SITE = replace(settings.SITE, data_dir=tmp_path)
    (tmp_path / "maintenance").touch()
    check_all(page, "/")


def test_patterns_are_accessible(page: Page, settings: Settings) -> None:
    settings.DEBUG = True
    check_all(page, "/patterns/")


def test_admin_is_accessible(page: Page, runs: list[TestRun]) -> None:
    ingest({"hello": "world"})
    log_in(page)
    check_all(page, "/admin/", "/admin/experiments/testrun/")
    for model in ("experiments/apitoken", "hardware/accelerator", "auth/group"):
        page.goto(f"/admin/{model}/add/")
        check(page)
    page.goto(f"/admin/experiments/testrun/{runs[0].pk}/change/")
    check(page)


def test_upload_pages_are_accessible(page: Page, tmp_path: Path) -> None:
    broken, lacking = tmp_path / "broken.json", tmp_path / "lacking.json"
    broken.write_text('{"hello": "world"}', encoding="utf-8")
    lacking.write_text('{"experiment_run": {}}', encoding="utf-8")
    log_in(page)
    check_all(page, "/admin/experiments/upload/add/")
    page.set_input_files("input[name=file]", [broken, lacking])
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Upload result files")
    check(page)
    check_all(page, "/admin/experiments/upload/mine/")
    page.get_by_role("link", name="broken.json").first.click()
    check(page)


def tab_through(page: Page) -> list[str]:
    """Press Tab until the focus has gone round; return the names of what it marked, in order."""
    names: list[str] = []
    for _step in range(MOST_STEPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None or focused["name"] in names[:1]:
            return names
        assert focused["outlined"], focused
        assert focused["contrast"] >= FOCUS_CONTRAST, focused
        assert focused["in_sight"], focused
        names.append(focused["name"])
    return names


def test_focus_is_seen_on_its_way_through_grid_and_upload_form(
    page: Page, runs: list[TestRun]
) -> None:
    log_in(page)
    page.goto("/")
    names = tab_through(page)
    assert names[0].startswith("a Skip")
    assert names[1] == "a Benchsite"
    assert names.index("input id_q") < names.index("a Nimbus-14B")
    page.emulate_media(color_scheme="dark")
    page.goto("/admin/experiments/upload/add/")
    page.evaluate("document.querySelector('details').open = true")
    names = tab_through(page)
    assert names.index("input id_file") < names.index("textarea id_text")
    assert names.index("textarea id_text") < names.index("input id_model_name")


def test_skip_link_leads_past_the_header(page: Page, runs: list[TestRun]) -> None:
    page.goto("/metrics/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_have_count(1)
