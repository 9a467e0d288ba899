"""PostgreSQL servers that tests start for themselves, away from the site's own data."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.db import connection

from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer

# What a killed process wrote is with the kernel: only a machine that stops would lose it.
WITHOUT_FSYNC = {"fsync": "off", "full_page_writes": "off"}
# Whoever finds a table empty for a moment would tell the planner so for the rest of the tests, and
# a minute of some would become many: as nothing is told, it expects a few hundred rows.
OF_TESTS = {**WITHOUT_FSYNC, "autovacuum": "off"}


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that root's server can reach too, as pytest's own ones are not."""
    folder = Path(tempfile.mkdtemp(prefix="a benchsite "))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def of_the_tests() -> Iterator[str]:
    """Run one server for all tests, and yield its socket's folder.

    DATABASE_URL names it to the workers of xdist, and to every command that a test runs.
    """
    with temporary_folder() as folder:
        server = EmbeddedServer(find_places(folder, may_move=False), settings=OF_TESTS)
        with server:
            os.environ["DATABASE_URL"] = url_of(server)
            try:
                yield str(server.places.socket_dir)
            finally:
                del os.environ["DATABASE_URL"]


def url_of_the_tests() -> str:
    """Return the address of the database that the running test works on."""
    name = quote(str(connection.settings_dict["NAME"]))
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def url_of(server: EmbeddedServer) -> str:
    """Return the address of the server's database, whose socket's folder may have any name."""
    return f"postgres://postgres@/benchsite?host={quote(str(server.places.socket_dir))}"
