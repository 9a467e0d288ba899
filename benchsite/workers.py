"""gunicorn's threaded worker for clients that take their time."""

import socket
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from benchsite.common.bodies import TooSlowError
from benchsite.logs import request_id

GRACE_S = 20.0
SLOWEST_BYTES_PER_S = 16 * 1024


class PacedSocket(socket.socket):
    """A client's connection of which nobody waits for ever.

    From `start` on, receiving fails with TooSlowError once less has come in than GRACE_S and
    SLOWEST_BYTES_PER_S allow. A limit for each read alone would let a client hold a thread for
    days by a byte now and then, and one for the whole would cut off honest slow lines.
    """

    started = 0.0
    received = 0

    @classmethod
    def taking(cls, connection: socket.socket) -> "PacedSocket":
        """Return the same connection as one with a pace; the old object is empty afterwards."""
        return cls(connection.family, connection.type, connection.proto, fileno=connection.detach())

    def start(self) -> None:
        """Begin the time of a request."""
        self.started = time.monotonic()
        self.received = 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Receive as a socket does, within the time that is left."""
        due = self.started + GRACE_S + self.received / SLOWEST_BYTES_PER_S
        left = due - time.monotonic()
        if left <= 0:
            raise TooSlowError
        usual = self.gettimeout()
        self.settimeout(left if usual is None else min(usual, left))
        try:
            data = super().recv(size, flags)
        except TimeoutError:
            if usual is None or left < usual:
                raise TooSlowError from None
            raise
        finally:
            self.settimeout(usual)
        self.received += len(data)
        return data


class PacedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The threaded worker, whose threads wait for headers and bodies at a pace only."""

    def handle(self, conn: Any) -> Any:
        """Handle one request of a connection (called in a thread)."""
        request_id.set("")  # until the request has its own: the last one's is none of it
        if not isinstance(conn.sock, PacedSocket):
            conn.sock = PacedSocket.taking(conn.sock)
        conn.sock.start()
        return super().handle(conn)
