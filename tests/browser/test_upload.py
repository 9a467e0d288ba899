"""First light: a result file goes in by the form and comes out in the grid, in a browser."""

import json
import re
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


def open_upload_form(visitor: Page) -> None:
    """Log in as a member of staff, and open the form."""
    make_staff(name="ann")
    visitor.goto("/admin/experiments/upload/add/")
    visitor.fill("[name=username]", "ann")
    visitor.fill("[name=password]", "secret")
    visitor.locator("#login-form [type=submit]").click()
    visitor.wait_for_url("**/admin/experiments/upload/add/")


def test_a_file_goes_in_by_the_form_and_comes_out_in_grid_detail_and_comparison(
    visitor: Page, files: list[Path]
) -> None:
    open_upload_form(visitor)
    visitor.set_input_files("input[name=file]", files)
    visitor.get_by_role("button", name="Preview", exact=True).click()
    expect(visitor.get_by_text("2 files to confirm")).to_be_visible()
    expect(visitor.get_by_text("keys: hello")).to_be_visible()
    visitor.get_by_role("button", name="Confirm 2 files").click()

    visitor.get_by_role("link", name="Llama-3.2-1B-Instruct · Q4_K_M on 1× RTX 4090").click()
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Llama-3.2-1B-Instruct")
    expect(visitor.get_by_text("decode only").first).to_be_visible()
    expect(visitor.get_by_text("fast.json")).to_be_visible()

    visitor.goto("/")
    model = visitor.get_by_role("row").filter(has_text="Llama-3.2-1B-Instruct").first
    expect(model).to_contain_text("190")
    expect(model).to_contain_text("1× RTX 4090")
    unfold = re.compile("2 of 2 platforms qualify")
    model.get_by_role("link", name=unfold).or_(model.get_by_role("button", name=unfold)).click()
    boxes = visitor.locator("input[type=checkbox][name=run]")
    expect(boxes).to_have_count(2)
    for index in range(2):
        boxes.nth(index).check()
    compare = visitor.get_by_role("link", name="Compare 2 configurations")
    compare.or_(visitor.get_by_role("button", name="Compare what is ticked")).click()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Comparison")
    expect(visitor.get_by_text("1× Radeon 8060S").first).to_be_visible()
    better = visitor.get_by_role("row").filter(has_text="Generation speed").first
    expect(better).to_contain_text("better")


def test_preview_fill_confirm_correct_withdraw_restore(visitor: Page, tmp_path: Path) -> None:
    whole, lacking = tmp_path / "whole.json", tmp_path / "lacking.json"
    rows = [prompt(gpu_info="NVIDIA GeForce RTX 4090"), row(gpu_info="NVIDIA GeForce RTX 4090")]
    whole.write_text(json.dumps(rows), encoding="utf-8")
    bare = row(gpu_info="", cpu_info="", avg_ts=77.0)
    lacking.write_text(json.dumps([bare]), encoding="utf-8")

    open_upload_form(visitor)
    visitor.set_input_files("input[name=file]", [whole, lacking])
    visitor.get_by_role("button", name="Preview", exact=True).click()
    expect(visitor.get_by_text("2 files to confirm, 1 of them ready.")).to_be_visible()
    file = visitor.get_by_role("region", name="lacking.json")
    expect(file).to_contain_text("The file does not say: GPU.")

    file.get_by_label("Find a known machine").fill("3090 ti")
    file.get_by_role("button", name="Search").first.click()
    file.get_by_role("radio", name="RTX 3090 Ti").check()
    file.get_by_role("button", name="Check lacking.json").click()
    expect(visitor.get_by_text("2 files to confirm.")).to_be_visible()
    file.get_by_label("GPUs used").or_(file.locator("summary")).first.click()
    file.get_by_label("GPUs used").fill("2")
    visitor.get_by_role("button", name="Confirm 2 files").click()
    expect(visitor.get_by_role("heading", name="What became of your files")).to_be_visible()
    expect(visitor.get_by_role("link", name="on 2× RTX 3090 Ti")).to_be_visible()

    visitor.get_by_role("region", name="lacking.json").get_by_text("Correct or withdraw").click()
    visitor.get_by_role("button", name="Correct").click()
    expect(visitor.get_by_text("A correction of")).to_be_visible()
    file.locator("summary").click()
    file.get_by_label("GPUs used").fill("4")
    file.get_by_role("button", name="Check lacking.json").click()
    expect(file.get_by_role("cell", name="replaced")).to_be_visible()
    visitor.get_by_role("button", name="Confirm 1 file").click()
    visitor.get_by_role("link", name="on 4× RTX 3090 Ti").click()
    expect(visitor.get_by_text("4× RTX 3090 Ti").first).to_be_visible()
    expect(visitor.get_by_role("heading", name="History")).to_be_visible()
    address = visitor.url

    visitor.goto("/admin/experiments/upload/mine/")
    visitor.get_by_role("link", name="lacking.json").first.click()
    visitor.get_by_label("Reason, for visitors").fill("the driver was wrong")
    visitor.get_by_role("button", name="Withdraw").click()
    expect(visitor.get_by_text("Withdrawn: 1 run")).to_be_visible()
    visitor.goto("/?q=Llama-3.2-1B-Instruct")
    expect(visitor.get_by_text("4× RTX 3090 Ti")).to_have_count(0)

    visitor.goto("/admin/experiments/upload/mine/")
    visitor.get_by_role("link", name="lacking.json").first.click()
    visitor.get_by_role("button", name="Restore").click()
    expect(visitor.get_by_text("Restored: 1 run")).to_be_visible()
    visitor.goto(address)
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("Llama-3.2-1B-Instruct")


