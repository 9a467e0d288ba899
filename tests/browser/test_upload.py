"""First light: a result file goes in by the form and comes out in the grid, in a browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.experiments.test_llama_bench import prompt, row
from tests.factories import make_staff

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two llama-bench files of one model on two machines, and one that is none."""
    written = []
    for name, gpu, speed in (
        ("fast", "NVIDIA GeForce RTX 4090", 190.0),
        ("slow", "AMD Radeon Graphics (RADV STRIX_HALO)", 90.0),
    ):
        path = tmp_path / f"{name}.json"
        rows = [prompt(gpu_info=gpu), row(gpu_info=gpu, avg_ts=speed)]
        path.write_text(json.dumps(rows), encoding="utf-8")
        written.append(path)
    broken = tmp_path / "broken.json"
    broken.write_text('{"hello": "world"}', encoding="utf-8")
    return [*written, broken]


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def visitor(
    request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer
) -> Iterator[Page]:
    """A visitor with JavaScript, and one without."""
    context = browser.new_context(base_url=live_server.url, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


def test_a_file_goes_in_by_the_form_and_comes_out_in_grid_detail_and_comparison(
    visitor: Page, files: list[Path]
) -> None:
    make_staff(name="ann")
    visitor.goto("/admin/experiments/upload/add/")
    visitor.fill("[name=username]", "ann")
    visitor.fill("[name=password]", "secret")
    visitor.locator("#login-form [type=submit]").click()

    visitor.set_input_files("input[name=file]", files)
    visitor.get_by_role("button", name="Upload", exact=True).click()
    expect(visitor.get_by_text("What became of 3 files, 1 refused")).to_be_visible()
    expect(visitor.get_by_text("keys: hello")).to_be_visible()

    visitor.get_by_role("link", name="Llama-3.2-1B-Instruct · Q4_K_M on 1× RTX 4090").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Llama-3.2-1B-Instruct")
    expect(visitor.get_by_text("decode only").first).to_be_visible()
    expect(visitor.get_by_text("fast.json")).to_be_visible()

    visitor.goto("/")
    model = visitor.get_by_role("row").filter(has_text="Llama-3.2-1B-Instruct").first
    expect(model).to_contain_text("190")
    expect(model).to_contain_text("1× RTX 4090")
    model.get_by_role("link", name="2 of 2 platforms qualify").click()
    boxes = visitor.locator("input[type=checkbox][name=run]")
    expect(boxes).to_have_count(2)
    for index in range(2):
        boxes.nth(index).check()
    visitor.get_by_role("button", name="Compare selected").click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Comparison")
    expect(visitor.get_by_text("1× Radeon 8060S").first).to_be_visible()
    better = visitor.get_by_role("row").filter(has_text="Generation speed").first
    expect(better).to_contain_text("better")
