"""A worker, or the client, is gone in the middle of an upload; a statement takes too long."""

import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus

import pytest

from tests.faults.processes import children
from tests.faults.sites import Site, document, new_site
from tests.servers import temporary_folder
from tests.setup.test_embedded import on_linux, wait_for_end

pytestmark = on_linux


@pytest.fixture(scope="module")
def impatient_site() -> Iterator[Site]:
    """Serve a site whose statements end after a second."""
    with temporary_folder() as folder, new_site(folder, BENCHSITE_STATEMENT_TIMEOUT_S="1") as site:
        yield site


def workers(site: Site) -> list[int]:
    """Return the numbers of the processes that answer."""
    (gunicorn,) = children(site.process.pid)
    return children(gunicorn)


def sent_head(site: Site, length: int) -> socket.socket:
    """Connect and send the head of an upload."""
    client = socket.create_connection(("127.0.0.1", site.port))
    head = [
        "POST /api/uploads HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {site.token}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    client.sendall("\r\n".join([*head, "", ""]).encode())
    return client


def test_killed_workers_leave_nothing_half_written(site: Site) -> None:
    before, sent = site.kept(), document()
    with site.blocked_upload(sent) as upload:
        for pid in workers(site):
            os.kill(pid, signal.SIGKILL)
            assert wait_for_end(pid)
        assert isinstance(upload.exception(), ConnectionError)
    site.await_no_transaction()
    assert site.kept() == before
    assert site.get("/").status == HTTPStatus.OK
    assert site.upload(sent).status == HTTPStatus.CREATED


@pytest.mark.parametrize("is_reset", [False, True])
def test_a_connection_that_breaks_in_the_middle_of_a_file_leaves_nothing(
    site: Site, is_reset: bool
) -> None:
    before, sent = site.kept(), document()
    with closing(sent_head(site, len(sent))) as client:
        client.sendall(sent[: len(sent) // 2])
        if is_reset:  # as when the machine is gone, not only its program
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert site.upload(document()).status == HTTPStatus.CREATED
    assert site.kept() == {table: count + 1 for table, count in before.items()}
    assert site.upload(sent).status == HTTPStatus.CREATED


def test_a_client_that_does_not_wait_for_the_answer_is_told_at_the_next_try(site: Site) -> None:
    before, sent = site.kept(), document()
    with site.uploads_blocked() as await_upload, closing(sent_head(site, len(sent))) as client:
        client.sendall(sent)
        await_upload()
        client.close()
    site.await_no_transaction()
    assert site.upload(sent).json["outcome"] == "unchanged"
    assert site.kept() == {table: count + 1 for table, count in before.items()}


def test_an_upload_behind_a_long_change_is_a_503_and_works_later(impatient_site: Site) -> None:
    site, sent = impatient_site, document()
    before = site.kept()
    with site.blocked_upload(sent) as upload:
        answer = upload.result()
        assert site.get("/").status == HTTPStatus.OK
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert "longer than the site allows" in answer.json["error"]
    assert site.kept() == before
    assert site.upload(sent).status == HTTPStatus.CREATED
