"""Journeys by keyboard alone, beside those of grid and comparison in tests of their own."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.keyboard import tab_to
from tests.experiments.test_llama_bench import prompt, row
from tests.factories import make_run, make_staff

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FIGURES = {
    "tokens_per_second": (60.0, "tok/s", "decode"),
    "memory_usage_gb": (11.0, "GB", None),
}


def expect_focus(page: Page, selector: str) -> None:
    """Wait until an element has the focus and shows it."""
    focused = page.locator(f"{selector}:focus-visible")
    expect(focused).to_have_count(1)


def test_theme_columns_sorting_and_metrics_by_keyboard(page: Page) -> None:
    make_run(model_name="Nimbus-14B", figures=FIGURES)
    make_run(model_name="Stratus-7B", figures=FIGURES | {"memory_usage_gb": (5.0, "GB", None)})
    page.goto("/")
    theme = page.get_by_role("button", name="Theme")
    tab_to(page, theme)
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(theme).to_be_focused()

    tab_to(page, page.get_by_text("Choose columns"))
    page.keyboard.press("Enter")
    power = page.get_by_role("checkbox", name="GPU power")
    tab_to(page, power)
    page.keyboard.press("Space")
    expect(page.get_by_role("columnheader", name="Power")).to_be_visible()
    expect(power).to_be_focused()

    memory = page.locator("#sort-memory")
    tab_to(page, memory)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("sorted by memory used, lowest first")
    expect_focus(page, "#sort-memory")

    tab_to(page, page.get_by_role("link", name="What Memory used measures"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Memory used")
    tab_to(page, page.get_by_role("link", name="All metrics"))
    page.keyboard.press("Enter")
    first = page.get_by_role("link", name="Time to first token")
    tab_to(page, first)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="How tools compute it")).to_be_visible()


def test_a_file_is_uploaded_previewed_filled_and_confirmed_by_keyboard(
    page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "lacking.json"
    file.write_text(json.dumps([prompt(gpu_info="", cpu_info=""), row(gpu_info="", cpu_info="")]))
    make_staff(name="ann")
    page.on("filechooser", lambda _chooser: None)  # the browser is told before a key is pressed
    page.goto("/")
    tab_to(page, page.get_by_role("link", name="Upload", exact=True))
    page.keyboard.press("Enter")
    expect_focus(page, "[name=username]")
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type("secret")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Upload result files")

    tab_to(page, page.locator("#id_file"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file)
    tab_to(page, page.get_by_role("button", name="Preview", exact=True))
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Preview")
    expect(heading).to_be_focused()

    part = page.get_by_role("region", name="lacking.json")
    expect(part).to_contain_text("The file does not say: GPU.")
    tab_to(page, part.get_by_label("GPU", exact=False).first)
    page.keyboard.type("RTX 4090")
    tab_to(page, part.get_by_role("button", name="Check lacking.json"))
    page.keyboard.press("Enter")
    confirm = page.get_by_role("button", name="Confirm 1 file")
    expect(confirm).to_be_visible()
    expect(heading).to_be_focused()
    tab_to(page, confirm)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What became of your files")
    expect(page.get_by_role("link", name="on RTX 4090")).to_be_visible()
