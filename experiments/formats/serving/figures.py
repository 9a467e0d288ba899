"""The figures of the serving benchmarks of vLLM and SGLang, which share most of their keys.

Sources: https://github.com/vllm-project/vllm/blob/main/vllm/benchmarks/serve.py and
https://github.com/sgl-project/sglang/blob/main/python/sglang/bench_serving.py
"""

import re
from collections.abc import Mapping
from typing import Any

from experiments.formats.figures import Figures
from experiments.formats.problems import join_path
from experiments.formats.serving.rows import ServingRow

_WALL_CLOCK = "wall_clock"
# By key: metric, statistic, definition, unit.
_RATES = {
    "output_throughput": ("tokens_per_second", "mean", _WALL_CLOCK, "tok/s"),
    "max_output_tokens_per_s": ("tokens_per_second", "max", "busiest_second", "tok/s"),
    "input_throughput": ("prompt_processing_speed", "mean", _WALL_CLOCK, "tok/s"),
    "total_token_throughput": ("total_tokens_per_second", "mean", _WALL_CLOCK, "tok/s"),
    "total_throughput": ("total_tokens_per_second", "mean", _WALL_CLOCK, "tok/s"),
    "request_throughput": ("requests_per_second", "mean", _WALL_CLOCK, "req/s"),
    "request_goodput": ("goodput_requests_per_second", "mean", _WALL_CLOCK, "req/s"),
    # So until April 2025, and in InferenceX's fork.
    "request_goodput:": ("goodput_requests_per_second", "mean", _WALL_CLOCK, "req/s"),
}
_LATENCY = re.compile(
    r"(?P<statistic>mean|median|std|min|max|p\d{1,2}(?:\.\d{1,3})?)"
    r"_(?P<name>ttft|tpot|itl|e2el|e2e_latency)_ms"
)
_LATENCIES = {
    "ttft": ("ttft_ms", "client"),
    "tpot": ("tpot_ms", "excl_first"),
    "itl": ("itl_ms", "all_gaps"),
    "e2el": ("e2e_latency_ms", "client"),
    "e2e_latency": ("e2e_latency_ms", "client"),
}


def is_figure(key: str) -> bool:
    """Tell whether a key of a record is one of the figures that are read here."""
    return key in _RATES or _LATENCY.fullmatch(key) is not None


def serving_figures(
    record: Mapping[str, Any], row: ServingRow, place: str, *, itl: str = "all_gaps"
) -> Figures:
    """Return the figures of a run, `itl` being how its inter-token latency is computed.

    A run in which no request was completed measured nothing but its failures.
    """
    figures = Figures(sample_count=row.completed)
    figures.add_error_rate(row.completed, row.requests_failed, at=join_path(place, "failed"))
    if not row.completed:
        return figures
    for key, (metric, statistic, definition, unit) in _RATES.items():
        figures.add(
            metric,
            record.get(key),
            unit,
            at=join_path(place, key),
            statistic=statistic,
            definition=definition,
        )
    _add_prompt_speed(figures, record, row, place)
    for key, value in record.items():
        found = _LATENCY.fullmatch(key)
        if found is None or _stands_as_median(found, record):
            continue
        metric, definition = _LATENCIES[found["name"]]
        if metric == "itl_ms":
            definition = itl
        at = join_path(place, key)
        figures.add(metric, value, "ms", at=at, statistic=found["statistic"], definition=definition)
    return figures


def _add_prompt_speed(
    figures: Figures, record: Mapping[str, Any], row: ServingRow, place: str
) -> None:
    """Derive the prompt tokens per second, as SGLang states them, where a file does not."""
    if "input_throughput" in record or not row.total_input_tokens or not row.duration:
        return
    figures.add(
        "prompt_processing_speed",
        row.total_input_tokens / row.duration,
        "tok/s",
        at=join_path(place, "duration"),
        definition=_WALL_CLOCK,
        derived_from=("total_input_tokens", "duration"),
    )


def _stands_as_median(found: re.Match[str], record: Mapping[str, Any]) -> bool:
    """Tell whether a p50 is there as median, too."""
    return found["statistic"] == "p50" and f"median_{found['name']}_ms" in record
