"""Restarts of the site under load: no request fails, whoever sends it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import pytest

from benchsite import env
from tests.experiments.samples import SEED
from tests.setup.test_embedded import on_linux, wait_for_end
from tests.setup.test_serve import free_port, serving

RESTARTS = 3
CLIENTS_OF_A_KIND = 4
ANSWERS_BETWEEN = 25  # of each client, before the next restart and after the last
PATIENCE_S = 60
PATHS = ("/", "/api/runs", "/api/grouped-performance", "/health", "/metrics/")
UPLOAD = json.dumps(SEED).encode()


class Load:
    """Clients that send one request after another and count answers and failures."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.failures: list[str] = []
        self.answers: list[int] = []
        self._changed = threading.Condition()
        self._is_over = False

    def client(self, number: int, keep_alive: bool) -> None:
        """Send requests until the load is over; a kept connection is reopened when told so only."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE_S)
        headers = {} if keep_alive else {"Connection": "close"}
        while not self._is_over:
            path = PATHS[self.answers[number] % len(PATHS)]
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                failure = "" if answer.status == HTTPStatus.OK else f"status {answer.status}"
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                failure = repr(error)
            with self._changed:
                if failure:
                    self.failures.append(f"client {number}, {path}: {failure}")
                self.answers[number] += 1
                self._changed.notify_all()
        connection.close()

    def run(self, steps: Callable[["Load"], None]) -> None:
        """Do the steps while all clients send."""
        kinds = [keep_alive for keep_alive in (True, False) for _ in range(CLIENTS_OF_A_KIND)]
        self.answers = [0] * len(kinds)
        with ThreadPoolExecutor(len(kinds)) as threads:
            running = [threads.submit(self.client, *kind) for kind in enumerate(kinds)]
            try:
                self.await_answers()
                steps(self)
            finally:
                self._is_over = True
        for client in running:
            client.result()

    def await_answers(self) -> None:
        """Wait until each client had some more answers."""
        with self._changed:
            before = list(self.answers)
            assert self._changed.wait_for(
                lambda: all(
                    now >= then + ANSWERS_BETWEEN
                    for now, then in zip(self.answers, before, strict=True)
                ),
                PATIENCE_S,
            )


def gunicorn_pids(site: "subprocess.Popen[str]") -> set[int]:
    """Return the numbers of the site's child processes that are gunicorn."""
    children = Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()
    commands = {int(pid): Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children}
    return {pid for pid, command in commands.items() if b"gunicorn" in command}


def restart(site: "subprocess.Popen[str]") -> None:
    """Ask for a restart and wait until the site says that it is done."""
    assert site.stdout is not None
    site.send_signal(signal.SIGUSR2)
    assert site.stdout.readline() == "Restarted.\n"


def made_token(data_dir: Path) -> str:
    """Make a token beside the running site."""
    return subprocess.run(
        [sys.executable, "manage.py", "create_token", "loader", "--scope", "upload"],
        cwd=env.BASE_DIR,
        env=os.environ | {"BENCHSITE_DATA_DIR": str(data_dir), "DATABASE_URL": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@on_linux
def test_no_request_fails_during_restarts_under_load(
    data_dir: Path, record_property: Callable[[str, object], None]
) -> None:
    port = free_port()
    with serving(data_dir, port) as (site, _said):
        first = gunicorn_pids(site)

        def restart_often(load: Load) -> None:
            for _ in range(RESTARTS):
                restart(site)
                load.await_answers()

        load = Load(port)
        load.run(restart_often)
        assert load.failures == []
        assert all(wait_for_end(pid) for pid in first)
        record_property("requests", sum(load.answers))
        print(f"\n{sum(load.answers)} requests over {RESTARTS} restarts, none failed")
        site.send_signal(signal.SIGTERM)
        assert site.wait(30) == 0


@on_linux
def test_an_upload_that_began_before_a_restart_is_taken(data_dir: Path) -> None:
    port = free_port()
    with serving(data_dir, port) as (site, _said):
        token = made_token(data_dir)
        with closing(http.client.HTTPConnection("127.0.0.1", port, PATIENCE_S)) as client:
            client.putrequest("POST", "/api/uploads")
            client.putheader("Authorization", f"Bearer {token}")
            client.putheader("Content-Type", "application/json")
            client.putheader("Content-Length", str(len(UPLOAD)))
            client.endheaders(UPLOAD[:100])
            restart(site)
            client.send(UPLOAD[100:])
            answer = client.getresponse()
            assert answer.status == HTTPStatus.CREATED
            assert json.load(answer)["outcome"] == "created"
        site.send_signal(signal.SIGTERM)
        assert site.wait(30) == 0


@on_linux
def test_a_restart_that_fails_leaves_the_site_as_it_is(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new processes import a module that ends them; the first ones had none of it."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    port = free_port()
    with serving(data_dir, port) as (site, _said):
        before = gunicorn_pids(site)
        (tmp_path / "brotli.py").write_text("raise ImportError('a broken release')\n")
        site.send_signal(signal.SIGUSR2)
        assert site.stdout is not None
        said = site.stdout.readline()
        assert said == "Not restarted: the new processes failed, the earlier ones go on.\n"
        assert gunicorn_pids(site) == before
        with closing(http.client.HTTPConnection("127.0.0.1", port, PATIENCE_S)) as client:
            client.request("GET", "/")
            assert client.getresponse().status == HTTPStatus.OK
        site.send_signal(signal.SIGTERM)
        assert site.wait(30) == 0
