"""A data folder that the embedded server can use, also as root."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import temporary_folder


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Return an empty private folder: pytest's own one is out of reach for root's server."""
    with temporary_folder() as folder:
        yield folder
