"""Answers are made once for the same data, and never served when a write has returned."""

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from redis import Redis

from benchmarks.models import ModelVariant
from benchsite.caches import connection_settings
from tests.common.quiet import while_nothing_is_written
from tests.experiments.senders import Sender
from tests.factories import experiment, make_run, make_staff

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PAGES = ("/", "/?view=all&format=csv", "/api/runs", "/api/grouped-performance")


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def other_session() -> Iterator[psycopg.Connection]:
    """Open a second session on the test's database, which commits when told to."""
    with psycopg.connect(**connection.get_connection_params()) as session:
        yield session
        session.rollback()


def rename(session: psycopg.Connection, name: str) -> None:
    session.execute("UPDATE benchmarks_modelvariant SET model_name = %s", [name])


@pytest.mark.parametrize("address", PAGES)
def test_the_same_data_gives_the_same_answer_for_one_query(client: Client, address: str) -> None:
    make_run()

    def twice() -> tuple[Any, Any, int]:
        first = client.get(address)
        with CaptureQueriesContext(connection) as queries:
            second = client.get(address)
        return first, second, len(queries)

    first, second, queries = while_nothing_is_written(twice)
    assert queries == 1
    assert second.content == first.content
    assert second.headers["ETag"] == first.headers["ETag"]
    assert second.headers["Cache-Control"] == "no-cache"
    for name in ("Content-Type", "Content-Security-Policy", "X-Frame-Options"):
        assert second.headers[name] == first.headers[name]
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]


@pytest.mark.parametrize("address", PAGES[:4])
def test_who_has_the_answer_is_told_so_until_a_write_returns(client: Client, address: str) -> None:
    run = make_run()

    def again() -> tuple[str, Any, Any]:
        tag = client.get(address).headers["ETag"]
        known = {"If-None-Match": tag}
        return tag, client.get(address, headers=known), client.head(address, headers=known)

    tag, told, told_head = while_nothing_is_written(again)
    assert (told.status_code, told.content, told.headers["ETag"]) == (304, b"", tag)
    assert told_head.status_code == 304
    ModelVariant.objects.filter(pk=run.variant_id).update(model_name="Stratus-7B-renamed")
    answer = client.get(address, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert b"Stratus-7B-renamed" in answer.content


def test_what_is_not_committed_is_neither_shown_nor_kept(
    client: Client, other_session: psycopg.Connection
) -> None:
    make_run()
    rename(other_session, "Nimbus-renamed")
    before = client.get("/")
    assert b"Nimbus-renamed" not in before.content
    other_session.commit()
    assert b"Nimbus-renamed" in client.get("/").content


def test_a_transaction_that_has_written_keeps_nothing(client: Client) -> None:
    run = make_run()
    old = client.get("/").headers["ETag"]
    with transaction.atomic():
        ModelVariant.objects.filter(pk=run.variant_id).update(model_name="Never-committed")
        within = client.get("/", headers={"If-None-Match": old})
        assert b"Never-committed" in within.content
        assert "ETag" not in within.headers
        transaction.set_rollback(True)
    assert b"Never-committed" not in client.get("/").content


def test_no_write_that_returned_is_ever_missed(client: Client) -> None:
    """Readers ask all the time, in sessions of their own, while runs come and are replaced."""
    sender = Sender(Client(), "upload")
    run = experiment()
    assert sender.send(run).status_code == 201
    stop: list[bool] = []

    def read() -> int:
        reader, asked = Client(), 0
        while not stop:
            assert reader.get("/").status_code == 200
            asked += 1
        connection.close()
        return asked

    with ThreadPoolExecutor(3) as readers:
        reads = [readers.submit(read) for _reader in range(3)]
        try:
            for number in range(25):
                changed = run | {"notes": f"note {number}", "max_context_length": 1000 + number}
                assert sender.send(changed, replace=True).status_code == 201
                shown = client.get(f"/api/detail/{run['id']}").json()
                assert shown["workload"]["max_context_length"] == 1000 + number
                assert f"note {number}" in client.get(f"/detail/{run['id']}/").content.decode()
        finally:
            stop.append(True)
        assert all(asked.result() > 1 for asked in reads)


def test_fragments_and_encodings_are_answers_of_their_own(client: Client) -> None:
    make_run()

    def each_twice() -> list[tuple[Any, Any]]:
        asked: list[dict[str, str]] = [{}, {"HX-Request": "true"}, {"Accept-Encoding": "gzip"}]
        answers = [client.get("/", headers=headers) for headers in asked]
        return [
            (answer, client.get("/", headers=headers))
            for answer, headers in zip(answers, asked, strict=True)
        ]

    pairs = while_nothing_is_written(each_twice)
    assert len({first.headers["ETag"] for first, _second in pairs}) == 3
    assert all(first.content == second.content for first, second in pairs)
    assert len({first.content for first, _second in pairs}) == 3
    assert pairs[2][1].headers["Content-Encoding"] == "gzip"


def test_people_logged_in_and_tokens_get_answers_of_their_own(client: Client) -> None:
    make_run()
    tag = client.get("/").headers["ETag"]
    curator = Client()
    curator.force_login(make_staff(name="ada"))
    own = curator.get("/", headers={"If-None-Match": tag})
    assert own.status_code == 200
    assert "ETag" not in own.headers
    assert b"Log out" in own.content
    assert b"Log out" not in client.get("/").content
    refused = client.get("/api/runs", headers={"Authorization": "Bearer wrong"})
    assert refused.status_code == 401


def test_a_private_site_keeps_nothing(client: Client, settings: Settings) -> None:
    make_run()
    tag = client.get("/").headers["ETag"]
    settings.BENCHSITE_PUBLIC = False
    for address in ("/", "/api/runs"):
        answer = client.get(address, headers={"If-None-Match": tag})
        assert answer.status_code in (302, 401)
        assert "ETag" not in answer.headers


@pytest.mark.parametrize("address", ["/?min_speed=fast", "/nothing/", "/api/detail/none"])
def test_refusals_have_no_tag(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code >= 400
    assert "ETag" not in answer.headers


def test_maintenance_stands_before_what_was_kept(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    assert client.get("/").status_code == 200
    settings.SITE = replace(settings.SITE, data_dir=tmp_path)
    (tmp_path / "maintenance").write_text("Back at noon.")
    assert client.get("/").status_code == 503


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """Run a Redis on a socket."""
    program = shutil.which("redis-server")
    assert program, "There is no redis-server: on Debian, apt-get install redis-server."
    socket = tmp_path / "redis.sock"
    process = subprocess.Popen(
        [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--daemonize", "no"],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "ready to accept connections" in line.lower():
            break
    yield f"unix://{socket}"
    process.terminate()
    process.communicate()


def test_a_redis_keeps_answers_and_may_go_away(
    client: Client, settings: Settings, redis_url: str
) -> None:
    make_run()
    settings.CACHES = {"default": connection_settings(redis_url)}
    with Redis.from_url(redis_url) as session:

        def twice() -> tuple[Any, Any, int, Any]:
            session.flushdb()
            first = client.get("/")
            with CaptureQueriesContext(connection) as queries:
                second = client.get("/")
            return first, second, len(queries), session.dbsize()

        first, second, queries, size = while_nothing_is_written(twice)
        assert (second.content, queries, size) == (first.content, 1, 1)
        session.shutdown(nosave=True)
    again = client.get("/")
    assert (again.status_code, again.content) == (200, first.content)