def test_files_dropped_anywhere_are_chosen_and_a_shared_field_fills_them(
    page: Page, tmp_path: Path
) -> None:
    """Dropped beside the box, a file would take the place of the page and of what was typed."""
    open_upload_form(page)
    page.get_by_label("Or paste the text of one").fill("typed")
    rows = [json.dumps([row(gpu_info="", cpu_info="", avg_ts=speed)]) for speed in (50.0, 60.0)]
    page.evaluate(
        """texts => {
            const dropped = new DataTransfer();
            texts.forEach((text, index) => dropped.items.add(new File([text], `${index}.json`)));
            const event = { dataTransfer: dropped, bubbles: true, cancelable: true };
            const target = document.querySelector("h1");
            window.kept = !target.dispatchEvent(new DragEvent("dragover", event));
            window.kept &&= !target.dispatchEvent(new DragEvent("drop", event));
        }""",
        rows,
    )
    assert page.evaluate("window.kept")
    expect(page.get_by_text("2 files: 0.json, 1.json.")).to_be_visible()
    expect(page.get_by_label("Or paste the text of one")).to_have_value("typed")
    page.get_by_label("Or paste the text of one").fill("")
    page.get_by_role("button", name="Preview", exact=True).click()
    expect(page.get_by_text("What 2 of these files do not say")).to_be_visible()
    page.get_by_label("Find a known machine").first.press_sequentially("3090 ti")
    page.get_by_role("radio", name="RTX 3090 Ti").first.check()
    page.get_by_role("button", name="Fill in and check all").click()
    expect(page.get_by_role("button", name="Confirm 2 files")).to_be_visible()


def test_files_too_large_for_one_request_are_told_before_they_are_sent(page: Page) -> None:
    open_upload_form(page)
    page.evaluate("document.querySelector('#upload-form').dataset.limitBytes = '3'")
    page.set_input_files(
        "input[name=file]", {"name": "a.json", "mimeType": "text/plain", "buffer": b"12345"}
    )
    expect(page.get_by_text("this site takes 3 at once")).to_be_visible()


def test_a_login_that_ran_out_loses_nothing_of_the_form(
    browser: Browser, live_server: LiveServer, tmp_path: Path
) -> None:
    file = tmp_path / "late.json"
    file.write_text(json.dumps([prompt(), row()]), encoding="utf-8")
    context = browser.new_context(base_url=live_server.url)
    visitor = context.new_page()
    open_upload_form(visitor)
    visitor.set_input_files("input[name=file]", [file])
    visitor.locator("#upload-form summary").click()
    visitor.get_by_label("Notes").fill("typed for a long time")
    context.clear_cookies(name="sessionid")
    visitor.get_by_role("button", name="Preview", exact=True).click()
    expect(visitor.get_by_text("You are logged out.")).to_be_visible()
    expect(visitor.get_by_label("Notes")).to_have_value("typed for a long time")

    other = context.new_page()
    other.goto("/admin/login/")
    other.fill("[name=username]", "ann")
    other.fill("[name=password]", "secret")
    other.locator("#login-form [type=submit]").click()
    visitor.get_by_role("button", name="Preview", exact=True).click()
    expect(visitor.get_by_text("1 file to confirm.")).to_be_visible()
    expect(visitor.get_by_role("region", name="late.json")).to_contain_text("Ready")
    context.close()
