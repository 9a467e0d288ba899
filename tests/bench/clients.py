"""Clients that ask a site over HTTP, each on a connection of its own, and how long it takes."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection

TIMEOUT_S = 60
CLIENTS = 16  # at once, where there are many

Ask = Callable[[HTTPConnection, int], int]
"""Sends the request of a number and returns the size (bytes) of the answer."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long requests took (ms), how many a second were answered, and how large they were."""

    p50_ms: float
    p95_ms: float
    per_second: float
    size: int


def get(path: str) -> Ask:
    """Return what asks for a page that is made anew; any answer but 200 is an error."""

    def ask(connection: HTTPConnection, _number: int) -> int:
        # Who seems to be somebody gets no answer that was kept.
        headers = {"Accept-Encoding": "identity", "Authorization": "Basic bench"}
        connection.request("GET", path, headers=headers)
        return _size_of_answer(connection, path)

    return ask


def get_kept(path: str, *, known: bool) -> Ask:
    """Return what asks for a page as visitors do, who get what was kept: packed.

    `known` = with the tag of the answer before, to hear that it is still good (304).
    """
    tags: list[str] = []

    def ask(connection: HTTPConnection, _number: int) -> int:
        headers = {"Accept-Encoding": "gzip"}
        if known and tags:
            headers["If-None-Match"] = tags[0]
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read()
        if response.status not in (200, 304):
            raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")
        tags[:] = [response.headers["ETag"]]
        return len(body)

    return ask


def post(path: str, bodies: Sequence[bytes], token: str) -> Ask:
    """Return what sends one body after the other."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(connection: HTTPConnection, number: int) -> int:
        connection.request("POST", path, bodies[number], headers)
        return _size_of_answer(connection, path)

    return ask


def _size_of_answer(connection: HTTPConnection, path: str) -> int:
    response = connection.getresponse()
    body = response.read()
    if response.status not in (200, 201):
        raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")
    return len(body)


def timed(port: int, ask: Ask, *, clients: int, requests: int, warm: int = 0) -> Timing:
    """Send so many requests from so many clients at once; the first `warm` do not count."""
    numbers = iter(range(warm + requests))
    lock = threading.Lock()
    times: list[tuple[float, float]] = []
    sizes: list[int] = []
    errors: list[Exception] = []

    def work() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        try:
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None or errors:
                    return
                started = time.perf_counter()
                size = ask(connection, number)
                ended = time.perf_counter()
                if number >= warm:
                    times.append((started, ended))
                    sizes.append(size)
        except (OSError, RuntimeError) as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    took = sorted(1000 * (end - start) for start, end in times)
    whole = max(end for _start, end in times) - min(start for start, _end in times)
    return Timing(
        p50_ms=took[len(took) // 2],
        p95_ms=took[min(len(took) - 1, int(len(took) * 0.95))],
        per_second=len(took) / whole,
        size=max(sizes),
    )
