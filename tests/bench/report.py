"""The figures of a bench as a page of documentation."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.clients import Timing
from tests.bench.importing import WhileImporting

EMPTY, TABLE = "empty view", "50-row table"
FROM_CACHE, NOT_MODIFIED = "front page, kept", "front page, 304"

INTRODUCTION = """# Performance

Written by `make bench`: the site as `make run` starts it, asked over HTTP on this machine, clients
and database on the same cores. Every page is made anew, but for the two rows of what visitors get
while nothing is written: a kept answer, or that theirs is still good. Times are milliseconds until
the whole answer is there. “× table” is p95 against the yardstick, measured just before each page: a
table of 50 rows of as many cells, read by one query by primary key.

`repeats` measures few configurations again and again (50 runs each), `wide` many (3 runs each).
"""
GROWTH = """
## How cost grows

Runs are read when they are written and on their own pages; the grid reads summaries of them:

| what is asked | what is read | grows with |
|---|---|---|
| counts of models, choices, ends of limits | `GridCell`: a row a combination of choices | choices |
| the best of each model | configurations marked in `tops`: an index of them alone | variants |
| … where these do not pass the filters | an index of configurations, of such variants | these |
| models under limits on speed and memory | `GridPlace` | places |
| a row unfolded | configurations of the model | these |

No query of the grid reads rows in proportion to runs. An upload refreshes the configurations,
places and cells that it touched: its cost grows with the repeats of its configuration and with the
configurations of its variant. The page of a run finds their medians kept and the newest of them by
index: “detail” is the most repeated configuration of the site, 31,000 runs of a million in
`repeats`.
"""
LOAD_AT_START = os.getloadavg()[0]
DISTURBED = """

