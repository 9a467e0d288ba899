"""Sites that faults happen to."""

from collections.abc import Iterator

import pytest

from tests.faults.sites import Site, new_site
from tests.servers import temporary_folder


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Serve one site for all tests of a module: each finds it as the one before left it."""
    with temporary_folder() as folder, new_site(folder) as site:
        yield site
