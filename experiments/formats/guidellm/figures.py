"""The figures of a GuideLLM benchmark, as it states them and as its totals give them.

Sources of the formulas are GuideLLM's own: `schemas/…/request_stats.py` from 0.4 on,
`benchmark/benchmark.py` before.
"""

import math

from experiments.formats import wall_clock
from experiments.formats.documents import MeasurementDocument
from experiments.formats.figures import Figures
from experiments.formats.guidellm.rows import Distribution, Row, Totals
from experiments.formats.problems import join_path
from experiments.formats.wall_clock import add_wall_clock, doubt_stated_rate

_LATENCIES = {
    "request_latency": ("e2e_latency_ms", "s", "client"),
    "time_to_first_token_ms": ("ttft_ms", "ms", "client"),
    "time_to_first_output_token_ms": ("ttft_ms", "ms", "first_output_token"),
    "inter_token_latency_ms": ("tpot_ms", "ms", "excl_first"),
    "time_per_output_token_ms": ("tpot_ms", "ms", "incl_first"),
}
# Until 0.3 the TPOT leaves the first token out of the time, not out of the count.
_FIRST_TPOT = "decode_over_all"
_WEIGHTED = ("inter_token_latency_ms", "time_per_output_token_ms")
_RATES = {
    "output_tokens_per_second": ("tokens_per_second", "tok/s"),
    "prompt_tokens_per_second": ("prompt_processing_speed", "tok/s"),
    "tokens_per_second": ("total_tokens_per_second", "tok/s"),
    "requests_per_second": ("requests_per_second", "req/s"),
    "request_goodput": ("goodput_requests_per_second", "req/s"),
}


def figures_of(row: Row, totals: Totals, place: str) -> Figures:
    """Return the figures of a benchmark in which requests succeeded.

    Of rates the mean alone is kept: their other statistics are over the moments between events.
    """
    figures = Figures(sample_count=totals.successful)
    at = join_path(place, "metrics")
    for name, (metric, unit) in _RATES.items():
        found = row.metrics.successful(name)
        if found and found.mean != 0:
            where = join_path(at, name, "successful", "mean")
            figures.add(metric, found.mean, unit, at=where, definition="rate_over_time")
    _add_wall_clock(figures, row, totals, at)
    for name, (metric, unit, definition) in _LATENCIES.items():
        if name == "time_per_output_token_ms" and row.is_first_schema:
            definition = _FIRST_TPOT
        context = {"weighted_by": "generated tokens"} if name in _WEIGHTED else {}
        if found := row.metrics.successful(name):
            for statistic, (key, value) in found.statistics().items():
                figures.add(
                    metric,
                    value,
                    unit,
                    at=join_path(at, name, "successful", key),
                    statistic=statistic,
                    definition=definition,
                    context=context,
                )
    if in_flight := row.metrics.successful("request_concurrency"):
        where = join_path(at, "request_concurrency", "successful", "mean")
        figures.add("mean_concurrency", in_flight.mean, "requests", at=where)
    figures.add_error_rate(totals.successful, totals.errored, at=at)
    return figures


def error_rate_of(totals: Totals, place: str) -> tuple[MeasurementDocument, ...]:
    """Return the only figure of a benchmark in which nothing succeeded."""
    figures = Figures()
    figures.add_error_rate(totals.successful, totals.errored, at=place)
    return figures.measurements


def _add_wall_clock(figures: Figures, row: Row, totals: Totals, at: str) -> None:
    """Add what totals and duration give, and a warning where the stated rate is another."""
    over_all = wall_clock.Totals(
        tool="GuideLLM",
        seconds=row.duration,
        requests=totals.successful,
        prompt_tokens=_total(row.metrics.successful("prompt_token_count"), totals),
        generated_tokens=_total(row.metrics.successful("output_token_count"), totals),
    )
    add_wall_clock(figures, over_all, at=join_path(at, "output_token_count", "successful"))
    for name in ("output_tokens_per_second", "tokens_per_second"):
        if stated := row.metrics.successful(name):
            where = join_path(at, name, "successful", "mean")
            doubt_stated_rate(figures, over_all, _RATES[name][0], stated.mean, at=where)


def _total(found: Distribution | None, totals: Totals) -> float | None:
    """Return the tokens of all requests that succeeded; CSV has no sum but the mean."""
    if found is None:
        return None
    total = found.total_sum
    if total is None and isinstance(found.mean, int | float):
        total = found.mean * totals.successful
    return total if total is not None and 0 < total < math.inf else None
