"""The picture of the architecture, against the code: its files are there, its arrows imports."""

import re
import tomllib
from pathlib import Path

import grimp
import pytest

from benchsite import env

TEXT = (env.BASE_DIR / "docs" / "architecture.md").read_text()
PICTURE = TEXT.split("```")[1]
IMPORTLINTER = tomllib.loads((env.BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]
NAMED = re.compile(r"(?<![/\w<])((?:\w+/)*\w+\.py|(?:\w+/)+)(?=[\s,])")
ARROW = re.compile(r"(?P<file>[\w/]+\.py)[^►]*─►(?P<imported>[\w., ]+)")


def module_of(path: str) -> str:
    """Return the dotted name of a file of the picture."""
    return f"experiments.{path.removesuffix('.py').replace('/', '.')}"


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """Return who imports whom."""
    return grimp.build_graph(*IMPORTLINTER["root_packages"])


def test_every_file_of_the_picture_is_there() -> None:
    names = NAMED.findall(PICTURE)
    assert len(names) > 15
    for name in names:
        places = (env.BASE_DIR / "experiments" / name, env.BASE_DIR / name)
        assert any(place.exists() for place in places), name


def test_every_arrow_in_a_line_is_an_import(imports: grimp.ImportGraph) -> None:
    arrows = [
        (module_of(found["file"]), imported.strip())
        for line in PICTURE.splitlines()
        if (found := ARROW.search(line)) and "/," not in line
        for imported in found["imported"].split(",")
    ]
    assert len(arrows) > 8
    for importer, imported in arrows:
        assert imports.direct_import_exists(importer=importer, imported=imported), (
            importer,
            imported,
        )


def test_what_the_picture_calls_pure_is_held_by_a_contract() -> None:
    (contract,) = (c for c in IMPORTLINTER["contracts"] if c["type"] == "forbidden")
    pure = [line for line in PICTURE.splitlines() if "(pure" in line]
    names = [module_of(NAMED.findall(line)[0]) for line in pure if "<" not in line]
    assert len(names) > 2
    for name in names:
        assert any(f"{name}.".startswith(f"{held}.") for held in contract["source_modules"]), name


@pytest.mark.parametrize("document", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_the_direction_of_imports_is_that_of_the_contract(document: str) -> None:
    (contract,) = (c for c in IMPORTLINTER["contracts"] if c["type"] == "layers")
    assert f"`{' → '.join(contract['layers'])}`" in (env.BASE_DIR / document).read_text()


def test_the_files_that_contributing_names_are_there() -> None:
    text = (env.BASE_DIR / "CONTRIBUTING.md").read_text()
    named = re.findall(r"`((?:[\w.]+/)+[\w.]+)`", text)
    assert len(named) > 20
    assert [path for path in named if not (env.BASE_DIR / Path(path)).exists()] == []
