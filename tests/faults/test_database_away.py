"""The database stops and comes back during browsing and during an upload."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest

from tests.faults.sites import Site, document
from tests.setup.test_embedded import on_linux, pid_of, wait_for_end

THREADS = 8  # of both workers together: each has a connection that is dead afterwards

pytestmark = on_linux


def statuses(site: Site, path: str) -> set[int]:
    """Ask often enough at once that every thread of the site answers."""
    with ThreadPoolExecutor(2 * THREADS) as clients:
        answers = clients.map(site.get, [path] * (8 * THREADS))
        return {answer.status for answer in answers}


def test_pages_are_503_without_the_database_and_work_at_once_with_it(site: Site) -> None:
    assert statuses(site, "/") == {HTTPStatus.OK}
    site.server.stop()
    assert statuses(site, "/") == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert "The site cannot reach its database." in site.get("/").text
    assert site.get("/api/runs").json["code"] == "unavailable"
    assert site.get("/health").status == HTTPStatus.SERVICE_UNAVAILABLE
    site.server.ensure_running()
    assert statuses(site, "/") == {HTTPStatus.OK}
    assert site.get("/health").status == HTTPStatus.OK


def test_a_restart_between_two_requests_goes_unnoticed(site: Site) -> None:
    assert statuses(site, "/") == {HTTPStatus.OK}
    site.server.stop()
    site.server.ensure_running()
    assert statuses(site, "/") == {HTTPStatus.OK}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_upload_that_the_database_left_is_there_whole_or_not_at_all(
    site: Site, ending: signal.Signals
) -> None:
    before, sent = site.kept(), document()
    with site.blocked_upload(sent) as upload:
        pid = pid_of(site.server)
        os.kill(pid, ending)
        assert wait_for_end(pid)
        answer = upload.result()
    site.server.ensure_running()
    if answer.status == HTTPStatus.CREATED:  # its commit was quicker than the end
        assert site.kept() == {table: count + 1 for table, count in before.items()}
    else:
        assert (answer.status, answer.json["code"]) == (503, "unavailable")
        assert site.kept() == before
        assert site.upload(sent).status == HTTPStatus.CREATED
    assert site.upload(sent).json["outcome"] == "unchanged"
    assert site.kept() == {table: count + 1 for table, count in before.items()}
