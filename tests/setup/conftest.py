"""A data folder that the embedded server can use, also as root."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Return an empty private folder: pytest's own one is out of reach for root's server."""
    folder = Path(tempfile.mkdtemp(prefix="a benchsite "))
    yield folder
    shutil.rmtree(folder)
