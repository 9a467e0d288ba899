"""gunicorn on a socket that outlives it: started, replaced without a gap, stopped."""

import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress

from benchsite import env
from benchsite.processes import start_child

ARGUMENTS = ["--config=python:benchsite.gunicorn_conf", "benchsite.wsgi"]
READY_FD = "BENCHSITE_READY_FD"
START_TIMEOUT_S = 60
STOP_GRACE_S = 10  # for requests that run when the whole site stops
QUICK_STOP_S = 3


class WebServerError(Exception):
    """gunicorn did not come up."""


class WebServer:
    """The web server's processes on one listening socket, which stays open until `stop`.

    `replace` starts new processes before it lets the old ones finish: connections wait in the
    socket's queue, which belongs to neither, so none is refused and none is lost.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._current: subprocess.Popen[bytes] | None = None
        self._ending: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start gunicorn and return when a worker takes requests; raises WebServerError."""
        reader, writer = os.pipe()
        try:
            gunicorn = self._spawned(writer)
        finally:
            os.close(writer)
        try:
            # One byte comes from the first worker; the end of the file means that gunicorn ended.
            answered, _, _ = select.select([reader], [], [], START_TIMEOUT_S)
            is_ready = bool(answered) and bool(os.read(reader, 1))
        except BaseException:
            self._ending.append(gunicorn)
            raise
        finally:
            os.close(reader)
        if not is_ready:
            gunicorn.kill()
            gunicorn.wait()
            raise WebServerError("The web server did not start; see the messages above.")
        self._current = gunicorn

    def replace(self) -> None:
        """Start new processes, of the code and settings as they are now; the old ones finish."""
        old = self._current
        self.start()
        if old is not None:
            old.terminate()
            self._ending.append(old)

    def wait(self, timeout_s: float) -> int | None:
        """Return the exit status if gunicorn ends by itself within this time, else None."""
        self._ending = [process for process in self._ending if process.poll() is None]
        if self._current is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            return self._current.wait(timeout_s)
        return None

    def stop(self) -> None:
        """Take no more connections, let running requests finish for a while, and end."""
        self._listener.close()
        processes = [*self._ending, *([self._current] if self._current else [])]
        for ending, grace_s in ((signal.SIGTERM, STOP_GRACE_S), (signal.SIGQUIT, QUICK_STOP_S)):
            for process in processes:
                process.send_signal(ending)
            processes = [process for process in processes if not _ended(process, grace_s)]
        for process in processes:
            process.kill()
            process.wait()

    def _spawned(self, ready_fd: int) -> subprocess.Popen[bytes]:
        return start_child(
            [
                sys.executable,
                "-m",
                "gunicorn",
                *ARGUMENTS,
                f"--bind=fd://{self._listener.fileno()}",
            ],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this process alone, which then stops gunicorn
            death_signal=signal.SIGTERM,
            cwd=env.BASE_DIR,
            env=env.GIVEN | {READY_FD: str(ready_fd)},
            pass_fds=[self._listener.fileno(), ready_fd],
        )


def _ended(process: subprocess.Popen[bytes], grace_s: float) -> bool:
    try:
        process.wait(grace_s)
    except subprocess.TimeoutExpired:
        return False
    return True
