"""`manage.py serve`, run for real in another process."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchsite import env
from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer
from tests.setup.test_embedded import pid_of, wait_for_end


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def serving(data_dir: Path, port: int) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """Run the site until it says that it is ready; yields the process and what it said."""
    variables = {
        "BENCHSITE_DATA_DIR": str(data_dir),
        "BENCHSITE_ADMIN_PASSWORD": "chosen by the test",
        "DATABASE_URL": "",
        "PORT": str(port),
    }
    with subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=env.BASE_DIR,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
    ) as site:
        assert site.stdout is not None
        said = []
        for line in site.stdout:
            said.append(line.rstrip())
            if line.startswith("Ready:"):
                break
        try:
            yield site, said
        finally:
            site.kill()


def end(site: "subprocess.Popen[str]", ending: signal.Signals, server: EmbeddedServer) -> None:
    """Send the signal and see the site end cleanly, its database server with it."""
    database_pid = pid_of(server)
    site.send_signal(ending)
    assert site.wait(30) == 0
    assert wait_for_end(database_pid)


@pytest.mark.skipif(sys.platform != "linux", reason="waits on process descriptors")
def test_serve_answers_ends_and_starts_again_without_set_up(data_dir: Path) -> None:
    port = free_port()
    server = EmbeddedServer(find_places(data_dir, may_move=False))
    with serving(data_dir, port) as (site, said):
        assert said[-1] == f"Ready: http://127.0.0.1:{port}/"
        assert "Admin account: admin" in said
        assert not [line for line in said if "chosen by the test" in line]
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/admin/login/")
        answer = connection.getresponse()
        assert answer.status == http.HTTPStatus.OK
        assert b'href="/static/admin/css/base.' in answer.read()
        connection.close()
        end(site, signal.SIGINT, server)

    with serving(data_dir, port) as (site, said):
        assert said == [f"Ready: http://127.0.0.1:{port}/"]
        end(site, signal.SIGTERM, server)


def test_of_two_that_start_at_once_on_one_port_one_serves(data_dir: Path) -> None:
    variables = {
        "BENCHSITE_DATA_DIR": str(data_dir),
        "DATABASE_URL": "",
        "PORT": str(free_port()),
    }
    sites = [
        subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=env.BASE_DIR,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    with ThreadPoolExecutor() as pool:
        ends = {pool.submit(site.wait): site for site in sites}
        done, _ = wait(ends, return_when=FIRST_COMPLETED)
        refused = ends[done.pop()]
        (serving_one,) = (site for site in sites if site is not refused)
        assert serving_one.stdout is not None
        is_ready = any(line.startswith("Ready:") for line in serving_one.stdout)
        serving_one.terminate()
    complaints = [site.communicate()[1] for site in (refused, serving_one)]
    assert is_ready, complaints
    assert (refused.returncode, serving_one.returncode) == (1, 0)
    assert "cannot be listened on" in complaints[0]
    assert "Traceback" not in "".join(complaints)


def test_serve_says_that_the_port_is_taken(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        site = subprocess.run(
            [sys.executable, "manage.py", "serve"],
            cwd=env.BASE_DIR,
            env=os.environ
            | {"BENCHSITE_DATA_DIR": str(data_dir), "DATABASE_URL": "", "PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert site.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in site.stderr
    assert f"PORT={port + 1} make run" in site.stderr


def test_manage_says_what_is_wrong_with_a_variable() -> None:
    command = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=env.BASE_DIR,
        env=os.environ | {"PORT": "eighty"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.returncode == 1
    assert command.stderr == "PORT is 'eighty'; it must be a whole number from 1 to 65535.\n"
