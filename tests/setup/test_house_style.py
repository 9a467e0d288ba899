"""What the house style asks of code, templates and stylesheets, where no other tool checks it."""

import re
from pathlib import Path

import pytest
from django.conf import settings

LONGEST_PARSER = 200
LONGEST_TEMPLATE = 150
LONGEST_STYLESHEET = 500
LAYERS = ("reset", "tokens", "base", "layout", "components", "utilities")
# Django's rules are in no layer, so those that overrule them are in none either.
WITHOUT_LAYER = {"admin.css", "upload.css"}
ROOT: Path = settings.BASE_DIR
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
PARSERS = sorted((ROOT / "experiments" / "formats").rglob("*.py"))
STYLESHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
COLOUR = re.compile(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(|light-dark\(", re.IGNORECASE)


def test_modules_that_read_formats_are_short() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PARSERS}
    too_long = {str(path.relative_to(ROOT)): count for path, count in lines.items()}
    assert {name: count for name, count in too_long.items() if count > LONGEST_PARSER} == {}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_template_is_short_and_has_no_style_of_its_own(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_TEMPLATE
    assert not re.search(r"<style|<[a-z][^>%]*\sstyle=", text)


@pytest.mark.parametrize("path", STYLESHEETS, ids=lambda path: path.name)
def test_stylesheet_is_short_in_its_layer_and_takes_colours_from_the_tokens(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(text.splitlines()) <= LONGEST_STYLESHEET
    assert "!important" not in text
    layers = re.findall(r"^@layer ([\w, ]+)", text, flags=re.MULTILINE)
    if path.name == "reset.css":
        assert layers.pop(0) == ", ".join(LAYERS)
    if path.name not in WITHOUT_LAYER:
        assert len(layers) == 1
        assert layers[0].strip() in LAYERS
        assert re.fullmatch(
            r"(@layer [\w, ]+;)?\s*@layer \w+ \{.*\}", text.strip(), flags=re.DOTALL
        )
    if path.name != "tokens.css":
        assert COLOUR.findall(text) == []
