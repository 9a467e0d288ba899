"""`make bench`: fill sites, measure them, print the figures and write docs/performance.md.

BENCH_RUNS (1000,100000,1000000), BENCH_SHAPES (repeats,wide), BENCH_PORT (8190), BENCH_DATA
(.data/bench, where loads are kept for the next time), BENCH_MINUTES (5) and BENCH_GIGABYTES (2) of
the import that is browsed through change what is done.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.bench.clients import CLIENTS, Ask, Timing, get, get_kept, post, timed
from tests.bench.importing import WhileImporting, measure_while_importing
from tests.bench.report import EMPTY, FROM_CACHE, NOT_MODIFIED, TABLE, Measured, written
from tests.bench.results import run
from tests.bench.running import ROOT, Site, workers_memory_mb

RUNS = [int(text) for text in os.environ.get("BENCH_RUNS", "1000,100000,1000000").split(",")]
SHAPES = os.environ.get("BENCH_SHAPES", "repeats,wide").split(",")
PORT = int(os.environ.get("BENCH_PORT", "8190"))
DATA = Path(os.environ.get("BENCH_DATA", ROOT / ".data" / "bench"))
MINUTES = float(os.environ.get("BENCH_MINUTES", "5"))
GIGABYTES = float(os.environ.get("BENCH_GIGABYTES", "2"))
PLANNED = (
    *("grid", "grid by ttft", "grid, memory at most 40", "grid of a backend by TTFT"),
    *("grid, search", "grid, a row unfolded"),
)
SORTS = (
    *("quality", "speed", "prompt_speed", "efficiency", "memory", "ttft", "power", "name"),
    *("quantization", "backend", "platform", "runs", "when"),
)
ONE, MANY, QUICK = 60, 96, 2000  # requests by one client, by 16, and by 16 where nothing is made
WARM = 8  # a worker has four threads, and each plans what it asks the first time
UPLOADS, IMPORTED = 60, 2000
YARDSTICKS = {EMPTY: "/bench/empty", TABLE: "/bench/table"}


def addresses(subjects: dict[str, Any]) -> dict[str, str]:
    """Return what is asked for, by name."""
    several = urlencode([("run", run) for run in subjects["runs"]])
    filters = urlencode({"min_speed": 20, "backend": "vllm", "platform": subjects["platform"]})
    return {
        "grid": "/",
        **{f"grid by {name}": f"/?sort_by={name}" for name in SORTS if name != "speed"},
        "grid, three filters": f"/?{filters}",
        "grid, speed at least 20": "/?min_speed=20",
        "grid, memory at most 40": "/?max_memory_gb=40",
        "grid, quality at least 60": "/?min_quality=60",
        "grid of a backend by TTFT": "/?backend=vllm&sort_by=ttft",
        "grid, many users": "/?load_class=concurrent&load_kind=serving",
        "grid, many users, memory at most 40": (
            "/?load_class=concurrent&load_kind=serving&max_memory_gb=40"
        ),
        "grid, many users, a backend by TTFT": (
            "/?load_class=concurrent&load_kind=serving&backend=vllm&sort_by=ttft"
        ),
        "grid, both limits": "/?min_speed=20&max_memory_gb=40",
        "grid, nothing passes": "/?q=nothing-like-it",
        "grid, search": f"/?q={subjects['word'].lower()}",
        "grid, page 50": "/?page_size=10&page=50",
        "grid, a row unfolded": f"/?expand={subjects['row']}",
        "detail": f"/detail/{subjects['runs'][0]}/",
        "comparison of 8": f"/compare/?{several}",
        "API, grid by configuration": "/api/performance-grid",
    }


def measure(shape: str, runs: int, *, largest: bool) -> Measured:
    """Fill a site, ask for every page, send uploads, and import files.

    The largest site of a shape tells its plans, too; that of the first shape is browsed while a
    large file comes in.
    """
    site = Site(DATA / f"{shape}-{runs}", PORT)
    _say(f"{shape}, {runs:,} runs: filling")
    site.fill(runs=runs, shape=shape)
    subjects = site.inside("subjects")
    pages = addresses(subjects)
    with site.serving() as process:
        timings, beside = {}, {}
        for name, path in (YARDSTICKS | pages).items():
            beside[name] = _one(get(YARDSTICKS[TABLE])).p95_ms
            timings[name] = _both(get(path), QUICK if name == EMPTY else MANY)
        timings |= {
            name: _both(get_kept("/", known=known), QUICK)
            for name, known in ((FROM_CACHE, False), (NOT_MODIFIED, True))
        }
        inside = site.inside("pages", pages)
        plans = site.inside("plans", {name: pages[name] for name in PLANNED}) if largest else {}
        memory_mb = max(workers_memory_mb(process))
        uploads = timed(
            PORT, post("/api/uploads", _bodies(UPLOADS + 5), subjects["token"]),
            clients=2, requests=UPLOADS, warm=5,
        )  # fmt: skip
        file = site.folder / "import.json"
        file.write_bytes(_file(IMPORTED))
        imported_s = site.command("import_results", str(file))
        nothing_s = site.command("import_results", str(file))
        copied_s = site.inside("bare_copy", IMPORTED)["seconds"]
        browsed: WhileImporting | None = None
        if largest and MINUTES and shape == SHAPES[0]:
            browsed = measure_while_importing(site, pages, minutes=MINUTES, gigabytes=GIGABYTES)
    return Measured(
        shape=shape,
        runs=runs,
        timings=timings,
        beside=beside,
        inside=inside,
        memory_mb=memory_mb,
        uploads=uploads,
        import_ratio=copied_s / max(imported_s - nothing_s, 0.001),
        imported=IMPORTED,
        plans=plans,
        browsed=browsed,
    )


def _both(ask: Ask, many: int) -> tuple[Timing, Timing]:
    """Ask for a page by one client and by sixteen."""
    return _one(ask), timed(PORT, ask, clients=CLIENTS, requests=many, warm=CLIENTS)


def _one(ask: Ask) -> Timing:
    return timed(PORT, ask, clients=1, requests=ONE, warm=WARM)


def _bodies(count: int) -> list[bytes]:
    return [json.dumps({"experiment_run": run(number)}).encode() for number in range(count)]


def _file(count: int) -> bytes:
    return json.dumps({"experiment_runs": [run(number) for number in range(count)]}).encode()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure every size of every shape."""
    measured = []
    for shape in SHAPES:
        for runs in RUNS:
            measured.append(measure(shape, runs, largest=runs == max(RUNS)))
            (ROOT / "docs" / "performance.md").write_text(written(measured))
    print(written(measured))


if __name__ == "__main__":
    main()
