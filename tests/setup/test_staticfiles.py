"""Static files: Plotly's script, its compression, the fingerprint, releases one after another."""

import json
import os
import time
from pathlib import Path

import brotli
from django.contrib.staticfiles import finders
from pytest_django import Settings

from benchsite.staticfiles import (
    KEPT_S,
    PlotlyFinder,
    QuickCompressor,
    collect_static,
    static_fingerprint,
)


def test_plotly_is_found_in_its_package() -> None:
    path = finders.find("vendor/plotly.min.js")
    assert isinstance(path, str)
    assert Path(path).parent.name == "package_data"
    assert Path(path).stat().st_size > 1_000_000
    assert not finders.find("vendor/no-such.js")
    assert PlotlyFinder().check() == []


def test_plotly_is_listed_below_vendor() -> None:
    (entry,) = PlotlyFinder().list([])
    assert (entry[0], entry[1].prefix) == ("plotly.min.js", "vendor")


def test_compress_brotli_can_be_undone() -> None:
    script = b"let a = 1;\n" * 1000
    assert brotli.decompress(QuickCompressor.compress_brotli(script)) == script


def test_static_fingerprint_follows_names_and_content(tmp_path: Path, settings: Settings) -> None:
    settings.STATICFILES_DIRS = [tmp_path]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    seen = set()
    for name, content in [("a.css", "x"), ("a.css", "y"), ("b.css", "y")]:
        (tmp_path / name).write_text(content)
        assert static_fingerprint() == static_fingerprint()
        seen.add(static_fingerprint())
    assert len(seen) == 3


def test_files_of_an_earlier_release_stay_for_pages_that_are_open(
    tmp_path: Path, settings: Settings
) -> None:
    source, root = tmp_path / "source", tmp_path / "root"
    source.mkdir()
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [source], root
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    released = []
    for content in ("a { color: red }", "a { color: blue }"):
        (source / "a.css").write_text(content * 50)
        collect_static()
        released.append(json.loads((root / "staticfiles.json").read_text())["paths"]["a.css"])
    first, second = (root / name for name in released)
    assert "red" in first.read_text()
    assert "blue" in second.read_text()
    assert brotli.decompress(second.with_name(f"{second.name}.br").read_bytes()) == (
        second.read_bytes()
    )
    assert not (root / "a.css").exists()
    assert not list(root.glob(".new-*"))
    long_ago = time.time() - KEPT_S - 1
    os.utime(first, (long_ago, long_ago))
    os.utime(second, (long_ago, long_ago))
    collect_static()
    assert not first.exists()
    assert second.exists()
