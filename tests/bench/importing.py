"""Browsing while a large file is imported: who looks at the site must hardly notice."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

from tests.bench.clients import CLIENTS, Ask, Timing, get, timed
from tests.bench.results import run_of_sweep
from tests.bench.running import ROOT, Site

REQUESTS = 480
GIGABYTE = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class WhileImporting:
    """Requests of 16 clients without and during an import, and how far the import came.

    `memory_mb` is the most that the importing process ever had; rates are a second.
    """

    quiet: Timing
    busy: Timing
    minutes: float
    requests: int
    runs: int
    file_gb: float
    memory_mb: float

    @property
    def runs_per_second(self) -> float:
        """How many runs were taken in a second."""
        return self.runs / (60 * self.minutes)


def measure_while_importing(
    site: Site, pages: Mapping[str, str], *, minutes: float, gigabytes: float
) -> WhileImporting:
    """Ask for pages with 16 clients, first alone, then while JSON Lines are imported.

    The site is being served. The import is stopped when the time is over; any answer but a page
    is an error.
    """
    ask = _in_turn(pages)
    quiet = timed(site.port, ask, clients=CLIENTS, requests=REQUESTS, warm=CLIENTS)
    lines = _lines(site.folder / "large.jsonl", gigabytes)
    before = site.inside("count_runs")
    with _import_of(lines, site) as process:
        started = time.monotonic()
        times: list[Timing] = []
        while (passed := time.monotonic() - started) < 60 * minutes and process.poll() is None:
            times.append(timed(site.port, ask, clients=CLIENTS, requests=REQUESTS))
        memory_mb = _most_memory_mb(process.pid)
    return WhileImporting(
        quiet=quiet,
        busy=max(times, key=lambda item: item.p95_ms),
        minutes=passed / 60,
        requests=REQUESTS * len(times),
        runs=site.inside("count_runs") - before,
        file_gb=lines.stat().st_size / GIGABYTE,
        memory_mb=memory_mb,
    )


def _in_turn(pages: Mapping[str, str]) -> Ask:
    """Return what asks for one page after the other."""
    asks = [get(path) for path in pages.values()]
    numbers = count()

    def ask(connection: HTTPConnection, number: int) -> int:
        return asks[next(numbers) % len(asks)](connection, number)

    return ask


def _lines(path: Path, gigabytes: float) -> Path:
    """Write a file of runs, a document a line, each a run of its own."""
    with path.open("w") as file:
        for number in count():
            file.write(json.dumps({"experiment_run": run_of_sweep(number)}) + "\n")
            if number % 1000 == 0 and file.tell() >= gigabytes * GIGABYTE:
                return path
    raise AssertionError("count() ended")


@contextmanager
def _import_of(path: Path, site: Site) -> Iterator[subprocess.Popen[bytes]]:
    """Import a file meanwhile; at the end it is told to stop: what was taken in stays."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "import_results", str(path)],
        cwd=ROOT,
        env=site.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _most_memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0.0
    texts = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(texts[0].split()[1]) / 1024 if texts else 0.0
