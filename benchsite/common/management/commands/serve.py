"""`manage.py serve`: prepare the site, serve it, say when it answers, and stop it all together."""

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connections

from benchsite import env
from benchsite.common.maintenance import is_database_away, maintenance_notice
from benchsite.database import running_server
from benchsite.embedded.errors import EmbeddedError
from benchsite.webserver import WebServer, WebServerError

if TYPE_CHECKING:
    from benchsite.embedded.server import EmbeddedServer

BACKLOG = 2048
FIRST_ANSWER_TIMEOUT_S = 60
CHECK_S = 1
PID_FILE = "serve.pid"
LAST_PORT = 65535


class Command(BaseCommand):
    """The whole site in the foreground; Ctrl-C or SIGTERM ends it, SIGUSR2 takes new code."""

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
        self.trouble = ""
        self.is_replacement_due = False
        signal.signal(signal.SIGUSR2, self._note_replacement)
        port: int = settings.SITE.port
        try:
            with _bound_socket(host, port) as listener, running_server(settings.SITE) as database:
                _prepare(database)
                connections.close_all()
                _listen(listener, host, port)
                web_server = WebServer(listener)
                try:
                    web_server.start()
                    _await_first_answer(host, port, database)
                    with _pid_file(settings.SITE.data_dir / PID_FILE):
                        self._say(f"Ready: http://{host}:{port}/")
                        self._supervise(web_server, database)
                finally:
                    web_server.stop()
        except WebServerError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self._say("Stopped.")

    def _note_replacement(self, _signal_number: int, _frame: FrameType | None) -> None:
        self.is_replacement_due = True

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()

    def _supervise(self, web_server: WebServer, database: "EmbeddedServer | None") -> None:
        """Wait for the web server's end; meanwhile replace it when asked to.

        An embedded database server that someone else stopped is restarted: that is so after a
        crash, or when this site used the server of a command that ended first.
        """
        while (status := web_server.wait(CHECK_S)) is None:
            if database is not None:
                self._keep(database)
            if self.is_replacement_due:
                self.is_replacement_due = False
                self._replace(web_server)
        raise CommandError(f"The web server ended by itself, with status {status}.")

    def _keep(self, database: "EmbeddedServer") -> None:
        """Restart the server if it ended; where it cannot start, say so once and try again.

        Meanwhile the pages answer 503: a disk that was full is free again without a restart.
        """
        trouble = ""
        try:
            database.ensure_running()
        except EmbeddedError as problem:
            trouble = str(problem)
        if trouble and trouble != self.trouble:
            self.stderr.write(trouble)
        self.trouble = trouble

    def _replace(self, web_server: WebServer) -> None:
        """Bring the site to the code and settings as they are now; where it fails, go on as is."""
        prepare = [sys.executable, "manage.py", "prepare"]
        try:
            subprocess.run(prepare, cwd=env.BASE_DIR, env=env.GIVEN, check=True)  # noqa: S603
            web_server.replace()
        except (subprocess.CalledProcessError, WebServerError):
            self._say("Not restarted: the new processes failed, the earlier ones go on.")
        else:
            self._say("Restarted.")


@contextmanager
def _pid_file(path: Path) -> Iterator[None]:
    """Say meanwhile in a file which process takes the signals, where files can be written."""
    with suppress(OSError):
        path.write_text(f"{os.getpid()}\n")
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()


def _bound_socket(host: str, port: int) -> socket.socket:
    """Take the port before any work is done for it; it does not listen yet."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(_port_refused(host, port, error)) from error
    return listener


def _listen(listener: socket.socket, host: str, port: int) -> None:
    """Listen; of two sites that start on one port at once, the second is refused only here."""
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        raise CommandError(_port_refused(host, port, error)) from error


def _port_refused(host: str, port: int, error: OSError) -> str:
    other = 8000 if error.errno == errno.EACCES or port == LAST_PORT else port + 1
    return (
        f"{host}:{port} cannot be listened on ({error.strerror}): choose another port, for "
        f"example PORT={other} make run."
    )


def _prepare(database: "EmbeddedServer | None") -> None:
    """Prepare the site, anew if the command that had started its database ended meanwhile."""
    try:
        call_command("prepare")
    except Error as error:
        if database is None or not is_database_away(error):
            raise
        connections.close_all()
        database.ensure_running()
        call_command("prepare")


def _await_first_answer(host: str, port: int, database: "EmbeddedServer | None") -> None:
    """Ask for the home page, and once more with the database back if that went away."""
    status = _status_of_home_page(host, port)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and database is not None:
        database.ensure_running()
        status = _status_of_home_page(host, port)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and maintenance_notice() is None:
        raise CommandError(f"The home page answered with status {status}; see the messages above.")


def _status_of_home_page(host: str, port: int) -> int:
    """Ask for it: the request waits in the socket's queue until a worker takes it."""
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not listened on
    server = http.client.HTTPConnection(loopback.get(host, host), port, FIRST_ANSWER_TIMEOUT_S)
    try:
        server.request("GET", "/", headers={"Host": "localhost"})
        return server.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(f"The web server did not answer ({error}).") from error
    finally:
        server.close()
