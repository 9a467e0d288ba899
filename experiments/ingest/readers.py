"""Processes that read files ahead while this one writes; they know no database."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from types import TracebackType
from typing import Self

from experiments.ingest.reading import Reading, read

CHUNK = 25
"""How many files are handed over at once: they are small, and handing over costs."""

_LOST = (
    "A process that reads files ended before its time: was it killed, or is memory short? What is "
    "written stays; --jobs 1 reads in this process."
)


class ReadersLostError(Exception):
    """A process that reads ended: it was killed, or ran out of memory."""


@dataclass(frozen=True)
class ToRead:
    """The bytes of a file, and the name it came under."""

    data: bytes
    file_name: str


class Readings:
    """What became of files that were handed over, in their order."""

    def __init__(self, futures: "Sequence[Future[list[Reading]]]") -> None:
        self._futures = futures

    def wait(self) -> list[Reading]:
        """Return a reading for each file; raises ReadersLostError."""
        try:
            return [reading for future in self._futures for reading in future.result()]
        except BrokenProcessPool as error:
            raise ReadersLostError(_LOST) from error


class Readers:
    """A number of processes that read files; with none, they are read in this one, when waited for.

    Used as a context; its end does not wait for what nobody asked for.
    """

    def __init__(self, processes: int, *, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._pool = None
        if processes:
            # A fresh process has no connection of this one that it could break.
            self._pool = ProcessPoolExecutor(
                processes, multiprocessing.get_context("spawn"), initializer=_begin
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def hand_over(self, files: Sequence[ToRead]) -> Readings:
        """Have files read; the answer is there to be waited for."""
        chunks = [files[start : start + CHUNK] for start in range(0, len(files), CHUNK)]
        if self._pool is None:
            return _ReadHere(chunks, self._limit_bytes)
        try:
            return Readings(
                [self._pool.submit(_read_all, chunk, self._limit_bytes) for chunk in chunks]
            )
        except BrokenProcessPool:
            return _Lost([])


class _ReadHere(Readings):
    def __init__(self, chunks: Sequence[Sequence[ToRead]], limit_bytes: int) -> None:
        super().__init__([])
        self._chunks = chunks
        self._limit_bytes = limit_bytes

    def wait(self) -> list[Reading]:
        return [
            reading for chunk in self._chunks for reading in _read_all(chunk, self._limit_bytes)
        ]


class _Lost(Readings):
    def wait(self) -> list[Reading]:
        raise ReadersLostError(_LOST)


def _read_all(files: Sequence[ToRead], limit_bytes: int) -> list[Reading]:
    return [read(file.data, file.file_name, limit_bytes=limit_bytes) for file in files]


def _begin() -> None:
    """Leave Ctrl-C to the process that writes, and end when that one does, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
