"""Runs of sweeps whose figures follow from their load, for tests of curves and heatmaps."""

from collections.abc import Iterable
from typing import Any

from experiments.models import TestRun
from tests.factories import experiment, ingest

Figure = tuple[float, str, str | None]


def served(
    users: int | None = None,
    *,
    rate: float | None = None,
    definition: str = "wall_clock",
    latencies: Iterable[str] = ("ttft", "tpot", "e2e_latency"),
    **fields: Any,
) -> dict[str, Any]:
    """Return a served run: more users, more tokens a second and later first ones."""
    load = users or 10 * (rate or 0)
    of = {"tpot": "excl_first"}
    figures: dict[str, Figure] = {
        "tokens_per_second": (100.0 * load, "tok/s", definition),
        "model_size_gb": (14.0, "GB", None),
    }
    for name in latencies:
        for statistic, value in (("", 10.0 + load), ("_p50", 9.0 + load), ("_p99", 30.0 + load)):
            figures[f"{name}{statistic}_ms"] = (value, "ms", of.get(name, "client"))
    given: dict[str, Any] = {
        "backend": "vllm",
        "load_kind": "serving",
        "input_tokens": 1024,
        "output_tokens": 128,
        "sweep": "evening",
        "concurrent_requests": users,
    }
    if rate is not None:
        given["request_rate"] = rate
    return experiment(figures=figures, **{**given, **fields})


def sent(*runs: dict[str, Any]) -> list[TestRun]:
    """Send runs in one file; return them in its order."""
    report = ingest({"experiment_runs": list(runs)})
    assert report.accepted, report.summary
    stored = TestRun.objects.with_names().in_bulk([run.id for run in report.runs])
    return [stored[run.id] for run in report.runs]
