"""Flat metric names as people upload them, such as `ttft_p95_ms`, taken apart."""

import re
from dataclasses import dataclass

from experiments.metrics.registry import METRICS

_PERCENTILE = r"p(?:0\.[0-9]{1,3}|[1-9][0-9]?(?:\.[0-9]{1,3})?)"
STATISTIC = re.compile(rf"^(?:mean|min|max|std|{_PERCENTILE})$")

_STATISTIC_WORDS = {"median": "p50", "avg": "mean", "average": "mean", "stddev": "std"}
_ALIASES = {
    "first_token_latency_ms": "ttft_ms",
    "average_token_latency_ms": "tpot_ms",
    "request_mean_ms": "e2e_latency_ms",
    "throughput_tokens_per_second": "total_tokens_per_second",
    "request_ms": "e2e_latency_ms",
    "e2el_ms": "e2e_latency_ms",
    "loading_time": "model_loading_time",
    "model_loading_time_s": "model_loading_time",
    "prompt_tokens_per_second": "prompt_processing_speed",
    "memory_gb": "memory_usage_gb",
}
_STATISTIC_INSIDE = re.compile(
    rf"(?:^|_)(mean|median|avg|average|min|max|std|stddev|{_PERCENTILE})(?=_|$)"
)


@dataclass(frozen=True)
class MetricName:
    """A metric name taken apart; `statistic` is None where the name does not hold one."""

    metric: str
    statistic: str | None
    known: bool


def aliases_of(metric: str) -> tuple[str, ...]:
    """Return the other names under which files may give a metric."""
    return tuple(name for name, key in _ALIASES.items() if key == metric)


def normalise_statistic(text: str) -> str | None:
    """Return the canonical name of a statistic (`median` is `p50`), or None if it is none."""
    word = text.strip().lower()
    word = _STATISTIC_WORDS.get(word, word)
    return word if STATISTIC.match(word) else None


def parse_metric_name(name: str) -> MetricName:
    """Return the metric and statistic that a flat name stands for.

    `ttft_p95_ms` is (ttft_ms, p95); `first_token_latency_ms` is the mean of ttft_ms. A name
    that leads to no metric of the registry is returned as it came, with `known` False.
    """
    key = name.strip().lower()
    if key in METRICS:
        return MetricName(key, None, known=True)
    if key in _ALIASES:
        return MetricName(_ALIASES[key], None, known=True)
    inside = _STATISTIC_INSIDE.search(key)
    if inside:
        rest = (key[: inside.start()] + key[inside.end() :]).strip("_")
        rest = _ALIASES.get(rest, rest)
        if rest in METRICS:
            return MetricName(rest, normalise_statistic(inside.group(1)), known=True)
    return MetricName(name.strip(), None, known=False)
