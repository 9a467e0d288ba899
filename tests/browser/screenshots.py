"""`make screenshots`: pictures of the pages at four widths in both themes, to look at them.

It is no part of the suite: its name keeps pytest from collecting it by itself. Beside taking the
pictures it holds one rule: no page scrolls sideways, only tables inside it do.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
from django.conf import settings as site_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models import Count
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.review import set_review_state
from experiments.models import Configuration, TestRun
from tests.experiments.form_upload import press, send
from tests.factories import make_run, make_score, make_staff

ROOT = Path(site_settings.BASE_DIR)
FOLDER = ROOT / "screenshots"
README_FOLDER = ROOT / "docs" / "screenshots"
SAMPLES = ROOT / "tests" / "experiments" / "samples"
WIDTHS = (390, 768, 1280, 1920)
HEIGHT = 900
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
TALLEST = 4000
SLOWEST_CHART_MS = 60_000  # on a machine that does other things too
DIFFERENCES = "&only=differences"
CATEGORIES = {"art": 30.0, "history": 63.0, "law": 41.0, "physics": 52.0, "health": 47.5}
# Of these the part in sight goes into the README, under a name of its own.
IN_README = {
    "grid-selected-1280-light": "grid",
    "comparison-2-1280-light": "comparison",
    "detail-1280-dark": "run",
}

# Elements that stick out of the window, unless something around them scrolls or cuts them.
STICKING_OUT = """() => {
  if (document.scrollingElement.scrollWidth <= innerWidth) return [];
  const held = (element) => {
    for (let it = element.parentElement; it && it !== document.body; it = it.parentElement) {
      if (getComputedStyle(it).overflowX !== "visible") return true;
    }
    return false;
  };
  const out = [...document.body.querySelectorAll("*")]
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 1 && !held(it));
  const names = out.map((it) => [it.localName, it.id && `#${it.id}`, ...it.classList].join(" "));
  return names.length ? [...new Set(names)].slice(0, 5) : ["something that no element shows"];
}"""


@dataclass(frozen=True)
class Shot:
    """A page to be taken, after `prepare` did something to it."""

    name: str
    address: str
    prepare: Callable[[Page], None] | None = None
    by_staff: bool = False


def unfold(page: Page) -> None:
    """Open all that folds."""
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")


def expand(page: Page) -> None:
    """Unfold the first model that has several machines."""
    page.locator(".expander", has_text=re.compile("[2-9] of")).first.click()
    expect(page.locator(".table__row--nested").first).to_be_visible()
    expect(page.locator("#grid-results")).to_have_css("opacity", "1")  # dimmed while it waits


def expand_and_select(page: Page) -> None:
    """Unfold a model too, and tick two configurations."""
    expand(page)
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()
    expect(page.get_by_text("2 ticked", exact=True)).to_be_visible()
    expect(page.locator("#grid-results")).to_have_css("opacity", "1")  # dimmed while it waits


def empty_pages() -> list[Shot]:
    return [Shot("grid-empty", "/")]


def _speed(configuration: Configuration) -> float:
    return configuration.tokens_per_second or 0


def pages_with_data() -> list[Shot]:
    best = Configuration.objects.filter(runs__gt=0, tokens_per_second__isnull=False)
    variant = best.values_list("variant").annotate(machines=Count("platform", distinct=True))
    of_one = best.filter(variant=variant.order_by("-machines", "variant")[0][0])
    machines = of_one.order_by("platform_id", "-tokens_per_second").distinct("platform_id")
    pair = [it.representative_id for it in sorted(machines, key=_speed, reverse=True)[:2]]
    eight = best.order_by("-runs", "id").values_list("representative", flat=True)[:8]
    richest = TestRun.objects.filter(hardware__gpu_count__gt=1).order_by("-output_tokens").first()
    assert richest is not None
    return [
        Shot("grid", "/"),
        Shot("grid-filtered", "/?q=llama&min_speed=20", unfold),
        Shot("grid-expanded", "/", expand),
        Shot("grid-selected", "/", expand_and_select),
        Shot("grid-concurrent", "/?load_class=concurrent"),
        Shot("grid-nothing", "/?q=no-such-model&min_speed=20"),
        Shot("grid-wrong", "/?min_speed=-5"),
        Shot("detail", f"/detail/{richest.pk}/"),
        Shot("comparison-2", f"/compare/{pair[0]}/{pair[1]}/"),
        Shot("comparison-8", "/compare/?" + "&".join(f"run={run_id}" for run_id in eight)),
        Shot("comparison-differences", f"/compare/?run={pair[0]}&run={pair[1]}{DIFFERENCES}"),
        Shot("api", "/api/docs"),
        Shot("metrics", "/metrics/"),
        Shot("metric", "/metrics/ttft_ms/"),
        Shot("patterns", "/patterns/"),
        Shot("login", "/admin/login/"),
        Shot("admin", "/admin/", by_staff=True),
        Shot("admin-list", "/admin/experiments/testrun/", by_staff=True),
    ]


def pages_with_scores() -> list[Shot]:
    """Make two runs whose models have scores by category, as the sample data has none."""
    runs = [make_run(model_name=name) for name in ("Nimbus-14B-Instruct", "Stratus-7B")]
    without_law = {name: score - 4 for name, score in CATEGORIES.items() if name != "law"}
    for run, scores in zip(runs, (CATEGORIES, without_law), strict=True):
        make_score(variant=run.variant, benchmark="mmlu_pro", categories=scores)
    return [
        Shot("detail-scores", f"/detail/{runs[0].pk}/"),
        Shot("comparison-scores", f"/compare/{runs[0].pk}/{runs[1].pk}/"),
    ]


def upload_pages(client: Client) -> list[Shot]:
    """Send files, confirm those of one batch, and return the form with what became of them."""

    def file(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, (SAMPLES / name).read_bytes())

    def broken() -> SimpleUploadedFile:
        return SimpleUploadedFile("broken.json", b'{"hello": "world"}')

    send(client, file("llama_bench.sql"), broken())
    done = press(client, "confirm").request["PATH_INFO"]
    send(client, file("llama_bench_tables.md"), file("mmlu_pro_report.txt"), broken())
    preview = press(client, "check").request["PATH_INFO"]
    return [
        Shot("upload", "/admin/experiments/upload/add/", unfold, by_staff=True),
        Shot("upload-preview", preview, by_staff=True),
        Shot("upload-report", done, by_staff=True),
        Shot("upload-mine", "/admin/experiments/upload/mine/", by_staff=True),
    ]


def error_pages() -> list[Shot]:
    withdrawn = make_run(model_name="Withdrawn-7B")
    set_review_state(
        run_ids=[withdrawn.pk],
        state=ReviewState.WITHDRAWN,
        who=Actor(is_curator=True).who,
        reason="The driver was wrong.",
    )
    twice = f"/compare/{withdrawn.pk}/{withdrawn.pk}/"
    return [
        Shot("error-400", twice),
        Shot("error-404", "/nothing/"),
        Shot("error-410", f"/detail/{withdrawn.pk}/"),
        Shot("error-500", "/fail/"),
    ]


@contextmanager
def window(
    browser: Browser, live_server: LiveServer, width: int, theme: Literal["light", "dark"]
) -> Iterator[BrowserContext]:
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": HEIGHT},
        color_scheme=theme,
        reduced_motion="reduce",
    )
    yield context
    context.close()


def draw_charts(page: Page) -> None:
    """Wait for every chart of the page; they draw themselves when they come near the window."""
    for chart in page.locator("[data-figure]").all():
        chart.evaluate("it => it.scrollIntoView({ block: 'center' })")
        expect(chart.locator(".main-svg").first).to_be_visible(timeout=SLOWEST_CHART_MS)
    page.evaluate("scrollTo(0, 0)")


def take(context: BrowserContext, shot: Shot, suffix: str) -> list[str]:
    """Take one picture; return what makes the page scroll sideways."""
    page = context.new_page()
    page.goto(shot.address)
    if shot.prepare:
        shot.prepare(page)
    draw_charts(page)
    name = f"{shot.name}-{suffix}"
    if name in IN_README:
        page.screenshot(path=README_FOLDER / f"{IN_README[name]}.png")
    height = min(page.evaluate("document.scrollingElement.scrollHeight"), TALLEST)
    out: list[str] = page.evaluate(STICKING_OUT)
    page.set_viewport_size({"width": int(suffix.split("-")[0]), "height": max(height, HEIGHT)})
    draw_charts(page)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.close()
    return [f"{name}: {element}" for element in out]


def take_all(
    browser: Browser, live_server: LiveServer, shots: list[Shot], session: str
) -> list[str]:
    """Take the pictures at each width in each theme."""
    out = []
    for width in WIDTHS:
        for theme in THEMES:
            with window(browser, live_server, width, theme) as context:
                for shot in sorted(shots, key=lambda shot: shot.by_staff):
                    if shot.by_staff:
                        cookie = {"name": "sessionid", "value": session, "url": live_server.url}
                        context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict
                    out += take(context, shot, f"{width}-{theme}")
            print(".", end="", flush=True)
    return out


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_take_screenshots(
    browser: Browser,
    live_server: LiveServer,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for folder in (FOLDER, README_FOLDER):
        folder.mkdir(parents=True, exist_ok=True)
    settings.ROOT_URLCONF = "tests.failing_urls"
    client = Client()
    client.force_login(make_staff(name="ann"))
    session = client.cookies["sessionid"].value

    out = take_all(browser, live_server, empty_pages(), session)
    call_command("load_sample", verbosity=0)
    settings.DEBUG = True  # the patterns are for developers
    out += take_all(browser, live_server, pages_with_data(), session)
    settings.DEBUG = False
    out += take_all(browser, live_server, pages_with_scores(), session)
    out += take_all(browser, live_server, upload_pages(client), session)
    caplog.set_level(logging.CRITICAL, "django.request")  # the failures are wanted
    out += take_all(browser, live_server, error_pages(), session)
    settings.SITE = replace(settings.SITE, data_dir=tmp_path)
    (tmp_path / "maintenance").write_text("Back at 14:00 UTC.")
    out += take_all(browser, live_server, [Shot("error-503", "/")], session)

    print(f"\nPictures: {FOLDER}, and for the README {README_FOLDER}")
    assert not out, "These pages scroll sideways:\n" + "\n".join(out)
