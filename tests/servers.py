"""PostgreSQL servers that tests start for themselves, away from the site's own data."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.db import connection

from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer

SOCKET_DIR = "BENCHSITE_TESTS_SOCKET_DIR"
# What a killed process wrote is with the kernel: only a machine that stops would lose it.
WITHOUT_FSYNC = {"fsync": "off", "full_page_writes": "off"}


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

    Under xdist the controlling process comes here first, and its workers use what it started.
    """
    if SOCKET_DIR in os.environ:
        yield os.environ[SOCKET_DIR]
        return
    with temporary_folder() as folder:
        places = find_places(folder, may_move=False)
        with EmbeddedServer(places, settings=WITHOUT_FSYNC):
            os.environ[SOCKET_DIR] = str(places.socket_dir)
            try:
                yield os.environ[SOCKET_DIR]
            finally:
                del os.environ[SOCKET_DIR]


def url_of_the_tests() -> str:
    """Return the address of the database that the running test works on."""
    name = quote(str(connection.settings_dict["NAME"]))
    if settings.SITE.database_url is not None:
        return urlsplit(settings.SITE.database_url)._replace(path=f"/{name}").geturl()
    return f"postgres://postgres@/{name}?host={quote(os.environ[SOCKET_DIR])}"


def url_of(server: EmbeddedServer) -> str:
    """Return the address of the server's database, whose socket's folder may have any name."""
    return f"postgres://postgres@/benchsite?host={quote(str(server.places.socket_dir))}"
