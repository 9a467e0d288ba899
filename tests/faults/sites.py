"""A site of several processes on a PostgreSQL of the test's own, and clients that fail it."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg

from benchsite import env
from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer
from tests.factories import experiment
from tests.servers import WITHOUT_FSYNC, url_of
from tests.setup.test_serve import free_port

Session = psycopg.Connection[tuple[Any, ...]]
PATIENCE_S = 60
KEPT = ("experiments_upload", "experiments_uploadcontent", "experiments_testrun")
LAST_TABLE = "experiments_uploaditem"  # an upload writes to it when all else is written


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The text as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Site:
    """`manage.py serve` with DATABASE_URL: nobody but the test stops and starts the server."""

    server: EmbeddedServer
    process: "subprocess.Popen[str]"
    port: int
    token: str

    def get(self, path: str) -> Answer:
        """Ask for a page on a connection of its own."""
        return self._ask("GET", path, None, {})

    def upload(self, body: bytes, content_type: str = "application/json") -> Answer:
        """Send a file to the API."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        return self._ask("POST", "/api/uploads", body, headers)

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE_S)) as client:
            # A server that cannot take a body answers before it has read all of it.
            with suppress(BrokenPipeError, ConnectionResetError):
                client.request(method, path, body, headers)
            response = client.getresponse()
            return Answer(response.status, response.read().decode())

    def session(self) -> Session:
        """Open a session of the test's own on the site's database."""
        return psycopg.connect(url_of(self.server), autocommit=True)

    def kept(self) -> dict[str, int]:
        """Count what the site keeps."""
        with self.session() as session:
            return {table: _count(session, table) for table in KEPT}

    @contextmanager
    def uploads_blocked(self) -> Iterator[Callable[[], None]]:
        """Let uploads wait in their transaction, their runs written; yields "until one waits"."""
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"

        def await_upload() -> None:
            while _first(blocker, waiting, LAST_TABLE) == 0:
                assert self.process.poll() is None

        with closing(self.session()) as blocker:
            blocker.execute(f"BEGIN; LOCK TABLE {LAST_TABLE} IN SHARE MODE".encode())
            yield await_upload

    @contextmanager
    def blocked_upload(self, sent: bytes) -> Iterator[Future[Answer]]:
        """Begin an upload that waits meanwhile in its transaction, its runs written."""
        with ThreadPoolExecutor() as client, self.uploads_blocked() as await_upload:
            upload = client.submit(self.upload, sent)
            await_upload()
            yield upload

    def await_no_transaction(self) -> None:
        """Return when no session of the site's has a transaction open any more."""
        others = (
            "SELECT count(*) FROM pg_stat_activity WHERE xact_start IS NOT NULL"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        with self.session() as session:
            while _first(session, others):
                assert self.process.poll() is None


def document() -> bytes:
    """Return a new file with one run."""
    return json.dumps(experiment()).encode()


def await_page(site: Site) -> None:
    """Return when the start page works again; until then it is a 503, never another failure."""
    deadline = time.monotonic() + PATIENCE_S
    while (status := site.get("/").status) != HTTPStatus.OK:
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
        assert time.monotonic() < deadline


@contextmanager
def site_on(server: EmbeddedServer, folder: Path, **variables: str) -> Iterator[Site]:
    """Serve a new site on a server that runs, from a data folder of its own."""
    port = free_port()
    environment = os.environ | {
        "BENCHSITE_DATA_DIR": str(folder / "site"),
        "DATABASE_URL": url_of(server),
        "PORT": str(port),
        **variables,
    }
    manage = [sys.executable, "manage.py"]
    with subprocess.Popen(
        [*manage, "serve"], cwd=env.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = list(iter(process.stdout.readline, f"Ready: http://127.0.0.1:{port}/\n"))
            assert process.poll() is None, said
            token = subprocess.run(
                [*manage, "create_token", "faults", "--scope=upload", "--scope=curate"],
                cwd=env.BASE_DIR,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            yield Site(server, process, port, token.stdout.strip())
        finally:
            process.terminate()
            process.wait()


@contextmanager
def new_site(folder: Path, **variables: str) -> Iterator[Site]:
    """Serve a new site on a server of its own; both keep their files in the folder."""
    places = find_places(folder, may_move=False)
    server = EmbeddedServer(places, settings=WITHOUT_FSYNC)
    with server, site_on(server, folder, **variables) as site:
        yield site


def _count(session: Session, table: str) -> int:
    return int(str(_first(session, f"SELECT count(*) FROM {table}")))


def _first(session: Session, question: str, *values: str) -> object:
    row = session.execute(question.encode(), values).fetchone()
    assert row is not None
    return row[0]
