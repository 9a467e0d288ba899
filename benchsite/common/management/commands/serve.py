"""`manage.py serve`: prepare the site, serve it, say when it answers, and stop it all together."""

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from benchsite.common.maintenance import maintenance_notice
from benchsite.database import running_server
from benchsite.processes import start_child

BACKLOG = 2048
GUNICORN_ARGUMENTS = ["--config=python:benchsite.gunicorn_conf", "benchsite.wsgi"]
FIRST_ANSWER_TIMEOUT_S = 60
GUNICORN_STOP_TIMEOUT_S = 15  # above its own graceful_timeout
DATABASE_CHECK_S = 1


class Command(BaseCommand):
    """The whole site in the foreground; Ctrl-C or SIGTERM ends it."""

    help = "Prepare and serve the site until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --host: the port comes from PORT."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")

    def handle(self, *args: Any, host: str, **options: Any) -> None:
        """Run until a signal arrives or the web server ends by itself."""
        # Both end the site alike; a shell starts background jobs with SIGINT ignored.
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.default_int_handler)
        port: int = settings.SITE.port
        try:
            with _bound_socket(host, port) as listener:
                call_command("prepare")
                connections.close_all()
                with _gunicorn(listener) as gunicorn:
                    _await_first_answer(host, port)
                    self.stdout.write(f"Ready: http://{host}:{port}/")
                    self.stdout.flush()
                    _supervise(gunicorn)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")


def _bound_socket(host: str, port: int) -> socket.socket:
    """Take the port before any work is done for it; it does not listen yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"{host}:{port} cannot be listened on ({error.strerror}): choose another port, for "
            f"example PORT={port + 1} make run."
        ) from error
    return listener


@contextmanager
def _gunicorn(listener: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn on the socket, which is closed here: it is gone when gunicorn is."""
    listener.listen(BACKLOG)
    bind = f"--bind=fd://{listener.fileno()}"
    gunicorn = start_child(
        [sys.executable, "-m", "gunicorn", *GUNICORN_ARGUMENTS, bind],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for this process alone, which then stops gunicorn
        death_signal=signal.SIGTERM,
        cwd=settings.BASE_DIR,
        pass_fds=[listener.fileno()],
    )
    listener.close()
    try:
        yield gunicorn
    finally:
        gunicorn.terminate()
        try:
            gunicorn.wait(GUNICORN_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            gunicorn.kill()
            gunicorn.wait()


def _await_first_answer(host: str, port: int) -> None:
    """Ask for the home page: the request waits in the socket's queue until a worker takes it."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on
    server = http.client.HTTPConnection(loopback.get(host, host), port, FIRST_ANSWER_TIMEOUT_S)
    try:
        server.request("GET", "/", headers={"Host": "localhost"})
        status = server.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"The web server did not answer ({error}).") from error
    finally:
        server.close()
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR and maintenance_notice() is None:
        raise CommandError(f"The home page answered with status {status}; see the messages above.")


def _supervise(gunicorn: subprocess.Popen[bytes]) -> None:
    """Wait for gunicorn's end; meanwhile restart an embedded server that someone else stopped.

    That is so after a crash, or when this site used the server of a command that ended first.
    """
    with running_server(settings.SITE) as database:
        while True:
            try:
                status = gunicorn.wait(DATABASE_CHECK_S)
            except subprocess.TimeoutExpired:
                if database is not None:
                    database.ensure_running()
            else:
                raise CommandError(f"The web server ended by itself, with status {status}.")
