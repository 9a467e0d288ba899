"""kill -9 of each process of `make run`: nothing stays behind, nothing is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import pytest

from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer
from tests.faults.processes import children, descendants, is_running
from tests.faults.sites import Site, await_page, document, site_on
from tests.servers import temporary_folder, url_of
from tests.setup.test_embedded import on_linux, pid_of, wait_for_end

pytestmark = on_linux

# A query that does not look up from its work, and so does not notice that its server is gone.
BUSY = "SELECT count(*) FROM generate_series(1, 1000000000)"
HOLD_BUSY = """
import sys, psycopg
with psycopg.connect(sys.argv[1]) as session:
    print(session.info.backend_pid, flush=True)
    session.execute(sys.argv[2])
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return the data folder of one site that is killed again and again."""
    with temporary_folder() as folder:
        yield folder


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    """Serve the site as `make run` does, on its embedded server."""
    server = EmbeddedServer(find_places(folder, may_move=False))
    variables = {"DATABASE_URL": "", "BENCHSITE_DATA_DIR": str(folder)}
    with site_on(server, folder, **variables) as site:
        yield site


def gunicorn_of(site: Site) -> int:
    """Return the number of the web server's first process."""
    (gunicorn,) = (pid for pid in children(site.process.pid) if is_running(pid, "gunicorn"))
    return gunicorn


@pytest.mark.parametrize("victim", ["parent", "gunicorn"])
def test_without_its_parent_or_web_server_everything_ends(site: Site, victim: str) -> None:
    assert site.upload(document()).status == HTTPStatus.CREATED
    before, pids = site.kept(), descendants(site.process.pid)
    os.kill(site.process.pid if victim == "parent" else gunicorn_of(site), signal.SIGKILL)
    assert all(wait_for_end(pid) for pid in pids)
    assert site.process.wait() != 0
    assert not (site.server.cluster / "postmaster.pid").exists()  # it was shut down in order
    with EmbeddedServer(site.server.places):
        assert site.kept() == before


def test_a_killed_worker_is_replaced(site: Site) -> None:
    worker = children(gunicorn_of(site))[0]
    os.kill(worker, signal.SIGKILL)
    assert wait_for_end(worker)
    assert site.get("/").status == HTTPStatus.OK


def test_a_killed_database_server_comes_back_though_a_session_is_busy(site: Site) -> None:
    sent = document()
    assert site.upload(sent).status == HTTPStatus.CREATED
    hold = [sys.executable, "-c", HOLD_BUSY, url_of(site.server), BUSY]
    with subprocess.Popen(hold, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
        assert client.stdout is not None
        busy = int(client.stdout.readline())
        killed = pid_of(site.server)
        os.kill(killed, signal.SIGKILL)
        assert wait_for_end(killed)
        await_page(site)
        assert wait_for_end(busy)
    assert site.upload(sent).json["outcome"] == "unchanged"


def test_a_site_goes_on_when_the_one_that_started_its_server_ends(site: Site, folder: Path) -> None:
    variables = {"DATABASE_URL": "", "BENCHSITE_DATA_DIR": str(folder)}
    with site_on(site.server, folder, **variables) as second:
        database = pid_of(site.server)
        site.process.terminate()
        assert wait_for_end(database)
        await_page(second)
        assert second.upload(document()).status == HTTPStatus.CREATED


def test_all_killed_at_once_start_again(site: Site) -> None:
    assert site.upload(document()).status == HTTPStatus.CREATED
    before = site.kept()
    for pid in [site.process.pid, *descendants(site.process.pid)]:
        with suppress(ProcessLookupError):  # gone with those it belonged to
            os.kill(pid, signal.SIGKILL)
    site.process.wait()
    with EmbeddedServer(site.server.places):
        assert site.kept() == before
