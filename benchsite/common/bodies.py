"""The body of a request as it comes in: all of it, or an error that says why not (no Django)."""

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from gunicorn.http.errors import ParseException

# Boundaries, headers and fields that stand beside the files in a multipart body.
MULTIPART_OVERHEAD_BYTES = 64 * 1024


class Stream(Protocol):
    """What a server gives as `wsgi.input`: a read that is cut short means that nothing follows."""

    def read(self, size: int = -1, /) -> bytes:
        """Return so many bytes."""

    def readline(self, size: int = -1, /) -> bytes:
        """Return a line, or so many bytes of it."""


class BrokenBodyError(OSError):
    """The connection ended, or its chunks are none, before the body was whole."""


class TooSlowError(ConnectionResetError):
    """The client sends less than the server waits for."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "The request came in too slowly.")


@dataclass(frozen=True)
class BodyFailure:
    """Why a body was not read to its end, as an answer."""

    status: int
    code: str
    message: str


BROKEN = BodyFailure(
    400, "unreadable", "The connection broke off before all of it was here; send it again."
)
TOO_SLOW = BodyFailure(
    408, "timeout", "The request came in too slowly; send it again, or a smaller one."
)


class RequestBody:
    """`wsgi.input` that never passes a part for the whole.

    `length` is what the request says, None for one in chunks. A read that finds the client gone
    raises BrokenBodyError, and `failure` keeps the reason: Django takes a form that it could not
    read for an empty one.
    """

    def __init__(self, stream: Stream, length: int | None) -> None:
        self.failure: BodyFailure | None = None
        self._stream = stream
        self._missing = length

    def read(self, size: int = -1, /) -> bytes:
        """Return so many bytes, all by default."""
        data = self._received(self._stream.read, size)
        if size < 0 or len(data) < size:
            self._check_whole()
        return data

    def readline(self, size: int = -1, /) -> bytes:
        """Return the next line, or so many bytes of it."""
        line = self._received(self._stream.readline, size)
        if not line and size != 0:
            self._check_whole()
        return line

    def readlines(self, _hint: int = -1, /) -> list[bytes]:
        """Return all lines."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    def _received(self, read: Callable[[int], bytes], size: int) -> bytes:
        try:
            data = read(size)
        except TooSlowError:
            self.failure = TOO_SLOW
            raise
        except (OSError, ParseException) as error:
            self.failure = BROKEN
            raise BrokenBodyError(BROKEN.message) from error
        if self._missing is not None:
            self._missing -= len(data)
        return data

    def _check_whole(self) -> None:
        if self._missing is not None and self._missing > 0:
            self.failure = BROKEN
            raise BrokenBodyError(BROKEN.message)