Other work kept the cores busy meanwhile: compare figures within one table only, and with care."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The figures of one site; `timings` are by one client and by sixteen.

    `beside` is the p95 (ms) of the table just before each page.
    """

    shape: str
    runs: int
    timings: Mapping[str, tuple[Timing, Timing]]
    beside: Mapping[str, float]
    inside: Mapping[str, Mapping[str, Any]]
    memory_mb: float
    uploads: Timing
    import_ratio: float
    imported: int
    plans: Mapping[str, Sequence[str]]
    browsed: WhileImporting | None


def written(measured: Sequence[Measured]) -> str:
    """Return the whole page."""
    parts = [INTRODUCTION, _machine(), *_targets(measured), GROWTH.strip(), ""]
    for item in measured:
        parts += [_site(item), *_browsed(item), *_plans(item)]
    return "\n".join(parts).rstrip() + "\n"


def _machine() -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return (
        f"Machine: {len(models)} × {models[0] if models else platform.machine()}, "
        f"{memory_gb:.0f} GB, Python {platform.python_version()}. "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC."
        f"{DISTURBED if len(models) / 2 < LOAD_AT_START else ''}\n"
    )


def _targets(measured: Sequence[Measured]) -> Iterator[str]:
    """Return the targets with what was reached, by shape, at the greatest and least size."""
    yield "## Targets\n"
    yield "| shape | what | target | reached |\n|---|---|---|---|"
    for shape in dict.fromkeys(item.shape for item in measured):
        sizes = sorted((item for item in measured if item.shape == shape), key=lambda it: it.runs)
        small, large = sizes[0], sizes[-1]
        grids = [name for name in large.timings if name.startswith("grid")]
        by_table = {name: _against_table(large, name) for name in grids}
        worst = max(by_table, key=lambda name: by_table[name])
        within = sum(value <= _allowed(shape) for value in by_table.values())
        sizes_of = f"{large.runs:,} against {small.runs:,} runs"
        rows = [
            (f"grid p95, {sizes_of}", "1.5 ×", _growth(small, large, "grid")),
            (
                f"grid p95 against the table, {within} of {len(grids)} within",
                f"{_allowed(shape):g} ×",
                f"{by_table['grid']:.1f} × plain, {by_table[worst]:.1f} × {worst}",
            ),
            (f"detail p95, {sizes_of}", "1.5 ×", _growth(small, large, "detail")),
            (f"comparison of 8 p95, {sizes_of}", "1.5 ×", _growth(small, large, "comparison of 8")),
            ("queries: grid, detail, comparison", "6, 12, 10", _queries(large, grids)),
            (
                "kept and 304, requests/s of 16 clients against the empty view",
                "0.35 ×",
                f"{_rate(large, FROM_CACHE):.2f} ×, {_rate(large, NOT_MODIFIED):.2f} ×",
            ),
            ("uploads of one run a second", "50", f"{large.uploads.per_second:.0f}"),
            (
                f"upload p95, {sizes_of}",
                "1.5 ×",
                f"{large.uploads.p95_ms / small.uploads.p95_ms:.1f} ×",
            ),
            ("bulk import against bare COPY", "0.25 ×", f"{large.import_ratio:.2f} ×"),
            ("worker memory", "150 MB", f"{large.memory_mb:.0f} MB"),
        ]
        if large.browsed:
            ratio = large.browsed.busy.p95_ms / large.browsed.quiet.p95_ms
            rows.append(
                ("p95 of 16 clients during an import, none failing", "5 ×", f"{ratio:.1f} ×")
            )
        yield from (f"| {shape} | {what} | {aim} | {got} |" for what, aim, got in rows)
    yield ""


def _allowed(shape: str) -> float:
    return 2.5 if shape == "repeats" else 8


def _against_table(item: Measured, name: str) -> float:
    return item.timings[name][0].p95_ms / item.beside[name]


def _ratio(item: Measured, name: str) -> str:
    return f"{_against_table(item, name):.1f}" if name in item.beside else "–"


def _rate(item: Measured, name: str) -> float:
    return item.timings[name][1].per_second / item.timings[EMPTY][1].per_second


def _growth(small: Measured, large: Measured, name: str) -> str:
    return f"{large.timings[name][0].p95_ms / small.timings[name][0].p95_ms:.2f} ×"


def _queries(item: Measured, grids: Sequence[str]) -> str:
    most = max(item.inside[name]["queries"] for name in grids)
    others = [item.inside[name]["queries"] for name in ("detail", "comparison of 8")]
    return ", ".join(str(number) for number in (most, *others))


def _site(item: Measured) -> str:
    """Return the figures of one site as a table."""
    lines = [
        f"## {item.shape}, {item.runs:,} runs\n",
        "| page | p50 | p95 | × table | SQL alone | 16 clients: p95 | requests/s | queries "
        "| rows scanned | buffers | kB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, (one, many) in item.timings.items():
        inside = item.inside.get(name, {})
        sql_ms = f"{inside['sql_ms']:.1f}" if inside else "–"
        lines.append(
            f"| {name} | {one.p50_ms:.1f} | {one.p95_ms:.1f} | {_ratio(item, name)} "
            f"| {sql_ms} | {many.p95_ms:.0f} | {many.per_second:.0f} "
            f"| {inside.get('queries', '–')} | {_whole(inside.get('rows'))} "
            f"| {_whole(inside.get('buffers'))} | {one.size / 1000:.0f} |"
        )
    return "\n".join(
        [
            *lines,
            f"\nUploads of one run by two clients: p50 {item.uploads.p50_ms:.1f} ms, p95 "
            f"{item.uploads.p95_ms:.1f} ms, {item.uploads.per_second:.0f} a second. Import of "
            f"{item.imported:,} runs: {item.import_ratio:.2f} × the speed of bare COPY of the same "
            f"rows. Largest worker: {item.memory_mb:.0f} MB.\n",
        ]
    )


def _browsed(item: Measured) -> Iterator[str]:
    found = item.browsed
    if found:
        yield (
            f"Browsed by 16 clients while a file of {found.file_gb:.1f} GB of JSON Lines was "
            f"imported for {found.minutes:.1f} minutes: {found.requests:,} requests, none failed; "
            f"p95 {found.busy.p95_ms:.0f} ms at worst, {found.quiet.p95_ms:.0f} ms without "
            f"an import. Meanwhile {found.runs:,} runs came in, {found.runs_per_second:.0f} a "
            f"second, by a process of {found.memory_mb:.0f} MB at most.\n"
        )


def _plans(item: Measured) -> Iterator[str]:
    for name, plans in item.plans.items():
        yield f"<details><summary>Plans: {item.shape}, {item.runs:,} runs, {name}</summary>\n"
        yield from (f"```text\n{plan}\n```\n" for plan in plans)
        yield "</details>\n"


def _whole(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
