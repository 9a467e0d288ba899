"""The figures of GenAI-Perf and AIPerf: each metric with its unit and its statistics.

Sources: https://github.com/ai-dynamo/aiperf/blob/main/docs/metrics-reference.md and
https://github.com/triton-inference-server/perf_analyzer/tree/main/genai-perf
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.figures import Figures
from experiments.formats.numbers import is_number
from experiments.formats.problems import join_path, short_value

Metrics = Mapping[str, Any]
"""By the tool's name of a metric: {"unit": "ms", "avg": 30.8, "p99": 34.3, …}."""

# Inter-token latency is one number a request, (E2E − TTFT) ÷ (tokens − 1): a TPOT.
_METRICS = {
    "time_to_first_token": ("ttft_ms", "client"),
    "time_to_first_output_token": ("ttft_ms", "first_output_token"),
    "inter_token_latency": ("tpot_ms", "excl_first"),
    "inter_chunk_latency": ("itl_ms", "all_gaps"),
    "request_latency": ("e2e_latency_ms", "client"),
    "output_token_throughput": ("tokens_per_second", "wall_clock"),
    "output_token_throughput_per_user": ("tokens_per_second_per_user", "per_request"),
    "output_token_throughput_per_request": ("tokens_per_second_per_user", "per_request_e2e"),
    "prefill_throughput": ("prompt_processing_speed", "per_request"),
    "prefill_throughput_per_user": ("prompt_processing_speed", "per_request"),
    "request_throughput": ("requests_per_second", "wall_clock"),
    "goodput": ("goodput_requests_per_second", "wall_clock"),
    "request_goodput": ("goodput_requests_per_second", "wall_clock"),
}
_STREAMED_ONLY = frozenset({
    "time_to_first_token", "time_to_first_output_token", "inter_token_latency",
    "inter_chunk_latency", "output_token_throughput_per_user", "prefill_throughput",
    "prefill_throughput_per_user",
})  # fmt: skip
# How GenAI-Perf's CSV of 2024 wrote the unit of rates.
_PER_SECOND = ("per sec", "per second")
_NOT_STREAMED = (
    "The answers were not streamed: the tool then writes the time of the whole answer as that of "
    "its first token. What needs the first token is left out."
)
_UNIT = "The unit stands beside the figure as a text, such as ms; it is missing here."
_OBJECT = "A metric is an object with its unit and its statistics."


@dataclass(frozen=True)
class Requests:
    """How many requests were completed and failed, and their mean lengths; None is not known."""

    completed: int | None
    failed: int | None
    input_tokens: float | None
    output_tokens: float | None


def read_requests(metrics: Metrics, *, failed: int | None) -> Requests:
    """Return what the metrics count; `failed` is what the file says of failures elsewhere."""
    completed = _mean(metrics, "request_count")
    errors = _mean(metrics, "error_request_count")
    return Requests(
        completed=round(completed) if completed is not None else None,
        failed=round(errors) if errors is not None else failed,
        input_tokens=_mean(metrics, "input_sequence_length") or None,
        output_tokens=_mean(metrics, "output_sequence_length") or None,
    )


def add_figures(
    figures: Figures,
    metrics: Metrics,
    requests: Requests,
    place: str,
    *,
    streamed: bool | None = None,
    context: Mapping[str, Any] | None = None,
) -> None:
    """Add every figure that the site knows, in the unit that stands beside it."""
    seen = set()
    for tag, target in _METRICS.items():
        metric = metrics.get(tag)
        if metric is None or target in seen or _is_first_token(tag, metric, metrics):
            continue
        at = join_path(place, tag)
        if streamed is False and tag in _STREAMED_ONLY:
            figures.warnings.append(Problem(at, _NOT_STREAMED))
            continue
        seen.add(target)
        _add_metric(figures, metric, target, at, context)
    _add_prompt_speed(figures, requests, join_path(place, "input_sequence_length"))


def _add_prompt_speed(figures: Figures, requests: Requests, at: str) -> None:
    """Derive the prompt tokens per second of all requests from how many were completed."""
    speeds = {item.identity: item.value for item in figures.measurements}
    speed = speeds.get(("requests_per_second", "mean", "wall_clock"))
    if speed and requests.input_tokens:
        figures.add(
            "prompt_processing_speed",
            speed * requests.input_tokens,
            "tok/s",
            at=at,
            definition="wall_clock",
            derived_from=("request_throughput", "input_sequence_length"),
        )


def _is_first_token(tag: str, metric: Any, metrics: Metrics) -> bool:
    """Tell whether no reasoning came before the answer: both of its first tokens are one."""
    return tag == "time_to_first_output_token" and metric == metrics.get("time_to_first_token")


def _add_metric(
    figures: Figures,
    metric: Any,
    target: tuple[str, str],
    at: str,
    context: Mapping[str, Any] | None,
) -> None:
    if not isinstance(metric, dict):
        figures.problems.append(Problem(at, _OBJECT, short_value(metric)))
        return
    unit = metric.get("unit")
    if not isinstance(unit, str) or not unit.strip():
        figures.problems.append(Problem(join_path(at, "unit"), _UNIT, short_value(unit)))
        return
    key, definition = target
    for statistic, value in metric.items():
        if statistic != "unit":
            figures.add(
                key,
                value,
                _unit(unit, key),
                at=join_path(at, statistic),
                statistic=statistic,
                definition=definition,
                context=context,
            )


def _unit(unit: str, metric: str) -> str:
    if unit.strip().lower() in _PER_SECOND:
        return "req/s" if "requests" in metric else "tok/s"
    return unit.removesuffix("/user") if metric == "prompt_processing_speed" else unit


def _mean(metrics: Metrics, tag: str) -> float | None:
    """Return the mean of a count or length, None where it is no number from 0 on."""
    metric = metrics.get(tag)
    value = metric.get("avg") if isinstance(metric, dict) else None
    return float(value) if is_number(value) and 0 <= value < 2**31 else None
