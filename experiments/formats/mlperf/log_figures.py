"""The figures of LoadGen's summary: rates, and latencies in nanoseconds.

Latencies of Offline hold the wait in the queue, for all queries are sent at once, and are left out.
Source: https://github.com/mlcommons/inference/blob/master/loadgen/results.cc
"""

import re
from collections.abc import Mapping

from experiments.formats.figures import Figures
from experiments.formats.numbers import positive, read_number
from experiments.formats.problems import join_path

_LATENCY = re.compile(
    r"(?:(?P<word>mean|min|max)|(?P<percentile>[\d.]+) percentile) "
    r"(?P<what>first token latency|time (?:to|per) output token|latency) \(ns\)",
    re.IGNORECASE,
)
_METRICS = {"first": ("ttft_ms", "client"), "time": ("tpot_ms", "excl_first")}
_E2E = ("e2e_latency_ms", "client")
_RATES = {"Offline": "wall_clock", "Server": "latency_bound"}
_TOKENS = ("Completed tokens per second", "Tokens per second")
_SAMPLES = ("Completed samples per second", "Samples per second")
_INFERRED = " (inferred)"
NANOSECONDS_PER_MS = 1e6


def number(lines: Mapping[str, str], name: str) -> float | None:
    """Return the number of a line, None where it is none or not above 0."""
    return positive(read_number(lines.get(name, "")))


def log_figures(place: str, scenario: str, lines: Mapping[str, str]) -> Figures:
    """Return the rates of a summary, and its latencies but of Offline."""
    figures = Figures()
    for name in (*_TOKENS, *(f"{name}{_INFERRED}" for name in _TOKENS)):
        if scenario in _RATES and (rate := number(lines, name)) and not figures.measurements:
            figures.add(
                "tokens_per_second",
                rate,
                "tok/s",
                at=join_path(place, name),
                definition=_RATES[scenario],
                derived_from=("samples a second", "mean tokens") if _INFERRED in name else (),
            )
    for name in _SAMPLES:
        if rate := number(lines, name):
            at = join_path(place, name)
            figures.add("requests_per_second", rate, "req/s", at=at, definition="wall_clock")
            break
    if scenario != "Offline":
        _add_latencies(figures, place, lines)
    return figures


def _add_latencies(figures: Figures, place: str, lines: Mapping[str, str]) -> None:
    for key, value in lines.items():
        found = _LATENCY.fullmatch(key)
        if found is None or (nanoseconds := read_number(value)) is None:
            continue
        statistic = found["word"] or found["percentile"].rstrip("0").rstrip(".")
        metric, definition = _METRICS.get(found["what"].split()[0].lower(), _E2E)
        figures.add(
            metric,
            nanoseconds / NANOSECONDS_PER_MS,
            "ms",
            at=join_path(place, key),
            statistic=statistic.lower(),
            definition=definition,
        )
