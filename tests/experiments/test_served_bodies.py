"""Bodies on the wire, against gunicorn as the site runs it: too large, slow, broken off."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from typing import Any

import pytest
from django.conf import settings

from benchsite import env
from experiments.models import TestRun, Upload
from tests import servers
from tests.experiments.form_upload import URL
from tests.experiments.samples import SEED
from tests.experiments.tokens import bearer

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

API = "/api/uploads"
MULTIPART = "multipart/form-data; boundary=xyz"
WHOLE = json.dumps(SEED).encode()
GRACE_S = 1.0
PATIENCE_S = 30.0
CONFIGURATION = f"""
from benchsite.gunicorn_conf import *
import benchsite.workers as site_workers

site_workers.GRACE_S = {GRACE_S}


def when_ready(server):
    print("ready", flush=True)
"""


@pytest.fixture(scope="module")
def site(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """Serve the site on the test's database with little patience; yields its address.

    What the server logs is free of tracebacks: no client makes it stumble.
    """
    folder = tmp_path_factory.mktemp("served")
    configuration, log = folder / "conf.py", folder / "log.txt"
    configuration.write_text(CONFIGURATION)
    variables = {
        "DATABASE_URL": servers.url_of_the_tests(),
        "BENCHSITE_DEBUG": "true",
        "BENCHSITE_SECRET_KEY": settings.SECRET_KEY,
        "BENCHSITE_MAX_UPLOAD_MB": "1",
    }
    with socket.create_server(("127.0.0.1", 0)) as listener, log.open("w") as errors:
        command = [sys.executable, "-m", "gunicorn", "--config", str(configuration)]
        command += [f"--bind=fd://{listener.fileno()}", "benchsite.wsgi"]
        with subprocess.Popen(
            command,
            cwd=env.BASE_DIR,
            env=os.environ | variables,
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as server:
            try:
                assert server.stdout is not None
                assert server.stdout.readline() == "ready\n", log.read_text()
                yield listener.getsockname()
            finally:
                server.terminate()
    assert "Traceback" not in log.read_text()


@contextmanager
def connected(site: tuple[str, int], path: str, **headers: Any) -> Iterator[socket.socket]:
    """Connect and send the head of a POST; its body is the test's."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"POST {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in {**bearer("upload"), **named}.items()]
    with closing(socket.create_connection(site, PATIENCE_S)) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        yield client


def answer_on(client: socket.socket) -> tuple[int, str]:
    """Wait for the answer and return its status and its text."""
    response = HTTPResponse(client)
    response.begin()
    return response.status, response.read().decode()


def health(site: tuple[str, int]) -> int:
    """Ask for something else."""
    with closing(socket.create_connection(site, PATIENCE_S)) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        return answer_on(client)[0]


@pytest.mark.parametrize("path", [API, URL])
def test_200_megabytes_are_refused_before_the_first_of_them(
    site: tuple[str, int], path: str
) -> None:
    with connected(site, path, Content_Type=MULTIPART, Content_Length=200 * 1024**2) as client:
        status, text = answer_on(client)
    assert status == 413
    assert "larger than 1,048,576 bytes" in text


def test_an_endless_chunk_is_refused_at_the_limit(site: tuple[str, int]) -> None:
    kind = "application/json"
    with connected(site, API, Content_Type=kind, Transfer_Encoding="chunked") as client:
        client.sendall(f"{200 * 1024**2:x}\r\n".encode() + b"[" * (1024**2 + 1024))
        status, text = answer_on(client)
    assert (status, json.loads(text)["code"]) == (413, "too_large")


def test_a_whole_body_in_chunks_is_taken(site: tuple[str, int]) -> None:
    kind = "application/json"
    with connected(site, API, Content_Type=kind, Transfer_Encoding="chunked") as client:
        for piece in (WHOLE[:300], WHOLE[300:]):
            client.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        client.sendall(b"0\r\n\r\n")
        assert answer_on(client)[0] == 201


@pytest.mark.parametrize(
    ("path", "kind"), [(API, "application/json"), (API, MULTIPART), (URL, MULTIPART)]
)
def test_a_client_that_trickles_is_given_up_while_others_are_answered(
    site: tuple[str, int], path: str, kind: str
) -> None:
    begun = time.monotonic()
    with connected(site, path, Content_Type=kind, Content_Length=len(WHOLE)) as client:
        assert health(site) == 200
        for position in range(len(WHOLE)):
            client.sendall(WHOLE[position : position + 1])
            if select.select([client], [], [], 0.05)[0]:
                break
        status, text = answer_on(client)
    assert status == 408, text
    assert "too slowly" in text
    assert GRACE_S <= time.monotonic() - begun < PATIENCE_S
    assert not Upload.objects.exists()


def test_slow_clients_in_every_thread_hold_nobody_up_for_long(site: tuple[str, int]) -> None:
    slow = [socket.create_connection(site, PATIENCE_S) for _ in range(16)]
    try:
        for client in slow[:8]:
            client.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        for client in slow[8:]:
            client.sendall(b"GET / HT")
        assert health(site) == 200
    finally:
        for client in slow:
            client.close()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content_Length": len(WHOLE)}, WHOLE[:-100]),
        ({"Transfer_Encoding": "chunked"}, b"100\r\n" + WHOLE[:100]),
        ({"Transfer_Encoding": "chunked"}, b"64\r\n" + WHOLE[:100] + b"no chunk\r\n"),
    ],
    ids=["length", "chunk", "no chunk"],
)
def test_a_client_that_breaks_off_writes_nothing_and_the_next_is_served(
    site: tuple[str, int], headers: dict[str, Any], body: bytes
) -> None:
    with connected(site, API, Content_Type="application/json", **headers) as client:
        client.sendall(body)
        client.shutdown(socket.SHUT_WR)
        status, text = answer_on(client)
    assert (status, json.loads(text)["code"]) == (400, "unreadable")
    assert not Upload.objects.exists()
    length = len(WHOLE)
    with connected(site, API, Content_Type="application/json", Content_Length=length) as client:
        client.sendall(WHOLE)
        assert answer_on(client)[0] == 201
    assert TestRun.objects.count() == 1


def test_a_client_that_is_gone_leaves_nothing(site: tuple[str, int]) -> None:
    with connected(site, API, Content_Type="application/json", Content_Length=5000) as client:
        client.sendall(WHOLE)
    assert health(site) == 200
    assert not Upload.objects.exists()


@pytest.mark.parametrize("length", ["many", "-5", "1.5", "0x10"])
def test_a_length_that_is_no_number_is_refused(site: tuple[str, int], length: str) -> None:
    with connected(site, API, Content_Type="application/json", Content_Length=length) as client:
        assert answer_on(client)[0] == 400
