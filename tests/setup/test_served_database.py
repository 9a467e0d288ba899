"""The served site and its database: one that hangs, one that is slow, and what visitors see."""

import http.client
import json
import os
import signal
import time
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import psycopg
import pytest

from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer
from tests.setup.test_embedded import on_linux, pid_of
from tests.setup.test_serve import free_port, serving

QUICK_S = 10  # for an answer that waits two seconds, on a machine with other work


def ask_site(port: int, path: str) -> tuple[int, "http.client.HTTPMessage", bytes]:
    """Return status, headers and body of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", path)
        answer = client.getresponse()
        return answer.status, answer.headers, answer.read()


@on_linux
def test_health_is_quick_though_the_database_hangs(data_dir: Path) -> None:
    port = free_port()
    server = EmbeddedServer(find_places(data_dir, may_move=False))
    with serving(data_dir, port) as (site, _said):
        status, headers, body = ask_site(port, "/health")
        assert (status, json.loads(body)) == (HTTPStatus.OK, {"status": "ok", "database": "ok"})
        assert "no-store" in headers["Cache-Control"]
        database_pid = pid_of(server)
        os.kill(database_pid, signal.SIGSTOP)  # takes no new connection, answers nothing
        try:
            started = time.monotonic()
            status, headers, body = ask_site(port, "/health")
            assert time.monotonic() - started < QUICK_S
        finally:
            os.kill(database_pid, signal.SIGCONT)
        assert (status, json.loads(body)["database"]) == (
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unreachable",
        )
        assert "no-store" in headers["Cache-Control"]
        assert ask_site(port, "/health")[0] == HTTPStatus.OK
        site.send_signal(signal.SIGTERM)
        assert site.wait(30) == 0


@on_linux
def test_a_page_that_waits_too_long_says_so_and_the_next_one_works(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHSITE_STATEMENT_TIMEOUT_S", "1")
    port = free_port()
    server = EmbeddedServer(find_places(data_dir, may_move=False))
    with serving(data_dir, port) as (site, _said):
        with psycopg.connect(
            host=str(server.places.socket_dir), user="postgres", dbname="benchsite"
        ) as connection:
            connection.execute("LOCK TABLE experiments_configuration IN ACCESS EXCLUSIVE MODE")
            status, headers, body = ask_site(port, "/")
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
        assert headers["Retry-After"] == "60"
        assert b"longer than the site allows" in body
        assert ask_site(port, "/")[0] == HTTPStatus.OK
        site.send_signal(signal.SIGTERM)
        assert site.wait(30) == 0


def test_the_log_of_the_database_holds_no_values(data_dir: Path) -> None:
    server = EmbeddedServer(find_places(data_dir, may_move=False))
    with (
        server,
        psycopg.connect(
            host=str(server.places.socket_dir), user="postgres", dbname="benchsite"
        ) as connection,
    ):
        connection.execute("CREATE TABLE kept (value text UNIQUE)")
        with pytest.raises(psycopg.errors.UniqueViolation, match="very secret"):
            connection.execute("INSERT INTO kept VALUES ('very secret'), ('very secret')")
    said = server.places.log_file.read_text()
    assert "duplicate key value violates unique constraint" in said
    assert "very secret" not in said
