"""`make bench`: fill sites, measure them, print the figures and write docs/performance.md.

BENCH_RUNS (1000,100000,1000000), BENCH_SHAPES (repeats,wide), BENCH_PORT (8190) and BENCH_DATA
(.data/bench, where loads are kept for the next time) change what is done.
"""

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.bench.clients import Ask, Timing, get, get_kept, post, timed
from tests.bench.report import EMPTY, FROM_CACHE, NOT_MODIFIED, TABLE, Measured, written
from tests.bench.running import ROOT, Site, workers_memory_mb

RUNS = [int(text) for text in os.environ.get("BENCH_RUNS", "1000,100000,1000000").split(",")]
SHAPES = os.environ.get("BENCH_SHAPES", "repeats,wide").split(",")
PORT = int(os.environ.get("BENCH_PORT", "8190"))
DATA = Path(os.environ.get("BENCH_DATA", ROOT / ".data" / "bench"))
SORTS = (
    *("quality", "speed", "prompt_speed", "efficiency", "memory", "ttft", "power", "name"),
    *("quantization", "backend", "platform", "runs", "when"),
)
ONE, MANY = 40, 96  # requests by one client and by 16
CLIENTS = 16
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
        "grid, nothing passes": "/?q=nothing-like-it",
        "grid, search": f"/?q={subjects['word'].lower()}",
        "grid, page 50": "/?page_size=10&page=50",
        "grid, a row unfolded": f"/?expand={subjects['row']}",
        "detail": f"/detail/{subjects['runs'][0]}/",
        "comparison of 8": f"/compare/?{several}",
        "API, grid by configuration": "/api/performance-grid",
    }


def measure(shape: str, runs: int) -> Measured:
    """Fill a site, ask for every page, send uploads, and import a file."""
    site = Site(DATA / f"{shape}-{runs}", PORT)
    _say(f"{shape}, {runs:,} runs: filling")
    site.fill(runs=runs, shape=shape)
    subjects = site.inside("subjects")
    pages = addresses(subjects)
    with site.serving() as process:
        timings = {name: _both(get(path)) for name, path in (YARDSTICKS | pages).items()}
        timings |= {
            name: _both(get_kept("/", known=known))
            for name, known in ((FROM_CACHE, False), (NOT_MODIFIED, True))
        }
        inside = site.inside("pages", pages)
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
    return Measured(
        shape=shape,
        runs=runs,
        timings=timings,
        inside=inside,
        memory_mb=memory_mb,
        uploads=uploads,
        import_ratio=copied_s / max(imported_s - nothing_s, 0.001),
        imported=IMPORTED,
    )


def _both(ask: Ask) -> tuple[Timing, Timing]:
    """Ask for a page by one client and by sixteen."""
    one = timed(PORT, ask, clients=1, requests=ONE, warm=4)
    return one, timed(PORT, ask, clients=CLIENTS, requests=MANY, warm=CLIENTS)


def _run(number: int) -> dict[str, Any]:
    """Return one run as people upload it."""
    metrics = (
        ("tokens_per_second", "tok/s", 50.0),
        ("prompt_processing_speed", "tok/s", 900.0),
        ("ttft_ms", "ms", 120.0),
        ("tpot_ms", "ms", 20.0),
        ("e2e_latency_ms", "ms", 2700.0),
        ("memory_usage_gb", "GB", 18.0),
        ("gpu_power_watts", "W", 310.0),
        ("total_tokens_per_second", "tok/s", 300.0),
    )
    return {
        "id": str(uuid.uuid4()),
        "model_name": f"bench/Model-{number % 40}",
        "quantization": "Q4_K_M",
        "backend": "vllm",
        "concurrent_requests": 1 + number % 8,
        "load_kind": "serving",
        "timestamp": "2026-11-20T09:30:00+00:00",
        "hardware_config": {"gpu_model": "NVIDIA GeForce RTX 4090", "gpu_count": 1},
        "performance_metrics": [
            {"metric_name": name, "value": value + number % 100 / 10, "unit": unit}
            for name, unit, value in metrics
        ],
    }


def _bodies(count: int) -> list[bytes]:
    return [json.dumps({"experiment_run": _run(number)}).encode() for number in range(count)]


def _file(count: int) -> bytes:
    return json.dumps({"experiment_runs": [_run(number) for number in range(count)]}).encode()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Measure every size of every shape."""
    measured = []
    for shape in SHAPES:
        for runs in RUNS:
            measured.append(measure(shape, runs))
            (ROOT / "docs" / "performance.md").write_text(written(measured))
    print(written(measured))


if __name__ == "__main__":
    main()
